"""Terms of what was asked on air: ten minutes while it lasts, ordinary ones for what outlives it (LIVE)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models import Broadcast, Case, Clock, Setting, Source
from services.broadcasts.airing import end
from services.broadcasts.questions import ask
from services.broadcasts.wrapping import run_wraps
from services.rights import DESK
from tests.services.broadcasts.conftest import START


@pytest.fixture(params=["small", "regulation"])
def preset(request, air, database):
    with database.write.begin() as session:
        session.add(Setting(name="sla", value={"preset": request.param}))
        source = session.get_one(Source, air.source_id)
        source.created_at = source.backfilled_at = START - timedelta(days=1)
    return request.param


def clocks(database, case_id):
    with database.read.begin() as session:
        rows = session.scalars(select(Clock).where(Clock.case_id == case_id, Clock.done_at.is_(None)))
        return {clock.kind: (clock.sla_class, clock.calendar, clock.term_seconds // 60) for clock in rows}


def test_a_question_on_air_has_ten_minutes_and_its_department_five(air, database, preset) -> None:
    asked = air.ask(second=60)
    with database.write.begin() as session:
        question = ask(session, air.cast.smm, asked, air.cast.departments["curators"], "Когда?")
        case_id = question.case_id
    assert clocks(database, case_id) == {"first": ("LIVE", "always", 10), "department": ("LIVE", "always", 5)}
    with database.read.begin() as session:
        first = session.scalars(select(Clock).where(Clock.case_id == case_id, Clock.kind == "first")).one()
        assert first.due_at == START + timedelta(seconds=60, minutes=10)

    with database.write.begin() as session:
        end(session, DESK, session.get_one(Broadcast, air.id), START + timedelta(minutes=50))
    run_wraps(database, START + timedelta(minutes=51))
    left = clocks(database, case_id)
    assert left["first"][0] == left["resolution"][0] == "QPRV"
    with database.read.begin() as session:
        assert session.get_one(Case, case_id).due_at is not None


def test_what_is_carried_over_is_a_private_question(air, database, preset) -> None:
    air.ask(second=60)
    with database.write.begin() as session:
        end(session, DESK, session.get_one(Broadcast, air.id), START + timedelta(minutes=50))
    run_wraps(database, START + timedelta(minutes=51))
    with database.read.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
    assert {name: one[0] for name, one in clocks(database, case_id).items()} == {
        "first": "QPRV",
        "resolution": "QPRV",
    }
