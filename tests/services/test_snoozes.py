"""Cases put off: out of sight, woken by their time, by the author, by an answer or a person."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from models import Case, Event, Route, Snooze, utc_now
from services.cases import close
from services.counters import counters
from services.errors import Forbidden, Refused, Stale
from services.filters import Filters
from services.inbox import list_cases
from services.replies import write_reply
from services.routing import answer_route, ask_department
from services.snoozes import end_snooze, run_wake, snooze
from tests.services.test_cases import label_all


@pytest.fixture
def case_id(cast, database) -> int:
    cast.write("Когда вебинар?", "Анна Яр")
    cast.write("Где запись?", "Борис Лунин")
    label_all(database)
    return 1


@pytest.fixture
def put_off(cast, database, case_id):
    def _put_off(hours: float | None = 1) -> None:
        until = None if hours is None else utc_now() + timedelta(hours=hours)
        with database.write.begin() as session:
            snooze(session, cast.smm, case_id, until)

    return _put_off


@pytest.fixture
def now(database, case_id):
    """(state, lift) of the case, and the ids in the inbox."""

    def _now(cast):
        with database.read.begin() as session:
            case = session.get_one(Case, case_id)
            shown = [row.case.id for row in list_cases(session, cast.smm, Filters()).rows]
            return case.state, case.lift, shown

    return _now


def test_it_leaves_the_inbox_and_stands_in_its_view(cast, database, case_id, put_off, now) -> None:
    put_off()
    assert now(cast) == ("snoozed", None, [2])
    with database.read.begin() as session:
        (row,) = list_cases(session, cast.smm, Filters(stage="later")).rows
        numbers = counters(session, cast.smm)
        assert row.case.id == case_id
        assert row.snooze is not None
        assert row.case.assignee_id == cast.smm.staff_id
    assert (numbers["later"], numbers["open"]) == (1, 1)


def test_its_time_brings_it_back_on_top_with_the_reason(cast, database, put_off, now) -> None:
    put_off()
    assert run_wake(database) == 0
    with time_machine.travel(utc_now() + timedelta(hours=2)):
        assert run_wake(database) == 1
        assert run_wake(database) == 0
    assert now(cast) == ("work", "snooze", [1, 2])
    with database.read.begin() as session:
        assert session.scalar(select(Snooze.id)) is None


def test_the_author_wakes_it(cast, database, put_off, now) -> None:
    put_off(None)
    assert run_wake(database) == 0
    cast.write("Ну так когда?", "Анна Яр")
    label_all(database)
    assert now(cast) == ("work", "message", [1, 2])


def test_thanks_do_not(cast, database, put_off, now) -> None:
    put_off()
    cast.write("Спасибо", "Анна Яр")
    label_all(database)
    assert now(cast)[0] == "snoozed"


def test_a_departments_answer_wakes_it_to_where_it_was(cast, database, case_id, put_off, now) -> None:
    with database.write.begin() as session:
        for unit in ("curators", "technical"):
            ask_department(session, cast.smm, case_id, cast.departments[unit], "Когда?", f"r-{unit}")
    put_off()
    with database.write.begin() as session:
        answer_route(session, cast.curator, session.scalars(select(Route.id)).first() or 0, "В среду")
    state, reason, shown = now(cast)
    assert (state in ("department", "work"), reason, shown) == (True, "answer", [1, 2])


@pytest.mark.parametrize("act", ["close", "reply", "bring"])
def test_any_act_ends_it(cast, database, case_id, put_off, now, act) -> None:
    put_off()
    with database.write.begin() as session:
        if act == "close":
            close(session, cast.smm, case_id, "no_answer_needed")
        elif act == "reply":
            write_reply(session, cast.smm, case_id, "В среду", "f1")
        else:
            end_snooze(session, cast.smm, case_id)
    with database.read.begin() as session:
        assert session.scalar(select(Snooze.id)) is None
    assert now(cast)[0] == {"close": "no_answer", "reply": "solved", "bring": "work"}[act]


def test_putting_off_again_moves_the_time_only(cast, database, case_id, put_off) -> None:
    put_off(1)
    put_off(5)
    with time_machine.travel(utc_now() + timedelta(hours=2)):
        assert run_wake(database) == 0
    with database.read.begin() as session:
        assert session.scalars(select(Snooze.state)).one() == "work"
        kinds = list(session.scalars(select(Event.kind).where(Event.kind == "case.snoozed")))
    assert len(kinds) == 2


@pytest.mark.parametrize("hours", [-1, 0, 24 * 400])
def test_times_without_sense_are_refused(database, put_off, hours) -> None:
    with pytest.raises(Refused):
        put_off(hours)


def test_closed_stale_and_forbidden_ones_are_refused(cast, database, case_id) -> None:
    later = utc_now() + timedelta(hours=1)
    with database.write.begin() as session, pytest.raises(Forbidden):
        snooze(session, cast.curator, case_id, later)
    with database.write.begin() as session, pytest.raises(Stale):
        snooze(session, cast.smm, case_id, later, version=99)
    with database.write.begin() as session:
        close(session, cast.smm, case_id, "spam")
    with database.write.begin() as session, pytest.raises(Refused):
        snooze(session, cast.smm, case_id, later)
