"""Kept views and letters of reports: each to whom it belongs, once, with the figures of the page."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from models import Contract, Delivery, Obligation, ReportOrder, utc_now
from services.accounts import create_staff, set_active
from services.crm.clients import create_client
from services.errors import Forbidden, NotFound, Refused
from services.report_letters import FIVE
from services.reports.periods import cut_of
from services.reports.views import (
    cancel_letter,
    drop_view,
    next_moment,
    order_letter,
    run_orders,
    save_view,
    shelf_of,
)
from services.rights import DESK, actor_of

ZONE = "Europe/Moscow"
MONDAY = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)  # 10:00 in Moscow


@pytest.fixture
def observer(database):
    with database.write.begin() as session:
        row = create_staff(session, DESK, email="o@school.example", name="Олег Взор", roles=("observer",))
        return actor_of(row)


def test_ones_own_and_common_views(cast, database, observer) -> None:
    with database.write.begin() as session:
        mine = save_view(session, cast.head, "  Вопросы   VK ", "structure", {"period": "month"}, common=False)
        save_view(session, cast.head, "Все", "answers", {"period": "week", "kind": "question"}, common=True)
        save_view(session, cast.head, "Долги", "debts", {}, common=True)
        assert mine.name == "Вопросы VK"
        assert [one.name for one in shelf_of(session, cast.head).views] == ["Вопросы VK", "Все", "Долги"]
        assert [one.name for one in shelf_of(session, observer).views] == ["Все"]  # no money for an observer
        with pytest.raises(NotFound):
            drop_view(session, observer, mine.id)
        with pytest.raises(NotFound):
            save_view(session, observer, "Долги", "debts", {}, common=False)
        with pytest.raises(Refused):
            save_view(session, cast.head, " ", "answers", {}, common=False)
        with pytest.raises(Forbidden):
            shelf_of(session, cast.smm)
        again = save_view(session, cast.head, "Вопросы VK", "flow", {}, common=False)
        assert again.id == mine.id
        order_letter(session, cast.head, "view", mine.id, "week", 9, ZONE)
        drop_view(session, cast.head, mine.id)
        assert session.scalars(select(ReportOrder)).all() == []


def test_a_named_period_moves_on_and_own_days_stay() -> None:
    on = MONDAY.date()
    moving = cut_of({"period": "last_month", "source": "3", "kind": "question"}, on, ZONE)
    assert (moving.first.isoformat(), moving.last.isoformat(), moving.source_id) == ("2026-10-01", "2026-10-31", 3)
    own = cut_of({"from": "2026-01-02", "to": "2026-01-05"}, on, ZONE)
    assert (own.first.day, own.last.day) == (2, 5)
    assert cut_of({"from": "x"}, on, ZONE).last == on


@given(
    st.sampled_from(["day", "week", "month"]), st.integers(0, 23),
    st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
)  # fmt: skip
def test_the_next_moment_is_later_and_right(rhythm, hour, after) -> None:
    at = next_moment(rhythm, hour, after, ZONE)
    assert at > after
    assert at.hour == hour
    assert at - after <= timedelta(days={"day": 1, "week": 7, "month": 31}[rhythm])
    assert rhythm != "week" or at.weekday() == 0
    assert rhythm != "month" or at.day == 1


def test_letters_go_once_and_come_once_after_a_long_sleep(cast, database, send, box) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        with database.write.begin() as session:
            order_letter(session, cast.head, "morning", None, "", 9, ZONE)
        assert run_orders(database, ZONE) == 0
        clock.move_to(MONDAY + timedelta(days=4))
        assert (run_orders(database, ZONE), run_orders(database, ZONE)) == (1, 0)
        assert send() == 1
        with database.read.begin() as session:
            assert session.scalars(select(ReportOrder)).one().next_at > utc_now()
            assert len(session.scalars(select(Delivery)).all()) == 1
    to, subject, text, _token = box.letters[0]
    assert to == "head@school.example"
    assert subject == "Утро, 4 декабря: опаздывает 0"
    assert "Площадки читаются вовремя: 0 из 1" in text
    assert "https://desk.example/morning" in text
    for path in FIVE:
        assert f"\nhttps://desk.example{path}?from=2026-12-04&to=2026-12-04" in text


def test_what_is_late_by_contracts_stands_in_the_mornings_letter(cast, database, send, box, observer) -> None:
    """Due on Friday, on the head's list and in her letter on Monday: by name, the oldest first, with its day. Not
    in the letter of somebody who sees no contracts."""
    with time_machine.travel(MONDAY - timedelta(days=3), tick=False) as clock:
        with database.write.begin() as session:
            client = create_client(session, DESK, name="Яр Анна")
            contract = Contract(kind="person", client_id=client.id, number="2026-00017", dated=date(2026, 11, 1))
            session.add(contract)
            session.flush()
            for key, side, due in (
                ("access", "school", 27), ("certificate", "school", 26), ("payment", "client", 27),
                ("document", "school", 30),
            ):  # fmt: skip
                session.add(
                    Obligation(contract_id=contract.id, key=key, side=side, subject=key, due_on=date(2026, 11, due))
                )
            for reader in (cast.head, observer):
                order_letter(session, reader, "morning", None, "", 9, ZONE)
        clock.move_to(MONDAY)
        assert run_orders(database, ZONE) == 2
        assert send() == 2
    texts = {to: text for to, _subject, text, _token in box.letters}
    assert "договор" not in texts["o@school.example"].casefold()
    said = texts["head@school.example"].split("Просрочено по договорам: ")[1].split("\n\n")[0].splitlines()
    assert said == [
        "школа должна 2, клиенты 1", "Договор № 2026-00017: справка об обучении, срок 26 ноября",
        "Договор № 2026-00017: открыть доступ, срок 27 ноября", "https://desk.example/contracts/money#obligations",
    ]  # fmt: skip


def test_a_view_and_the_directors_week_have_the_figures_of_the_page(cast, database, send, box) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        with database.write.begin() as session:
            view = save_view(session, cast.head, "Неделя", "answers", {"period": "week"}, common=False)
            order_letter(session, cast.head, "view", view.id, "day", 11, ZONE)
            order_letter(session, cast.head, "week", None, "", 11, ZONE)
        clock.move_to(MONDAY + timedelta(days=7, hours=2))
        assert run_orders(database, ZONE) == 2
        assert send() == 2
    texts = {letter[1]: letter[2] for letter in box.letters}
    assert set(texts) == {"Отчёт: Неделя", "Неделя 30 ноября – 6 декабря"}
    for text in texts.values():
        assert "Пришло: 0 (прежде 0)" in text
        assert "В срок: — (прежде —)" in text
    assert "from=2026-12-01&to=2026-12-07" in texts["Отчёт: Неделя"]


def test_who_left_gets_no_letters(cast, database, send) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        with database.write.begin() as session:
            row = order_letter(session, cast.head, "morning", None, "", 9, ZONE)
            with pytest.raises(NotFound):
                cancel_letter(session, cast.smm, row.id)
            with pytest.raises(Refused):
                order_letter(session, cast.head, "morning", None, "", 24, ZONE)
            create_staff(session, DESK, email="h2@school.example", name="Вера Тон", roles=("head", "administrator"))
            set_active(session, DESK, cast.head.staff_id, False)
        clock.move_to(MONDAY + timedelta(days=1))
        assert run_orders(database, ZONE) == 0
