"""Absences: the deputy gets what would come to the person, holds lent roles for the days, and nothing is lost."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from models import Absence, Case, Delivery, Route, Rule, Staff, StaffRole
from services.absences import (
    absences_of,
    add_absence,
    end_absence,
    instead,
    local_day,
    quiet_until,
    set_schedule,
    stand_ins,
    works_at,
)
from services.accounts import create_staff
from services.errors import Forbidden, NotFound, Refused
from services.people import edit_person
from services.responsibility import set_cell
from services.rights import DESK, actor_of
from services.rota import USUAL, days_from, duty_now, set_day, set_week
from services.rules import save_rule
from services.terms import build_policy
from services.workload import holdings_of, loads, run_absences, switch_off
from tests.services.test_cases import label_all

MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.fixture
def second(cast, database) -> int:
    """Another of the desk."""
    with database.write.begin() as session:
        return create_staff(session, DESK, email="second@school.example", name="Инна Вяз", roles=("smm",)).id


def away(database, actor, staff_id: int, deputy_id: int | None = None, **given) -> int:
    with database.write.begin() as session:
        today = local_day(session)
        days = {"from_day": today, "to_day": today + timedelta(days=3), **given}
        return add_absence(session, actor, staff_id, deputy_id=deputy_id, **days).id


def only_case(database) -> Case:
    with database.read.begin() as session:
        return session.scalars(select(Case).order_by(Case.id.desc()).limit(1)).one()


def test_new_cases_go_to_whoever_stands_in(cast, database, second) -> None:
    with database.write.begin() as session:
        set_cell(session, cast.head, 0, "", staff_id=cast.smm.staff_id, department_id=None)
    away(database, cast.head, cast.smm.staff_id, second)
    cast.write("Когда вебинар?", "Анна")
    label_all(database)
    assert only_case(database).assignee_id == second
    with database.read.begin() as session:
        assert {one.staff.id for one in loads(session) if one.away_until} == {cast.smm.staff_id}


def test_the_usual_deputy_counts_and_a_circle_ends(cast, database, second) -> None:
    smm = cast.smm.staff_id
    with database.write.begin() as session:
        set_schedule(session, cast.head, smm, deputy_id=second)
        set_schedule(session, cast.head, second, deputy_id=smm)
    away(database, cast.head, smm)
    with database.read.begin() as session:
        assert stand_ins(session) == {smm: second}
    away(database, cast.head, second)
    with database.read.begin() as session:
        assert stand_ins(session) == {smm: None, second: None}


@given(st.dictionaries(st.integers(1, 6), st.none() | st.integers(1, 6)), st.lists(st.integers(1, 6), min_size=1))
def test_somebody_is_always_told(stand, wanted) -> None:
    found = instead(stand, wanted)
    assert found
    assert set(found) <= set(wanted) | {one for one in stand.values() if one is not None}


def test_an_acting_head_has_the_rights_for_the_days(cast, database) -> None:
    head, smm = cast.head.staff_id, cast.smm.staff_id
    with time_machine.travel(MONDAY, tick=False):
        absence = away(
            database, cast.head, head, smm, from_day=date(2026, 11, 25), to_day=date(2026, 11, 26), roles=("head",)
        )
        with database.read.begin() as session:
            line = absences_of(session, cast.head, local_day(session))[0]
            assert (line.deputy.id, line.roles) == (smm, ("head",))
            person = session.get_one(Staff, smm)
            # Midnight in Moscow is 21:00 UTC of the day before.
            for at, holds in (
                (datetime(2026, 11, 24, 20, 59, tzinfo=UTC), False),
                (datetime(2026, 11, 24, 21, 0, tzinfo=UTC), True),
                (datetime(2026, 11, 26, 20, 59, tzinfo=UTC), True),
                (datetime(2026, 11, 26, 21, 0, tzinfo=UTC), False),
            ):
                assert actor_of(person, at).may("reply.approve") is holds, at
                assert not actor_of(person, at).may("staff.edit")
    with time_machine.travel(datetime(2026, 11, 26, 8, tzinfo=UTC), tick=False):
        with database.write.begin() as session:
            acting = actor_of(session.get_one(Staff, smm))
            later = {"from_day": date(2026, 11, 27), "to_day": date(2026, 12, 30)}
            with pytest.raises(Forbidden):  # what is lent cannot be lent on
                add_absence(session, acting, head, deputy_id=smm, roles=("head",), **later)
        with database.write.begin() as session:
            edit_person(session, cast.head, smm, name="Дарья Лис", roles=["smm"], department=None)
        with database.read.begin() as session:
            assert actor_of(session.get_one(Staff, smm)).may("reply.approve")
        with database.write.begin() as session:
            end_absence(session, cast.head, absence)
        with database.read.begin() as session:
            assert not actor_of(session.get_one(Staff, smm)).may("reply.approve")
            assert session.get_one(Absence, absence).to_day == date(2026, 11, 25)


def test_what_is_refused(cast, database, second) -> None:
    smm, head = cast.smm.staff_id, cast.head.staff_id
    with database.write.begin() as session:
        today = local_day(session)
        days = {"from_day": today, "to_day": today}
        with pytest.raises(Forbidden):
            add_absence(session, cast.smm, smm, **days)
        with pytest.raises(Refused, match=r"absence\.days"):
            add_absence(session, cast.head, smm, from_day=today, to_day=today - timedelta(days=1))
        with pytest.raises(Refused, match=r"absence\.days"):
            add_absence(session, cast.head, smm, from_day=date.max, to_day=date.max)
        with pytest.raises(Refused, match=r"absence\.deputy"):
            add_absence(session, cast.head, smm, deputy_id=smm, **days)
        with pytest.raises(Refused, match=r"role\.unknown"):  # not theirs to give
            add_absence(session, cast.head, smm, deputy_id=second, roles=("head",), **days)
        with pytest.raises(Refused, match=r"role\.unknown"):  # nobody becomes an administrator by standing in
            add_absence(session, cast.head, head, deputy_id=smm, roles=("administrator",), **days)
    with database.write.begin() as session:
        plain = create_staff(session, DESK, email="plain@school.example", name="Пётр Сыч", roles=("head",))
        director = create_staff(session, DESK, email="dir@school.example", name="Анна Дуб", roles=("director",))
        with pytest.raises(Forbidden):  # a head without the right to change roles gives what is theirs alone
            add_absence(session, actor_of(plain), director.id, deputy_id=second, roles=("director",), **days)
    away(database, cast.head, smm)
    with database.write.begin() as session:
        with pytest.raises(Refused, match=r"absence\.twice"):
            add_absence(session, cast.head, smm, **days)
        with pytest.raises(Refused, match=r"absence\.deputy_away"):
            add_absence(session, cast.head, second, deputy_id=smm, **days)
        with pytest.raises(NotFound):
            end_absence(session, cast.head, 999)


def test_open_cases_go_over_on_the_first_day_once(cast, database, second) -> None:
    cast.write("Когда вебинар?", "Анна")
    label_all(database)
    with database.write.begin() as session:
        session.scalars(select(Case)).one().assignee_id = cast.smm.staff_id
    away(database, cast.head, cast.smm.staff_id, second, hand_over=True)
    assert run_absences(database) == 1
    assert only_case(database).assignee_id == second
    assert run_absences(database) == 0


def test_a_department_asks_whoever_is_there(cast, database, ask) -> None:
    with database.write.begin() as session:
        other = create_staff(
            session, DESK, email="c2@school.example", name="Нина Рябинина", roles=("manager",),
            department="curators",
        ).id  # fmt: skip
    away(database, cast.head, cast.curator.staff_id, other)
    ask("Когда проверят?", staff_id=cast.curator.staff_id)
    ask("А расписание?")
    with database.read.begin() as session:
        told = set(session.scalars(select(Delivery.staff_id).where(Delivery.kind == "questions")))
        assert told == {other}
        assert session.scalars(select(Route)).all()


def test_the_duty_takes_what_is_nobodys(cast, database, second) -> None:
    with database.write.begin() as session:
        set_week(session, cast.head, dict.fromkeys(range(7), cast.smm.staff_id))
        with pytest.raises(Refused, match=r"duty\.person"):
            set_week(session, cast.head, {0: cast.curator.staff_id})
    cast.write("Когда вебинар?", "Анна")
    label_all(database)
    assert only_case(database).assignee_id == cast.smm.staff_id
    with database.write.begin() as session:
        today = local_day(session)
        set_day(session, cast.head, today, second)
    cast.write("А запись будет?", "Борис")
    label_all(database)
    assert only_case(database).assignee_id == second
    away(database, cast.head, second)
    with database.write.begin() as session:
        assert duty_now(session) is None
        assert days_from(session, today, 1)[0].away
        set_day(session, cast.head, today, USUAL)
        assert duty_now(session) == cast.smm.staff_id


def test_hours_of_a_person() -> None:
    policy = build_policy({})
    person = Staff(hours={"days": [1, 2], "from": "12:00", "to": "15:00"})
    tuesday_noon = datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert works_at(person, policy, tuesday_noon)
    assert not works_at(person, policy, MONDAY)
    assert quiet_until(person, policy, MONDAY) == tuesday_noon
    assert quiet_until(person, policy, tuesday_noon) == tuesday_noon
    assert works_at(Staff(hours={}), policy, MONDAY)
    assert quiet_until(Staff(hours={}), policy, MONDAY) == MONDAY


def test_whoever_goes_leaves_nothing_behind(cast, database, second) -> None:
    smm = cast.smm.staff_id
    with database.write.begin() as session:
        set_cell(session, cast.head, 0, "", staff_id=smm, department_id=None)
        set_week(session, cast.head, {0: smm})
        set_schedule(session, cast.head, second, deputy_id=smm)
        save_rule(session, cast.head, None, title="Вебинар", conditions={"words": ["вебинар"]}, acts={"tell": smm})
    away(database, cast.head, cast.head.staff_id, smm, roles=("head",))
    with database.write.begin() as session:
        held = holdings_of(session, smm)
        assert (held.duties, held.days, held.rules) == (1, 1, 1)
        switch_off(session, cast.head, smm, cases_to=second, duties_to=second)
        assert holdings_of(session, smm).is_empty
        assert session.get_one(Staff, second).deputy_id is None
        assert session.scalars(select(Absence.deputy_id)).all() == [second]
        assert session.scalars(select(StaffRole).where(StaffRole.absence_id.is_not(None))).all() == []
        assert session.scalars(select(Rule)).one().acts == {"tell": second}
