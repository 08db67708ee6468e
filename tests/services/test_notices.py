"""Warnings and escalation: found by their time, told once, to whom it concerns, outside quiet hours."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import select, text

from models import Event, Notice, Source, StaffRole
from services.accounts import create_staff
from services.cases import assign, close
from services.labelling import correct_label
from services.notices import count_notices, notices_of, run_warn, see_all, see_notice
from services.rights import DESK, Actor
from services.routing import answer_route, ask_department
from tests.services.test_cases import label_all

MOSCOW = ZoneInfo("Europe/Moscow")
MONDAY = datetime(2026, 11, 30, 10, 0, tzinfo=MOSCOW)


@pytest.fixture
def at(cast, database):
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).created_at = MONDAY - timedelta(days=1)
    with time_machine.travel(MONDAY, tick=False) as clock:

        def _at(hour: float, days: int = 0) -> int:
            """Moves to the hour of Monday and sweeps; returns how many clocks were due."""
            clock.move_to(MONDAY.replace(hour=0) + timedelta(days=days, hours=hour))
            return run_warn(database)

        cast.write("Когда вебинар?", published_at=MONDAY)
        label_all(database)
        yield _at


@pytest.fixture
def act(database):
    def _act(service, *given):
        with database.write.begin() as session:
            return service(session, *given)

    return _act


@pytest.fixture
def told(database):
    """The kinds that wait behind a person's bell."""

    def _told(actor: Actor) -> list[str]:
        with database.read.begin() as session:
            lines = notices_of(session, actor)
            assert count_notices(session, actor) == len(lines)
            return [line.notice.kind for line in lines]

    return _told


def test_each_level_is_told_once_to_whom_it_concerns(cast, at, told, database) -> None:
    assert at(13.1) == 0
    assert at(13.3) == 1  # 80 % of four hours
    assert at(13.4) == 0
    assert (told(cast.smm), told(cast.head), told(cast.curator)) == (["first.1"], [], [])
    assert at(14.1) == 1
    assert (told(cast.smm), told(cast.head)) == (["first.2"], ["first.2"])
    assert at(16.1) == 1  # 150 %: a question is nothing for the director
    assert told(cast.head) == ["first.2"]
    assert at(17) == 0
    with database.read.begin() as session:
        events = list(session.scalars(select(Event).where(Event.kind == "clock.warned").order_by(Event.id)))
    assert [event.data for event in events] == [{"code": "first", "level": level} for level in (1, 2, 3)]


def test_after_a_long_sleep_the_highest_is_told(cast, at, told) -> None:
    assert at(12, days=1) == 1
    assert told(cast.smm) == []  # the third level of a question is nobody's
    assert told(cast.head) == []


def test_who_leads_is_told_alone(cast, at, told, act, database) -> None:
    with database.write.begin() as session:
        other = create_staff(session, DESK, email="two@school.example", name="Ева Лунь", roles=("smm",))
        act_by = Actor(other.id, other.name, frozenset({"smm"}))
    act(assign, cast.smm, 1, cast.smm.staff_id)
    at(13.3)
    assert (told(cast.smm), told(act_by)) == (["first.1"], [])


def test_the_director_hears_of_complaints(cast, at, told, act, database) -> None:
    with database.write.begin() as session:
        row = create_staff(session, DESK, email="dir@school.example", name="Игорь Зимин", roles=("director",))
        director = Actor(row.id, row.name, frozenset({"director"}))
    act(correct_label, cast.smm, 1, "complaint")
    assert at(13.1) == 1
    assert told(director) == ["first.3"]


def test_a_department_is_told_of_its_question_only(cast, at, told, act, database) -> None:
    act(ask_department, cast.smm, 1, cast.departments["curators"], "Когда? Пишите на anna@mail.example", "r1")
    at(15.7)  # 80 % up to 17:00
    with database.read.begin() as session:
        (line,) = notices_of(session, cast.curator)
    assert (line.notice.kind, line.number, line.author) == ("department.1", None, "Анна")
    assert "anna@" not in line.text
    assert told(cast.tech) == []
    act(answer_route, cast.curator, 1, "В среду")
    assert told(cast.curator) == []


def test_who_left_the_department_is_told_nothing(cast, at, told, act, database) -> None:
    act(ask_department, cast.smm, 1, cast.departments["curators"], "Когда?", "r1")
    at(15.7)
    left = Actor(cast.curator.staff_id, cast.curator.name, frozenset(), frozenset())
    with database.write.begin() as session:
        session.execute(text("DELETE FROM staff_role WHERE staff_id = :id"), {"id": left.staff_id})
        assert session.scalar(select(StaffRole.id).where(StaffRole.staff_id == left.staff_id)) is None
    assert told(left) == []


def test_what_is_over_by_itself_is_not_shown(cast, at, told, act) -> None:
    at(13.3)
    act(close, cast.smm, 1, "no_answer_needed")
    assert told(cast.smm) == []
    assert at(15) == 0


def test_seen_is_seen_and_only_by_whose_it_is(cast, at, told, act) -> None:
    at(14.1)
    mine = act(lambda session: session.scalars(select(Notice).where(Notice.staff_id == cast.smm.staff_id)).one())
    assert act(see_notice, cast.head, mine.id) is None
    assert told(cast.smm) == ["first.2"]
    assert act(see_notice, cast.smm, mine.id) is not None
    assert told(cast.smm) == []
    act(see_all, cast.head, 0)
    assert told(cast.head) == ["first.2"]
    act(see_all, cast.head, 10**6)
    assert told(cast.head) == []


def test_quiet_hours_wait_for_the_morning(cast, at, told, act) -> None:
    act(correct_label, cast.smm, 1, "complaint")
    assert at(23) == 1
    assert told(cast.head) == []
    with time_machine.travel(MONDAY.replace(hour=9) + timedelta(days=1), tick=False):
        assert told(cast.head) == ["first.3"]
