"""Facts of reports: written by the act itself, and always what the rows say when they are reckoned anew."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

import services.reports.upkeep  # noqa: F401 (by being imported it writes the facts)
from collectors.base import Publication
from models import Act, Author, Case, CaseFact, CaseStep, Clock, RouteFact, Source, utc_now
from services.calendars import Calendar
from services.cases import close, reopen_case
from services.crm.forgetting import hide_author
from services.labelling import correct_label
from services.outbox import note_reply
from services.replies import take_back, write_reply
from services.reports.cohorts import count
from services.reports.cut import Cut
from services.reports.facts import Running, minutes_between
from services.reports.upkeep import ask_rebuild, run_rebuild, write_facts
from services.routing import answer_route, ask_department, return_route
from services.schema import run_alembic
from services.sla import lateness
from services.snoozes import snooze
from tests.services.histories import PLANS, History
from tests.services.test_cases import label_all
from tests.services.test_sla import MONDAY, moscow


@pytest.fixture
def at(cast, database):
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).created_at = MONDAY - timedelta(days=1)
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield lambda text: clock.move_to(moscow(text))


@pytest.fixture
def case_id(cast, database, at) -> int:
    cast.write("Когда вебинар?", published_at=MONDAY)
    label_all(database)
    return 1


@pytest.fixture
def fact(database):
    def _fact(case_id: int = 1) -> CaseFact:
        with database.read.begin() as session:
            return session.get_one(CaseFact, case_id)

    return _fact


@pytest.fixture
def steps(database):
    def _steps() -> list[str]:
        with database.read.begin() as session:
            query = select(CaseStep.kind).where(CaseStep.kind != "assigned")
            return list(session.scalars(query.order_by(CaseStep.id)))

    return _steps


def accept(session) -> None:
    row = session.scalars(select(Act).order_by(Act.id.desc())).first()
    row.state, row.accepted_at = "accepted", utc_now()
    note_reply(session, row)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=PLANS)
def test_live_facts_are_those_made_anew(cast, database, plan) -> None:
    history = History(cast, database)
    history.play(plan)
    with database.write.begin() as session:
        ids = list(session.scalars(select(Case.id).order_by(Case.id)))
        numbered = session.scalar(select(func.count()).where(Case.number.is_not(None)))
        assert session.scalar(select(func.count(CaseFact.id))) == numbered
        assert write_facts(session, ids) == 0


def test_whose_time_it_was(cast, database, case_id, act, at, fact) -> None:
    at("30.11.2026 10:20")
    act(ask_department, cast.smm, case_id, cast.departments["curators"], "Когда?", "r1")
    assert (fact().holder, fact().desk_minutes, fact().held_since) == ("department", 20, moscow("30.11.2026 10:20"))
    at("01.12.2026 10:20")
    act(answer_route, cast.curator, 1, "В среду")
    act(write_reply, cast.smm, case_id, "В среду", "f1", undo_seconds=0, then="wait")
    at("01.12.2026 10:21")
    act(accept)
    found = fact()
    assert (found.desk_minutes, found.department_minutes, found.client_minutes) == (20, 540, 0)
    assert (found.holder, found.first_by_id, found.staff_id) == ("client", cast.smm.staff_id, cast.smm.staff_id)
    assert (found.first_minutes, found.first_clock_minutes) == (561, 24 * 60 + 21)
    assert found.first_due_at == moscow("30.11.2026 14:00")
    at("02.12.2026 10:21")
    cast.write("А запись?", published_at=utc_now())
    label_all(database)
    assert (fact().holder, fact().client_minutes) == ("desk", 541)  # since the reply was written


def test_an_end_that_was_undone_was_none(cast, case_id, act, at, fact, steps) -> None:
    act(write_reply, cast.smm, case_id, "В среду", "f1", undo_seconds=600)
    assert steps() == ["opened", "resolved"]
    at("30.11.2026 10:05")
    act(take_back, cast.smm, 1)
    assert steps() == ["opened"]
    assert (fact().holder, fact().resolved_at, fact().reopened) == ("desk", None, 0)
    act(close, cast.smm, case_id, "no_answer_needed")
    assert (steps(), fact().counts) == (["opened", "reclassified"], False)
    act(reopen_case, cast.smm, case_id)
    assert (steps(), fact().counts) == (["opened", "reclassified", "reopened"], True)


def test_put_off_it_stays_with_who_had_it(cast, case_id, act, at, fact) -> None:
    act(ask_department, cast.smm, case_id, cast.departments["curators"], "Когда?", "r1")
    at("30.11.2026 11:00")
    act(snooze, cast.smm, case_id, None)
    assert fact().holder == "department"


def test_history_does_not_count_until_its_author_writes_again(cast, database, at, fact, steps) -> None:
    cast.write("Когда вебинар?", published_at=MONDAY - timedelta(days=30))
    label_all(database)
    assert (fact().counts, steps()) == (False, [])
    cast.write("Так когда?", published_at=MONDAY)
    label_all(database)
    assert (fact().counts, fact().opened_at, steps()) == (True, MONDAY, ["opened"])


def test_a_kind_is_checked_by_a_person_alone(cast, database, case_id, act, fact) -> None:
    act(write_reply, cast.smm, case_id, "В среду", "f1", undo_seconds=0)  # accepts the label, weakly
    assert (fact().kind, fact().checked) == ("question", False)
    act(correct_label, cast.smm, 1, "question")
    assert fact().checked


def test_a_theme_follows_the_case(cast, database, case_id, act, fact) -> None:
    act(lambda session: setattr(session.get_one(Case, case_id), "theme", "payment"))
    assert fact().theme == "payment"


def test_a_question_sent_back_counts_once(cast, database, case_id, act, at) -> None:
    act(ask_department, cast.smm, case_id, cast.departments["curators"], "Когда?", "r1")
    at("01.12.2026 12:00")
    act(answer_route, cast.curator, 1, "В среду")
    act(return_route, cast.smm, 1, "А час?")
    with database.read.begin() as session:
        found = session.scalars(select(RouteFact)).one()
        assert (found.outcome, found.returns, found.late, found.answer_minutes) == (None, 1, True, None)
    act(answer_route, cast.curator, 1, "В десять")
    with database.read.begin() as session:
        found = session.scalars(select(RouteFact)).one()
        assert (found.outcome, found.returns, found.late, found.answer_minutes) == ("answered", 1, True, 660)


def test_they_are_made_anew_on_demand(cast, database, case_id, act, fact) -> None:
    before = {c.name: getattr(fact(), c.name) for c in CaseFact.__table__.columns}
    assert run_rebuild(database) == 0  # nobody asked
    act(lambda session: [session.execute(delete(table)) for table in (CaseFact, CaseStep, RouteFact)])
    assert run_rebuild(database) == 1  # as after an upgrade
    act(lambda session: session.execute(update(CaseFact).values(platform="vk")))
    assert run_rebuild(database) == 0
    act(ask_rebuild)
    assert run_rebuild(database) == 1
    assert {c.name: getattr(fact(), c.name) for c in CaseFact.__table__.columns} == before


def test_a_case_that_came_back_is_answered_anew(cast, database, case_id, act, at) -> None:
    act(write_reply, cast.smm, case_id, "В среду", "f1", undo_seconds=0)
    act(accept)
    at("01.12.2026 10:00")
    cast.write("А запись?", published_at=utc_now())
    label_all(database)
    at("02.12.2026 17:00")
    act(write_reply, cast.smm, case_id, "Будет", "f2", undo_seconds=0)
    act(accept)
    with database.read.begin() as session:
        clocks = session.scalars(select(Clock).where(Clock.kind == "first").order_by(Clock.id)).all()
        assert [clock.done_at > clock.due_at for clock in clocks] == [False, True]
        assert lateness(session, session.get_one(Case, case_id))


@pytest.mark.parametrize(("days", "theme", "repeats"), [(13, "access", 1), (15, "access", 0), (3, "payment", 0)])
def test_a_matter_that_comes_back_soon_is_a_repeat(cast, database, case_id, act, at, days, theme, repeats) -> None:
    def named(number: int, word: str) -> None:
        act(lambda session: setattr(session.get_one(Case, number), "theme", word))

    named(1, "access")
    act(write_reply, cast.smm, case_id, "В среду", "f1", undo_seconds=0)
    act(accept)
    at(f"{days:02d}.12.2026 10:00")
    there = Publication("18", "article", "Другая статья", url="https://blog.example/18")
    cast.write("Опять не открывается?", published_at=utc_now(), container="18", publication=there)
    label_all(database)
    named(2, theme)
    day = Cut(date(2026, 12, days), date(2026, 12, days))
    with database.read.begin() as session:
        assert count(session, "again_known", day, utc_now()) == 1
        assert count(session, "again_repeat", day, utc_now()) == repeats
        told = session.execute(select(CaseFact.id, CaseFact.person, CaseFact.again).order_by(CaseFact.id)).all()
    # An upgrade of a filled desk finds the same.
    run_alembic(database, "downgrade", "0054")
    run_alembic(database, "upgrade", "head")
    with database.read.begin() as session:
        found = session.execute(select(CaseFact.id, CaseFact.person, CaseFact.again).order_by(CaseFact.id)).all()
        assert found == told
    # Once the author is put out, nobody knows whose it was.
    with database.write.begin() as session:
        hide_author(session, session.scalars(select(Author)).one())
    with database.read.begin() as session:
        assert count(session, "again_known", day, utc_now()) == 0


@settings(deadline=None)
@given(st.datetimes(datetime(2026, 10, 1), datetime(2027, 1, 12), timezones=st.just(UTC)))
def test_running_time_is_working_time(start) -> None:
    calendar, now = Calendar(time(9), time(18)), moscow("12.01.2027 11:17")
    assert Running(calendar, now).since(start) == minutes_between(calendar, start, now)
