"""Clocks on cases and questions: started at receipt, paused by the author alone, ended once, told why late."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import select

from classifier import Verdict
from models import Act, Case, Clock, Source, utc_now
from services.case_states import move
from services.cases import close, reopen_case
from services.errors import Forbidden, Refused
from services.kinds import renew_kind
from services.labelling import correct_label, run_labelling
from services.legal_clocks import bind_legal
from services.outbox import note_reply
from services.recount import Progress, ask_recount, effect_of, progress_of, run_recount
from services.replies import take_back, write_reply
from services.rights import DESK
from services.routing import answer_route, ask_department, decline_route, recall_route, return_route
from services.sla import lateness
from services.terms import build_policy, class_of, policy_of, save_terms
from tests.services.test_cases import Table, label_all

MOSCOW = ZoneInfo("Europe/Moscow")


def moscow(text: str) -> datetime:
    return datetime.strptime(text, "%d.%m.%Y %H:%M").replace(tzinfo=MOSCOW)


MONDAY = moscow("30.11.2026 10:00")


@pytest.fixture
def at(cast, database):
    """Travels to a moment; the place is watched since the day before."""
    with database.write.begin() as session:
        source = session.get_one(Source, cast.source_id)
        source.created_at = MONDAY - timedelta(days=1)
    with time_machine.travel(MONDAY, tick=False) as clock:

        def _at(text: str) -> None:
            clock.move_to(moscow(text))

        yield _at


@pytest.fixture
def case_id(cast, database, at) -> int:
    cast.write("Когда вебинар?", published_at=MONDAY)
    label_all(database)
    return 1


@pytest.fixture
def clocks(database):
    def _clocks(kind: str) -> list[Clock]:
        with database.read.begin() as session:
            return list(session.scalars(select(Clock).where(Clock.kind == kind).order_by(Clock.id)))

    return _clocks


@pytest.fixture
def act(database):
    """Runs one service in a transaction of its own."""

    def _act(service, *given, **named):
        with database.write.begin() as session:
            return service(session, *given, **named)

    return _act


def on_case(service):
    return lambda session, case_id, *given: service(session, session.get_one(Case, case_id), *given)


def shown(database, case_id: int = 1) -> datetime | None:
    with database.read.begin() as session:
        return session.get_one(Case, case_id).due_at


def test_they_start_at_receipt_and_stand_on_the_case(database, case_id, clocks) -> None:
    (first,), (resolution,) = clocks("first"), clocks("resolution")
    assert first.started_at == MONDAY
    assert first.due_at == moscow("30.11.2026 14:00")
    assert first.warn_at == first.next_at == moscow("30.11.2026 13:12")
    assert resolution.due_at == moscow("02.12.2026 10:00")
    assert shown(database) == first.due_at


def test_history_has_none_until_its_author_writes_again(cast, database, at, clocks) -> None:
    cast.write("Когда вебинар?", published_at=MONDAY - timedelta(days=30))
    label_all(database)
    assert clocks("first") == []
    cast.write("Так когда?", published_at=MONDAY)
    label_all(database)
    assert [clock.started_at for clock in clocks("first")] == [MONDAY]


class Angry(Table):
    """Whoever writes in capitals complains."""

    def _verdict(self, text: str) -> Verdict:
        if not text.isupper():
            return super()._verdict(text)
        return Verdict("complaint", ("complaint",), {"complaint": 0.9}, (), True, 0.9)


def test_history_does_not_stand_before_what_came_today(cast, database, at, clocks) -> None:
    """A complaint is of high priority; one from before the place was watched only when its author writes again."""
    cast.write("ОПЯТЬ НЕТ ДОСТУПА", author="Вера", published_at=MONDAY - timedelta(days=30))
    cast.write("НЕТ ДОСТУПА", author="Борис", published_at=MONDAY)
    run_labelling(database, Angry(), gate_open=True)

    def priorities() -> list[int]:
        with database.read.begin() as session:
            return list(session.scalars(select(Case.priority).order_by(Case.id)))

    assert priorities() == [2, 1]
    with database.write.begin() as session:
        renew_kind(session, session.get_one(Case, 1))
    assert priorities() == [2, 1]
    cast.write("ТАК И НЕТ ДОСТУПА", author="Вера", published_at=MONDAY)
    run_labelling(database, Angry(), gate_open=True)
    assert priorities() == [1, 1]


def test_what_was_late_to_arrive_is_no_history(cast, database, at, clocks, act) -> None:
    act(lambda session: setattr(session.get_one(Source, cast.source_id), "backfilled_at", MONDAY))
    at("30.11.2026 11:00")
    cast.write("Когда вебинар?", published_at=MONDAY - timedelta(days=3))
    label_all(database)
    assert len(clocks("first")) == 1


def test_rest_has_none(cast, database, at, clocks) -> None:
    cast.write("спасибо", published_at=MONDAY)
    label_all(database)
    assert clocks("first") == []


def test_the_platforms_time_ends_the_first(cast, database, case_id, clocks, act) -> None:
    act(write_reply, cast.smm, case_id, "В среду", "f1")
    (first,), (resolution,) = clocks("first"), clocks("resolution")
    assert first.done_at is None  # nothing is proven yet
    assert resolution.done_at == MONDAY
    answered = MONDAY + timedelta(minutes=3)

    def _accept(session) -> None:
        row = session.scalars(select(Act)).one()
        row.accepted_at = answered
        note_reply(session, row)

    act(_accept)
    assert clocks("first")[0].done_at == answered
    assert shown(database) is None


def test_a_reply_taken_back_lets_it_run_on(cast, database, case_id, clocks, act) -> None:
    act(write_reply, cast.smm, case_id, "В среду", "f1", undo_seconds=60)
    act(take_back, cast.smm, 1)
    (resolution,) = clocks("resolution")
    assert resolution.done_at is None
    assert resolution.next_at == resolution.warn_at
    assert shown(database) == clocks("first")[0].due_at


def test_only_the_author_stops_the_resolution(cast, database, case_id, clocks, act, at) -> None:
    act(ask_department, cast.smm, case_id, cast.departments["curators"], "Когда?", "r1")
    assert clocks("resolution")[0].paused_at is None
    act(recall_route, cast.smm, 1)
    act(on_case(move), case_id, "author", DESK)
    (paused,) = clocks("resolution")
    assert (paused.paused_at, paused.next_at) == (MONDAY, None)
    assert clocks("first")[0].paused_at is None
    at("30.11.2026 15:00")
    cast.write("В пятницу?", published_at=utc_now())
    label_all(database)
    (running,) = clocks("resolution")
    assert running.due_at == moscow("02.12.2026 15:00")
    assert running.paused_seconds == 5 * 3600


def test_the_law_never_stands_still(cast, database, case_id, clocks, act) -> None:
    act(lambda session: bind_legal(session, cast.smm, session.get_one(Case, case_id), "CLAIM"))
    act(lambda session: bind_legal(session, cast.smm, session.get_one(Case, case_id), "CLAIM"))
    act(on_case(move), case_id, "author", DESK)
    (legal,) = clocks("legal")
    # Ten calendar days end on Thursday the tenth; control is the last working day before it, less one.
    assert legal.due_at.astimezone(MOSCOW).date().isoformat() == "2026-12-10"
    assert legal.warn_at.astimezone(MOSCOW).date().isoformat() == "2026-12-08"
    assert legal.paused_at is None
    with pytest.raises(Forbidden):
        act(lambda session: bind_legal(session, cast.curator, session.get_one(Case, case_id), "CLAIM"))


def test_a_hand_over_keeps_the_first_clock(cast, database, case_id, clocks, act, at) -> None:
    first = clocks("first")[0].due_at
    act(ask_department, cast.smm, case_id, cast.departments["technical"], "Когда?", "r1")
    at("30.11.2026 12:00")
    act(decline_route, cast.tech, 1, "Не наш", cast.departments["curators"])
    act(ask_department, cast.smm, case_id, cast.departments["curators"], "Когда?", "r2")
    technical, curators = clocks("department")
    assert technical.done_at == moscow("30.11.2026 12:00")
    # Four hours end at 16:00, and the curators look at ten and at five.
    assert curators.due_at == moscow("30.11.2026 17:00")
    assert clocks("first")[0].due_at == first
    at("30.11.2026 16:00")
    act(answer_route, cast.curator, 2, "В среду")
    assert clocks("department")[1].done_at == moscow("30.11.2026 16:00")
    act(return_route, cast.smm, 2, "А час?")
    assert len(clocks("department")) == 3


def test_closing_ends_and_reopening_goes_on_or_starts_anew(cast, database, case_id, clocks, act, at) -> None:
    act(close, cast.smm, case_id, "no_answer_needed")
    assert [c.done_at for c in (*clocks("first"), *clocks("resolution"))] == [MONDAY, MONDAY]
    assert shown(database) is None
    act(reopen_case, cast.smm, case_id)
    assert [clock.done_at for clock in clocks("resolution")] == [None]
    act(close, cast.smm, case_id, "no_answer_needed")
    at("30.11.2026 12:00")
    cast.write("Но когда?", published_at=utc_now())
    label_all(database)
    assert [clock.started_at for clock in clocks("resolution")] == [MONDAY, moscow("30.11.2026 12:00")]
    assert shown(database) == moscow("30.11.2026 16:00")


def test_another_kind_has_other_terms_from_the_same_receipt(cast, database, case_id, clocks, act) -> None:
    act(correct_label, cast.smm, 1, "complaint")
    (first,) = clocks("first")
    assert (first.sla_class, first.due_at) == ("CPUB", moscow("30.11.2026 12:00"))
    assert shown(database) == first.due_at


def test_why_it_was_late(cast, database, case_id, act, at) -> None:
    at("30.11.2026 10:20")
    act(ask_department, cast.smm, case_id, cast.departments["curators"], "Когда?", "r1")
    with database.read.begin() as session:
        assert lateness(session, session.get_one(Case, case_id)) == []
    at("01.12.2026 10:20")
    act(answer_route, cast.curator, 1, "В среду")
    with database.read.begin() as session:
        shares = lateness(session, session.get_one(Case, case_id))
    assert [(share.department.code if share.department else None, share.spent) for share in shares] == [
        ("curators", timedelta(hours=9)),
        (None, timedelta(minutes=20)),
    ]


def test_a_term_by_the_clock_of_the_duty_says_how_long_it_took_on_a_day_off(cast, database, case_id, at) -> None:
    """What runs on Saturdays too was not late by «0 minutes» of the desk's week."""
    with database.write.begin() as session:
        for clock in session.scalars(select(Clock).where(Clock.case_id == case_id)):
            clock.calendar = "duty"
            clock.started_at, clock.due_at = moscow("28.11.2026 13:00"), moscow("28.11.2026 13:15")
    at("28.11.2026 13:35")
    with database.read.begin() as session:
        shares = lateness(session, session.get_one(Case, case_id))
    assert [(share.department, share.spent) for share in shares] == [(None, timedelta(minutes=35))]


def test_new_terms_hold_for_what_comes_and_on_demand_for_what_is_open(cast, database, case_id, clocks, act) -> None:
    head = cast.head
    with pytest.raises(Forbidden):
        act(save_terms, cast.smm, {"preset": "regulation"})
    act(save_terms, head, {"preset": "regulation", "changes": {"2026-12-01": "off", "2026-12-02": "off"}})
    assert clocks("first")[0].due_at == moscow("30.11.2026 14:00")
    assert run_recount(database) == 0  # nobody asked
    with database.read.begin() as session:
        effect = effect_of(session, {"classes": {"QPUB": [30, "desk", 30]}})
        assert (effect.total, effect.tried, effect.earlier, effect.later) == (2, 2, 2, 0)
    assert clocks("first")[0].due_at == moscow("30.11.2026 14:00")
    act(ask_recount, head)
    with database.read.begin() as session:
        assert progress_of(session) == Progress(0, 2)
    assert run_recount(database) == 2
    assert clocks("first")[0].due_at == shown(database) == moscow("30.11.2026 12:00")
    assert clocks("resolution")[0].due_at == moscow("03.12.2026 10:00")
    with database.read.begin() as session:
        assert progress_of(session) is None


@pytest.mark.parametrize(
    "values",
    [
        {"preset": "none"},
        {"classes": {"QPUB": [0, "desk", 10]}},
        {"classes": {"QPUB": [10, "desk", 10**7]}},
        {"departments": {"curators": [60, ["25:00"]]}},
        {"changes": {"2026-13-01": "off"}},
        {"changes": {"2026-12-01": "party"}},
        {"quiet": ["x", "9:00"]},
    ],
)
def test_terms_without_sense_are_refused(cast, act, values) -> None:
    with pytest.raises(Refused):
        act(save_terms, cast.head, values)


def test_the_presets(database) -> None:
    with database.read.begin() as session:
        small = policy_of(session)
    regulation = build_policy({"preset": "regulation"})
    assert (small.preset, small.classes["QPUB"].first.minutes) == ("small", 240)
    assert (regulation.classes["CPUB"].first.minutes, regulation.classes["CPUB"].first.calendar) == (60, "duty")
    assert small.after_quiet(moscow("30.11.2026 22:00")) == moscow("01.12.2026 09:00")
    assert small.after_quiet(moscow("30.11.2026 05:00")) == moscow("30.11.2026 09:00")
    assert small.after_quiet(moscow("30.11.2026 12:00")) == moscow("30.11.2026 12:00")


@pytest.mark.parametrize(
    ("label", "visibility", "name"),
    [("question", "public", "QPUB"), ("question", "private", "QPRV"), (None, "public", "QPUB"),
     (None, "private", "QPRV"), ("complaint", "private", "CPRV"), ("wish", "public", "WISH")],
)  # fmt: skip
def test_classes(label, visibility, name) -> None:
    assert class_of(build_policy({}), Case(label=label, visibility=visibility)) == name
