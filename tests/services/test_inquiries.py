"""Requests to departments: they walk as the table of routes says, and only whom they concern knows of them.

Asked first for services/inquiries.py, services/routing.py, services/notices.py, services/route_files.py.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from collectors.base import Incoming, Person, Visibility
from collectors.wire import Guard
from models import Case, Clock, Delivery, Event, Notice, OneTimeLink, Route, RouteFact, RouteFile, utc_now
from services.accounts import set_active
from services.crm.clients import create_client
from services.crm.erasing import erase_client
from services.crm.holdings import as_json, holdings_of
from services.crm.merging import merge_clients
from services.digests import run_digests
from services.errors import DeskError
from services.inquiries import (
    accept_inquiry,
    ask_inquiry,
    clarify_inquiry,
    count_inquiries,
    hurry_inquiry,
    inquiry_view,
    list_inquiries,
    return_inquiry,
    withdraw_inquiry,
)
from services.mail_answers import take_answers
from services.notices import count_notices, notices_of, run_warn, see_notice
from services.questions import hand_back, question_rows, question_view, send_answer
from services.recount import ask_recount, effect_of, run_recount
from services.reports.cut import Cut
from services.reports.morning import hurry, morning
from services.rights import Actor
from services.route_files import FileIn
from services.route_states import MAX_RETURNS, MOVES, STATES
from services.routing import (
    answer_route,
    ask_back,
    decline_route,
    open_route,
)
from services.secrets import Keyring, open_keyring
from services.terms import save_terms
from services.webhooks import add_hook
from tests.services.test_cases import label_all

MOSCOW = ZoneInfo("Europe/Moscow")
MONDAY = datetime(2026, 11, 30, 10, 0, tzinfo=MOSCOW)
PDF = b"%PDF-1.7\n" + b"0" * 40
DOCX = b"PK\x03\x04" + b"0" * 40


@pytest.fixture
def keyring(tmp_path) -> Keyring:
    return open_keyring(tmp_path / "key")


def told(database, actor: Actor) -> list[str]:
    with database.write.begin() as session:  # at night a notice waits for the morning, and tests run at any hour
        session.execute(update(Notice).values(show_at=Notice.created_at))
    with database.read.begin() as session:
        lines = notices_of(session, actor)
        assert count_notices(session, actor) == len(lines)
        return [line.notice.kind for line in lines]


def shown(database, actor: Actor, show: str) -> list[int]:
    with database.read.begin() as session:
        rows = [row.route.id for row in list_inquiries(session, actor, show)]
        assert count_inquiries(session, actor)[show] == len(rows)
        return rows


# ── it walks there and comes home ────────────────────────────────────────────


def test_it_is_asked_answered_returned_and_accepted(cast, database, inquire) -> None:
    route_id = inquire()
    assert shown(database, cast.smm, "open") == [route_id]
    with database.write.begin() as session:
        clock = session.scalars(select(Clock)).one()
        assert (clock.case_id, clock.route_id, clock.kind, clock.done_at) == (None, route_id, "department", None)
        assert [row.route.id for row in question_rows(session, cast.curator)] == [route_id]
        view = question_view(session, cast.curator, route_id)
        assert (view.is_inquiry, view.platform, view.lines, view.place) == (True, None, (), None)
        letter = session.scalars(select(Delivery)).one()
        assert (letter.staff_id, letter.kind, letter.data) == (cast.curator.staff_id, "questions", {"routes": [1]})
        open_route(session, cast.curator, route_id)
        send_answer(session, cast.curator, route_id, "Справка будет в пятницу", None)
    assert told(database, cast.smm) == ["inquiry.answered"]
    assert told(database, cast.head) == told(database, cast.curator) == []
    assert shown(database, cast.smm, "home") == [route_id]
    with database.write.begin() as session:
        return_inquiry(session, cast.smm, route_id, "Нужна сегодня")
        assert session.scalar(select(func.count()).where(Clock.done_at.is_(None))) == 1
        assert inquiry_view(session, cast.smm, route_id).reason == "Нужна сегодня"
        send_answer(session, cast.curator, route_id, "Вот она", None)
        accept_inquiry(session, cast.smm, route_id)
        accept_inquiry(session, cast.smm, route_id)
    assert shown(database, cast.smm, "done") == [route_id]
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).where(Clock.done_at.is_(None))) == 0
        assert session.scalar(select(func.count()).select_from(RouteFact)) == 0
        kinds = list(session.scalars(select(Event.kind).where(Event.kind.startswith("route.")).order_by(Event.id)))
        assert kinds.count("route.accepted") == 1
        assert session.scalar(select(func.count()).select_from(Case)) == 0


def test_the_newest_word_stands_for_those_before_it_and_stays_until_it_is_seen(cast, database, inquire) -> None:
    route_id = inquire()
    with database.write.begin() as session:
        ask_back(session, cast.curator, route_id, "О какой группе?")
    assert told(database, cast.smm) == ["inquiry.clarify"]
    with database.write.begin() as session:
        clarify_inquiry(session, cast.smm, route_id, "О третьей")
        decline_route(session, cast.curator, route_id, "Это к технической", cast.departments["technical"])
    assert told(database, cast.smm) == ["inquiry.declined"]
    with database.write.begin() as session:
        for notice in session.scalars(select(Notice).where(Notice.seen_at.is_(None))):
            see_notice(session, cast.smm, notice.id)
    assert told(database, cast.smm) == []


def test_where_who_asked_is_gone_the_head_hears(cast, database, inquire) -> None:
    route_id = inquire()
    with database.write.begin() as session:
        set_active(session, cast.head, cast.smm.staff_id, False)
        send_answer(session, cast.curator, route_id, "Готово", None)
    assert told(database, cast.head) == ["inquiry.answered"]


# ── the table ────────────────────────────────────────────────────────────────

ACTS = {
    "opened": lambda s, c, r: clarify_inquiry(s, c.smm, r, "О третьей"),
    "answered": lambda s, c, r: answer_route(s, c.curator, r, "Ответ"),
    "clarify": lambda s, c, r: ask_back(s, c.curator, r, "О какой?"),
    "declined": lambda s, c, r: decline_route(s, c.curator, r, "Не наше", None),
    "accepted": lambda s, c, r: accept_inquiry(s, c.smm, r),
    "sent": lambda s, c, r: return_inquiry(s, c.smm, r, "Не то"),
    "recalled": lambda s, c, r: withdraw_inquiry(s, c.smm, r),
}
BY_LOOKING = {("sent", "opened")}
"""Whoever opens the page makes it; there is no act of its own."""
ONCE_MORE = {("accepted", "accepted")}
"""Pressed twice it is done once."""


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("to", ACTS)
def test_every_pair_as_the_table_says(cast, database, inquire, state, to) -> None:
    route_id = inquire()
    with database.write.begin() as session:
        session.get_one(Route, route_id).state = state
    allowed = (state, to) in MOVES.keys() - BY_LOOKING
    with database.write.begin() as session:
        if allowed or (state, to) in ONCE_MORE:
            ACTS[to](session, cast, route_id)
        else:
            with pytest.raises(DeskError):
                ACTS[to](session, cast, route_id)
        assert session.get_one(Route, route_id).state == (to if allowed else state)


@settings(
    deadline=None, max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(path=st.lists(st.sampled_from(sorted(ACTS)), max_size=14))
def test_whatever_is_pressed_the_clock_runs_exactly_while_the_department_owes(
    cast, database, inquire, path, request
) -> None:
    number = getattr(request.node, "made", 0)
    request.node.made = number + 1
    with database.write.begin() as session:
        route_id = ask_inquiry(session, cast.smm, cast.departments["curators"], "Что?", f"p-{number}").id
    state, returns = "sent", 0
    for to in path:
        allowed = (state, to) in MOVES.keys() - BY_LOOKING and not (to == "sent" and returns == MAX_RETURNS)
        try:
            with database.write.begin() as session:
                ACTS[to](session, cast, route_id)
            assert allowed or (state, to) in ONCE_MORE
        except DeskError:
            assert not allowed
        if allowed:
            state, returns = to, returns + (to == "sent")
        with database.read.begin() as session:
            route = session.get_one(Route, route_id)
            running = session.scalar(
                select(func.count()).where(Clock.route_id == route_id, Clock.done_at.is_(None))
            )
            assert (route.state, route.returns) == (state, returns)
            assert running == (state in ("sent", "opened", "clarify"))
            assert sum(route_id in ids(session, cast.smm, show) for show in ("open", "home", "done")) == 1


def ids(session, actor: Actor, show: str) -> list[int]:
    return [row.route.id for row in list_inquiries(session, actor, show)]


# ── clocks, the morning, digests, hooks ──────────────────────────────────────


def test_a_late_one_is_told_to_who_owes_who_asked_and_the_head_alone(cast, database, inquire, colleague) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        route_id = inquire()
        with database.read.begin() as session:
            due = session.scalars(select(Clock.due_at)).one()
        clock.move_to(due - timedelta(minutes=5))
        assert run_warn(database) == 1
        assert told(database, cast.curator) == ["department.1"]
        assert told(database, cast.smm) == told(database, cast.head) == []
        assert shown(database, cast.smm, "late") == []
        with database.write.begin() as session:
            assert hurry_inquiry(session, cast.smm, route_id) == 0
        clock.move_to(due + timedelta(minutes=5))
        assert run_warn(database) == 1
        for actor in (cast.curator, cast.smm, cast.head):
            assert told(database, actor) == ["department.2"]
        assert told(database, colleague) == told(database, cast.tech) == []
        assert shown(database, cast.smm, "late") == shown(database, cast.head, "late") == [route_id]
        with database.write.begin() as session:
            day = due.astimezone(MOSCOW).date()
            page = morning(session, cast.head, Cut(day, day, "Europe/Moscow"), utc_now())
            assert (page.overdue, page.requests_late, [late for _unit, late in page.hurried.values()]) == (
                0,
                1,
                [1],
            )
            assert hurry(session, cast.head, cast.departments["technical"]) == 0
            assert hurry(session, cast.head, cast.departments["curators"]) == 1
            assert hurry_inquiry(session, cast.smm, route_id) == 1
        assert told(database, cast.curator) == ["hurry", "department.2"]
        with database.write.begin() as session:
            send_answer(session, cast.curator, route_id, "Готово", None)
        assert told(database, cast.curator) == []
        assert shown(database, cast.smm, "late") == []


def test_new_terms_reckon_it_too_and_no_case_is_late_by_it(cast, database, inquire) -> None:
    with time_machine.travel(MONDAY, tick=False):
        inquire()
        terms = {"changes": {"2026-11-30": "off"}}
        with database.read.begin() as session:
            effect = effect_of(session, terms)
            assert (effect.total, effect.tried, effect.late_cases) == (1, 1, ())
        with database.write.begin() as session:
            save_terms(session, cast.head, terms)
            ask_recount(session, cast.head)
        assert run_recount(database) == 1


def test_digests_and_hooks_cope(cast, database, inquire, keyring) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        with database.write.begin() as session:
            add_hook(session, cast.head, keyring, Guard(), "CRM", "https://crm.example/hook", ["route.asked"])
        inquire()
        clock.move_to(MONDAY + timedelta(days=1, hours=7))
        assert run_digests(database, "Europe/Moscow") == 2


# ── letters ──────────────────────────────────────────────────────────────────


def test_it_is_answered_by_replying_to_the_letter(cast, database, inquire, send, box) -> None:
    with database.write.begin() as session:
        client = create_client(session, cast.head, name="Яровая Анна")
    route_id = inquire("Какая у неё группа? +7 912 345-67-89", client_id=client.id, urgent=True)
    assert send() == 1
    to, _subject, letter, token = box.letters[-1]
    assert to == "curator@school.example"
    assert "О клиенте: Анна" in letter
    assert "Какая у неё группа?" in letter
    assert "912 345" not in letter
    assert "Яровая" not in letter
    with database.write.begin() as session:
        link = session.scalars(select(OneTimeLink)).one()
        assert (link.purpose, link.route_id) == ("device", route_id)
        reply = Incoming(
            container="INBOX", external_id="re-1@home.example", text="Третья группа", published_at=utc_now(),
            author=Person("curator@school.example", "Олег"), visibility=Visibility.PRIVATE,
            parent_external_id=f"otklik-note.{token}@school.example",
        )  # fmt: skip
        assert take_answers(session, [reply]) == []
        assert session.get_one(Route, route_id).answer == "Третья группа"
    assert told(database, cast.smm) == ["inquiry.answered"]


# ── the client it names ──────────────────────────────────────────────────────


def test_it_follows_the_card_and_is_put_out_with_the_person(cast, database, inquire, keyring) -> None:
    with database.write.begin() as session:
        first, second = (create_client(session, cast.head, name=name) for name in ("Яр Анна", "Яр Аня"))
    route_id = inquire("Справка для Яр Анны", client_id=second.id, files=[FileIn("a.pdf", PDF)])
    with database.write.begin() as session:
        ask_back(session, cast.curator, route_id, "Анне какой?")
        clarify_inquiry(session, cast.smm, route_id, "Яр")
        send_answer(session, cast.curator, route_id, "Анна учится", None)
        merge_clients(session, cast.head, first.id, second.id)
        assert session.get_one(Route, route_id).client_id == first.id
        assert [row.client for row in list_inquiries(session, cast.head, client_id=first.id)] == ["Яр Анна"]
        privacy = Actor(cast.head.staff_id, "Марина", frozenset({"head", "privacy"}))
        found = as_json(holdings_of(session, keyring, privacy, first.id))
        assert "Справка для Яр Анны" in found
        assert "Анне какой?" in found
        erase_client(session, privacy, first.id, "request")
    with database.read.begin() as session:
        route = session.get_one(Route, route_id)
        assert (route.question, route.answer) == ("", None)
        view = inquiry_view(session, cast.head, route_id)
        assert {text for _who, _at, text in view.lines} == {""}
        assert session.scalars(select(RouteFile)).one().content == b""


def test_labels_of_cases_are_untouched(cast, database, inquire, ask) -> None:
    """A question of a case beside a request: each has its own clock and its own way home."""
    of_case, route_id = ask(), inquire()
    label_all(database)
    with database.write.begin() as session:
        hand_back(session, cast.curator, route_id, "Не наше", None)
        case = session.scalars(select(Case)).one()
        assert (case.state, case.lift) == ("department", None)
        send_answer(session, cast.curator, of_case, "Завтра", None)
        assert (case.state, case.lift) == ("work", "answer")
