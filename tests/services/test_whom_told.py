"""Whom the desk tells, asks and gives work by itself: nobody who may not do it.

Each test names the file whose check it asks for; tests/mutate_rights.py looks there first.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import (
    Absence,
    Act,
    Case,
    Clock,
    Delivery,
    Mention,
    Notice,
    Route,
    RouteFile,
    Staff,
    StaffRole,
    utc_now,
)
from models.database import Database
from services import answers, deliveries, digests, nightly, notices, rota, route_files, watch, workload
from services.absences import local_day, replying
from services.accounts import create_staff
from services.agreement import Agreement
from services.cases import add_note, assign
from services.errors import NotFound, Refused
from services.following import MENTION
from services.incidents.gathering import run_incidents
from services.reports.morning import hurry
from services.rights import DESK, Actor
from services.routing import answer_route, ask_department, colleagues
from services.targets import check_answers, uncovered
from tests.conftest import NOON, Cast
from tests.services.test_cases import label_all

HEAD, SMM, CURATOR, LOOKER, ADMIN = (
    Actor(number, role, frozenset({role}), frozenset({1} if units else ()))
    for number, role, units in (
        (1, "head", 0), (2, "smm", 0), (3, "manager", 1), (4, "observer", 1), (5, "administrator", 0),
    )
)  # fmt: skip
"""The looker once answered for the department and does so no more."""


def _clock(level: int = 1, **given: Any) -> Clock:
    return Clock(kind="first", sla_class="QPUB", level=level, **given)


@pytest.mark.parametrize(
    ("people", "case", "route", "told"),
    [
        ((HEAD, SMM, LOOKER), Case(assignee_id=4), None, [2]),
        ((HEAD, SMM, CURATOR, LOOKER), Case(), Route(department_id=1), [3]),
        ((HEAD, SMM, LOOKER), Case(), Route(department_id=1), [2]),
    ],
)
def test_a_clock_tells_who_may_do_something_about_it(
    people: tuple[Actor, ...], case: Case, route: Route | None, told: list[int]
) -> None:
    """services/notices.py"""
    assert notices.addressees(people, _clock(), case, route) == told


@pytest.mark.parametrize(
    ("people", "whom", "told"),
    [
        ((HEAD, SMM, ADMIN), "head", [1]), ((SMM, ADMIN), "head", [5]), ((HEAD, SMM, LOOKER), "writer", [2]),
        ((HEAD, SMM, LOOKER), "deputies", [2]),
    ],
)  # fmt: skip
def test_a_reply_that_is_stuck_tells_who_may_do_something_about_it(
    people: tuple[Actor, ...], whom: str, told: list[int]
) -> None:
    """services/watch.py"""
    table = Agreement(deputies=frozenset({2, 4}))
    act = Act(staff_id=4 if whom == "writer" else 9)
    assert watch.addressees(people, watch.Watch("x", (), timedelta(0), whom), act, table) == told


@pytest.fixture
def act(database: Database) -> Callable[..., Any]:
    def _act(service: Callable[..., Any], *given: Any, **named: Any) -> Any:
        with database.write.begin() as session:
            return service(session, *given, **named)

    return _act


def becomes(session: Session, actor: Actor, role: str, unit: int | None = None) -> None:
    """From now on the person has this role alone."""
    session.execute(delete(StaffRole).where(StaffRole.staff_id == actor.staff_id))
    session.add(StaffRole(staff_id=actor.staff_id, role=role, department_id=unit))
    session.flush()
    session.expire_all()


@pytest.fixture
def case_id(cast: Cast, database: Database) -> int:
    cast.write("Почему не могу войти?", "Анна Яр")
    label_all(database)
    with database.read.begin() as session:
        return session.scalars(select(Case.id)).one()


@pytest.fixture
def route_id(cast: Cast, act: Callable[..., Any], case_id: int) -> int:
    """A question to the curators, of whom one looks on and answers no more."""
    curators = cast.departments["curators"]

    def add(session: Session) -> None:
        made = create_staff(session, DESK, email="looks@school.example", name="Ия Глядова", roles=["observer"])
        session.add(StaffRole(staff_id=made.id, role="observer", department_id=curators))

    act(add)
    return int(act(ask_department, cast.smm, case_id, curators, "Когда?", "r1").id)


def ids(found: Any) -> list[int]:
    return [one.id for one in found]


def test_new_work_goes_to_who_may_answer(cast: Cast, database: Database, act: Callable[..., Any]) -> None:
    """services/absences.py, services/workload.py, services/cases.py, services/targets.py, services/rota.py"""
    with database.read.begin() as session:
        people = [session.get_one(Staff, one.staff_id) for one in (cast.curator, cast.smm)]
        assert ids(replying(session, people)) == [cast.smm.staff_id]
        assert [one.staff.id for one in workload.loads(session)] == [cast.smm.staff_id, cast.head.staff_id]
        check_answers(session, cast.smm.staff_id or 0)
        with pytest.raises(Refused, match=r"duty\.person"):
            check_answers(session, cast.curator.staff_id or 0)
    cast.write("Когда?")
    label_all(database)
    with pytest.raises(NotFound):
        act(assign, cast.head, 1, cast.curator.staff_id)
    act(assign, cast.head, 1, cast.smm.staff_id)
    with pytest.raises(NotFound):
        act(workload.switch_off, cast.head, cast.smm.staff_id, cases_to=cast.curator.staff_id, duties_to=None)


def test_the_duty_of_who_may_answer_no_more_covers_nothing(cast: Cast, act: Callable[..., Any]) -> None:
    """services/rota.py, services/targets.py"""
    act(rota.set_week, cast.head, dict.fromkeys(range(7), cast.smm.staff_id))
    assert (act(rota.duty_now), act(uncovered)) == (cast.smm.staff_id, set())
    act(becomes, cast.smm, "observer")
    assert act(rota.duty_now) is None
    assert act(uncovered) == {(cast.source_id, day) for day in range(7)}


def test_cases_are_not_handed_to_a_deputy_who_may_not_answer(
    cast: Cast, database: Database, act: Callable[..., Any], case_id: int
) -> None:
    """services/workload.py"""
    act(assign, cast.head, case_id, cast.smm.staff_id)

    def away(session: Session) -> None:
        today = local_day(session)
        session.add(
            Absence(
                staff_id=cast.smm.staff_id, deputy_id=cast.curator.staff_id, from_day=today, to_day=today,
                reason="leave", hand_over=True,
            )
        )  # fmt: skip

    act(away)
    assert workload.run_absences(database) == 1
    with database.read.begin() as session:
        assert session.get_one(Case, case_id).assignee_id == cast.smm.staff_id


def test_an_incident_is_asked_in_the_name_of_one_who_may(cast: Cast, database: Database, act: Any) -> None:
    """services/incidents/gathering.py"""
    act(becomes, cast.head, "administrator")
    begun = utc_now() - timedelta(minutes=9)
    for number, name in enumerate(("Анна Яр", "Борис Орлов", "Вера Сон", "Глеб Лис", "Дина Май")):
        at = begun + timedelta(minutes=number)
        cast.write(f"Почему не могу войти в кабинет, {name}?", name, published_at=at)
    label_all(database)

    def complain(session: Session) -> None:
        for case in session.scalars(select(Case)):
            case.label, case.theme, case.sure, case.wave_id = "complaint", "access", True, None

    act(complain)
    run_incidents(database)
    with database.read.begin() as session:
        assert session.scalars(select(Route.asked_by_id)).all() == [cast.smm.staff_id]


def test_without_a_head_the_administrators_hear_of_backups(cast: Cast, act: Callable[..., Any]) -> None:
    """services/nightly.py"""
    act(becomes, cast.head, "administrator")
    act(nightly.warn_late, utc_now() + timedelta(days=30))
    assert act(lambda session: session.scalars(select(Notice.staff_id)).all()) == [cast.head.staff_id]


def test_who_is_called_in_a_note_sees_the_case(cast: Cast, act: Callable[..., Any], case_id: int) -> None:
    """services/following.py"""
    act(add_note, cast.head, case_id, "@Олег Сомов и @Дарья Лис, гляньте", "n1")
    called = select(Notice.staff_id).where(Notice.kind == MENTION)
    for query in (called, select(Mention.staff_id)):
        assert act(lambda session, query: session.scalars(query).all(), query) == [cast.smm.staff_id]


def test_a_question_is_for_those_who_answer_for_the_department(
    cast: Cast, act: Callable[..., Any], route_id: int
) -> None:
    """services/deliveries.py, services/routing.py"""

    def told(session: Session) -> list[int]:
        return ids(deliveries.addressees_of(session, session.get_one(Route, route_id)))

    assert act(told) == [cast.curator.staff_id]
    act(becomes, cast.curator, "observer")
    assert act(told) == [cast.head.staff_id]
    technical = cast.departments["technical"]
    assert ids(act(colleagues, technical)) == [cast.tech.staff_id]


def test_what_waits_for_a_person_ends_at_the_department(cast: Cast, act: Callable[..., Any], route_id: int) -> None:
    """services/deliveries.py"""

    def waits(session: Session, actor: Actor) -> list[int]:
        return ids(deliveries.waiting_for(session, session.get_one(Staff, actor.staff_id)))

    assert act(waits, cast.curator) == act(waits, cast.head) == [route_id]
    assert act(waits, cast.tech) == act(waits, cast.smm) == []


def test_a_photo_joins_no_answer_of_a_department_that_was_left(
    cast: Cast, act: Callable[..., Any], route_id: int
) -> None:
    """services/answers.py"""
    act(answer_route, cast.curator, route_id, "В среду")

    def alone(session: Session) -> int | None:
        sent = Delivery(staff_id=cast.curator.staff_id, data={"routes": [route_id]})
        found = answers.answered_alone(session, sent, session.get_one(Staff, cast.curator.staff_id))
        return found.id if found is not None else None

    assert act(alone) == route_id
    act(becomes, cast.curator, "manager", cast.departments["technical"])
    assert act(alone) is None


def test_a_file_is_shown_to_whoever_sees_its_question_or_its_case(
    cast: Cast, act: Callable[..., Any], route_id: int
) -> None:
    """services/route_files.py"""

    def add(session: Session) -> int:
        row = RouteFile(
            route_id=route_id, staff_id=cast.curator.staff_id, kind="photo", name="a.png",
            content_type="image/png", size=1, digest="0" * 64, content=b"0",
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id

    file_id = act(add)
    for actor in (cast.curator, cast.smm):
        assert act(lambda session, who: route_files.answer_file(session, who, file_id).size, actor) == 1
    with pytest.raises(NotFound):
        act(route_files.answer_file, cast.tech, file_id)


def test_digests_and_haste_reach_the_department_alone(
    cast: Cast, database: Database, act: Callable[..., Any], route_id: int
) -> None:
    """services/digests.py, services/reports/morning.py"""
    assert ids(act(digests.people_of, cast.departments["technical"])) == [cast.tech.staff_id]
    curators = cast.departments["curators"]

    def overdue(session: Session) -> None:
        late = NOON - timedelta(days=1)
        session.add(Clock(
            case_id=session.get_one(Route, route_id).case_id, route_id=route_id, kind="department",
            sla_class="QPUB", calendar="desk", term_seconds=60, started_at=late, due_at=late, warn_at=late,
        ))  # fmt: skip

    act(overdue)
    assert act(hurry, cast.head, curators) == 1
    told = act(lambda session: session.scalars(select(Notice.staff_id).where(Notice.kind == "hurry")).all())
    assert told == [cast.curator.staff_id]
