"""Behind every count of every report stands a list with just so many rows, on both databases."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

import services.reports.upkeep  # noqa: F401 (by being imported it writes the facts)
from models import (
    Absence,
    Broadcast,
    BroadcastIncident,
    BroadcastPlace,
    BroadcastQuestion,
    Case,
    CaseFact,
    Client,
    Deal,
    DealMove,
    DutyDay,
    Identity,
    Incident,
    IncidentCase,
    LeadFact,
    Merge,
    Message,
    Publication,
    Route,
    Study,
    Verdict,
    Visit,
    VisitedPlace,
    Wish,
    WishCase,
)
from services.errors import Forbidden, NotFound, Refused
from services.reports.cut import Cut
from services.reports.listed import LISTED, row_page
from services.reports.tables import run_table
from services.rights import DESK, Actor
from tests.conftest import Cast
from tests.services.demo_set import DemoSet
from tests.services.figure_lists import cells_of, differing
from tests.services.test_cases import label_all
from tests.services.test_report_key import NOW as DEMO_NOW
from tests.services.test_report_key import WEEK
from tests.services.test_report_money import NOW, played  # noqa: F401

EMPTY = {
    "clients_again", "refunds_slow", "calls_known", "deals_lost", "incidents_overdue", "contract_debts",
    "promises_kept", "promised", "amendments",
}  # fmt: skip
"""Lists of which the set has no rows, or that no count of its first split opens."""
CUTS = {
    "all": {},
    "three": {"kind": "question", "platform": "vk", "theme": "schedule"},
    "nobody": {"department_id": 0, "programme": "Английский"},
    "day": {"first": date(2026, 12, 2), "last": date(2026, 12, 2)},
}


def on(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo(shared_database):
    DemoSet(Cast(shared_database), shared_database).play()
    return shared_database


@pytest.mark.parametrize("name", CUTS)
def test_the_demo_set(demo, name) -> None:
    with demo.read.begin() as session:
        wrong, seen = differing(session, replace(WEEK, **CUTS[name]), DEMO_NOW)
    assert wrong == []
    assert seen > 300 or name != "all"


@pytest.fixture
def busy(cast, played):  # noqa: F811
    """Beside the contracts, calls and cards of money.md something of everything else."""
    database = played
    for number in range(5):
        cast.write(f"Когда откроется кабинет {number}?", f"Автор {number}")
    label_all(database)
    with database.read.begin() as session:
        cases = list(session.scalars(select(Case.id).order_by(Case.id)))
    with database.write.begin() as session:
        client = session.scalars(select(Client).order_by(Client.id)).first()
        assert client is not None
        _clients(session, client, cases)
        _troubles(session, cast, cases)
        _on_air(session, cast)
        _looks(session, cast)
    with database.write.begin() as session:  # the facts are by hand once all acts have written theirs
        for number, case_id in enumerate(cases):
            fact, case = session.get_one(CaseFact, case_id), session.get_one(Case, case_id)
            fact.counts, fact.opened_at, fact.kind = True, on(1, 9 + number), ("wish", "complaint")[number % 2]
            fact.first_at, fact.first_minutes = (on(1, 15), 60) if number < 3 else (None, None)
            fact.first_due_at = on(1, 18)
            case.kind = "application" if number in (0, 3) else case.kind
            session.add(LeadFact(
                case_id=case_id, staff_id=cast.smm.staff_id, since=on(1, 10), until=on(2, 10), minutes=540
            ))  # fmt: skip
    return database


def _clients(session, client: Client, cases: list[int]) -> None:
    for case_id in (cases[0], cases[4]):
        author_id = session.get_one(Case, case_id).author_id
        session.add(Identity(client_id=client.id, author_id=author_id, linked_author_id=author_id, basis="said"))
    session.add_all([
        Study(client_id=client.id, course="Английский", group_name="А-12", curator="Олег Сомов"),
        Study(client_id=client.id, course="Испанский", curator="Олег Сомов"),
    ])  # fmt: skip
    gone = Client(name="Повтор", name_key="повтор", state="merged")
    session.add(gone)
    session.flush()
    session.add(Merge(kept_id=client.id, gone_id=gone.id, created_at=on(2, 9)))
    session.add(Merge(kept_id=client.id, gone_id=gone.id, created_at=on(2, 9), undone_at=on(2, 10)))
    session.add_all([
        Verdict(case_id=cases[1], outcome="justified"), Verdict(case_id=cases[3], outcome="no"),
    ])  # fmt: skip
    wish = Wish(title="Субботы", state="accepted")
    session.add(wish)
    session.flush()
    session.add_all([
        WishCase(wish_id=wish.id, case_id=cases[0], told_at=on(3, 9)), WishCase(wish_id=wish.id, case_id=cases[2]),
    ])  # fmt: skip
    ways = (
        (("lead", "paid"), "paid", None), (("lead", "qualified", "lost"), "lost", "price"),
        (("lead",), "lead", None), (("lead", "lost"), "lost", None),
    )  # fmt: skip
    for number, (stages, state, reason) in enumerate(ways):
        deal = Deal(
            client_id=client.id, state=state, amount=100 * number or None, created_at=on(1, 9 + number),
            loss_reason=reason, case_id=cases[0] if number == 0 else None,
        )  # fmt: skip
        session.add(deal)
        session.flush()
        for step, after in enumerate(stages):
            session.add(DealMove(deal_id=deal.id, before=None, after=after, at=on(1, 9 + number, step)))


def _troubles(session, cast, cases: list[int]) -> None:
    route = Route(
        case_id=cases[0], department_id=cast.departments["technical"], question="Когда?", form_key="q1",
        state="sent", asked_at=on(2, 9), asked_by_id=cast.head.staff_id,
    )  # fmt: skip
    session.add(route)
    session.flush()
    first = Incident(
        theme="access", title="Кабинет", state="over", count=3, started_at=on(1, 9), ended_at=on(1, 11)
    )
    second = Incident(
        theme="access", title="Кабинет", open_key="access", count=1, started_at=on(2, 8), route_id=route.id,
        case_id=cases[0],
    )  # fmt: skip
    session.add_all([first, second])
    session.flush()
    session.add_all([IncidentCase(incident_id=first.id, case_id=one) for one in cases[:3]])


def _on_air(session, cast) -> None:
    held = Broadcast(kind="webinar", title="Эфир", starts_at=on(1, 17), ends_at=on(1, 19), state="ended")
    ahead = Broadcast(kind="webinar", title="Ещё эфир", starts_at=on(3, 17), ends_at=on(3, 19), state="duty")
    shown = Publication(source_id=cast.source_id, external_id="air", kind="video", title="Эфир")
    session.add_all([held, ahead, shown])
    session.flush()
    session.add(BroadcastPlace(
        broadcast_id=held.id, platform="wordpress", source_id=cast.source_id, publication="air"
    ))  # fmt: skip
    states = ("aloud", "chat", "carried", "dismissed", "open", "carried")
    for number in range(50):
        message = Message(
            source_id=cast.source_id, container="air", external_id=f"air-{number}", direction="in",
            visibility="public", state="published", work="done", text=f"Слово {number}",
            published_at=on(1, 17, number), publication_id=shown.id,
        )  # fmt: skip
        session.add(message)
        session.flush()
        if number < len(states):
            session.add(BroadcastQuestion(
                broadcast_id=held.id, message_id=message.id, state=states[number], asked_at=on(1, 17, number),
                theme="application" if number < 2 else None,
            ))  # fmt: skip
    session.add(BroadcastIncident(broadcast_id=held.id, kind="sound", state="fixed", count=8, started_at=on(1, 18)))


def _looks(session, cast) -> None:
    place = VisitedPlace(
        title="Форум", opens="09:00", closes="21:00", every_minutes=240, created_at=on(1, 0) - timedelta(days=9)
    )  # fmt: skip
    session.add(place)
    session.flush()
    session.add_all([
        Visit(place_id=place.id, outcome="found", count=2, at=on(1, 10), staff_id=cast.smm.staff_id),
        Visit(place_id=place.id, outcome="nothing", at=on(1, 11), staff_id=cast.smm.staff_id),
        Visit(place_id=place.id, outcome="auto", at=on(2, 10)),
    ])  # fmt: skip
    session.add_all([DutyDay(day=date(2026, 12, day), staff_id=cast.smm.staff_id) for day in (1, 2)])
    session.add(DutyDay(day=date(2026, 12, 3), staff_id=cast.head.staff_id))
    session.add(Absence(
        staff_id=cast.head.staff_id, from_day=date(2026, 12, 3), to_day=date(2026, 12, 3),
        created_by_id=cast.head.staff_id,
    ))  # fmt: skip


def test_money_clients_broadcasts_and_checks(busy) -> None:
    with busy.read.begin() as session:
        wrong, seen = differing(session, WEEK, NOW)
        assert wrong == []
        assert seen > 250
        filled = {
            cell.list
            for code in ("funnel", "debts", "contracts", "terminations", "obligations", "calls", "clients",
                         "broadcasts", "visits", "incidents", "groups", "topics", "staff")
            for _name, cell in cells_of(run_table(session, DESK, code, WEEK, NOW))
            if cell.list in LISTED and cell.value
        }  # fmt: skip
        reached = {name for name in LISTED if not name.startswith(("topic_", "competitor", "wish_"))}
        assert reached - filled <= EMPTY


def test_a_wish_opens_who_asked_and_who_was_told(busy) -> None:
    with busy.read.begin() as session:
        wish = session.scalars(select(Wish)).one()
        names = ("wish_cases", "wish_told")
        assert [row_page(session, DESK, name, WEEK, NOW, str(wish.id)).total for name in names] == [2, 1]
        assert row_page(session, DESK, "wish_cases", WEEK, NOW, "нет").total == 0


def test_a_row_leads_to_its_case_and_to_the_platform(busy) -> None:
    with busy.read.begin() as session:
        [row] = row_page(session, DESK, "deals_reached", WEEK, NOW, "paid").rows
        case = session.get_one(Case, row.record.case_id)
        assert (row.number, row.record.page) == (case.number, ("deal", row.record.id))
        assert row.url == session.get_one(Message, case.first_message_id).url


def test_rights_of_rows(busy) -> None:
    observer, head = Actor(None, "", frozenset({"observer"})), DESK
    with busy.read.begin() as session:
        for name in ("deals_begun", "calls_in", "debts", "contracts", "terminations", "obligations", "clients"):
            with pytest.raises(Forbidden):
                row_page(session, observer, name, WEEK, NOW)
        with pytest.raises(NotFound):
            row_page(session, head, "came", WEEK, NOW)
        seen = row_page(session, observer, "authors", WEEK, NOW).rows
        assert seen
        assert {(row.record.name, row.url) for row in seen} == {("", None)}
        whole, part = (
            row_page(session, one, "group_came", WEEK, NOW).columns for one in (head, observer)
        )  # fmt: skip
        assert (whole, part) == (("place", "kind", "author", "essence"), ("place", "kind"))


def test_a_bad_key_is_refused(busy) -> None:
    with busy.read.begin() as session:
        for after in ("x", "2026-12-01", "2026-12-01T00:00:00+00:00~x", "~", "1~2~3", "9" * 30):
            for name in ("calls_in", "clients", "authors"):
                with pytest.raises(Refused):
                    row_page(session, DESK, name, WEEK, NOW, None, after)


def test_the_period_before_of_a_broken_week() -> None:
    assert Cut(date(2026, 12, 1), date(2026, 12, 31)).days_before() == {
        "first": date(2026, 11, 1), "last": date(2026, 11, 30),
    }  # fmt: skip
