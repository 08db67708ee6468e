"""What the database undoes or interrupts is done again, and neither a place, nor a raw, nor an act pays for it."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import respx
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

import jobs
from benchmarks import storm
from collectors import CHANNELS
from collectors.base import Raw
from jobs import run_job
from models import Act, RawItem, Source, Staff
from models.database import Database
from services.again import is_passing, is_undone, run_again
from services.intake import run_collect, run_parse, store_raws
from services.sending import run_outbox
from tests.conftest import _postgres
from tests.platforms import Meeting, meeting
from tests.services.test_intake import Parser

BASE = "http://platform.example"
UNDONE, AWAY = "40P01", "57P01"


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    yield from _postgres(request)


@pytest.fixture
def met(database, tmp_path) -> Iterator[Meeting]:
    with meeting(database, tmp_path / "platforms") as found:
        yield found


@pytest.mark.parametrize("state", [UNDONE, AWAY])
def test_a_transaction_is_done_again_and_a_mistake_of_ours_is_not(database, trouble, state) -> None:
    tries = []

    def act(session) -> int:
        tries.append(1)
        return len(session.scalars(select(Staff.id)).all())

    trouble("SELECT staff.id", state, 2)
    assert run_again(database, act, (0, 0)) == 0
    assert len(tries) == 3
    with pytest.raises(ProgrammingError):
        run_again(database, lambda session: session.execute(text("SELECT nothing")), (60,))
    trouble("SELECT staff.id", state, 1)
    with pytest.raises(DBAPIError) as told:
        run_again(database, act, ())
    assert (is_passing(told.value), is_undone(told.value)) == (True, state == UNDONE)


def test_a_server_that_is_not_there_is_no_mistake_of_ours(database) -> None:
    from models.database import open_database

    nobody = open_database("postgresql+psycopg://otklik@127.0.0.1:1/otklik")
    with pytest.raises(DBAPIError) as told, nobody.read.begin() as session:
        session.scalar(select(1))
    assert is_passing(told.value)
    assert not is_passing(ValueError("x"))


@pytest.mark.parametrize("state", [UNDONE, AWAY])
def test_a_place_is_not_blamed(met, trouble, state) -> None:
    source_id = met.sources["wordpress"]
    trouble("UPDATE source SET cursor", state)
    with pytest.raises(DBAPIError):
        run_collect(met.database, source_id, met.open_channel, "one:1")
    with met.database.read.begin() as session:
        source = session.get_one(Source, source_id)
        assert (source.lease_holder, source.failures, source.error_code) == (None, 0, None)
    assert run_collect(met.database, source_id, met.open_channel, "two:2") > 0


@pytest.mark.parametrize("state", [UNDONE, AWAY])
def test_a_raw_does_not_go_to_quarantine(cast, database, trouble, state) -> None:
    parser = Parser()
    parser.may_go.set()
    with database.write.begin() as session:
        store_raws(session, cast.source_id, (Raw("comment", "17", "r1", b"{}"),))
    trouble("UPDATE raw_item SET state", state, 4)  # one more than a raw has tries
    run_parse(database, cast.source_id, parser)
    with database.read.begin() as session:
        row = session.scalars(select(RawItem)).one()
        assert (row.state, row.attempts, row.error) == ("parsed", 0, None)
    assert parser.seen == ["r1"] * 5


@pytest.mark.parametrize("state", [UNDONE, AWAY])
def test_what_came_of_a_call_is_written_down_when_the_database_is_back(database, trouble, state) -> None:
    storm.register()
    place = storm.add_places(database, "none", BASE)[0]  # no list: an unknown outcome is asked of a person
    storm.add_acts(database, [place], 3)
    with respx.mock(base_url=BASE) as router:

        def take(_request: httpx.Request) -> httpx.Response:
            if router.calls.call_count == 0:
                trouble("UPDATE act SET state", state)
            return httpx.Response(200, json={"id": f"{router.calls.call_count}"})

        posts = router.post("/posts").mock(side_effect=take)
        run_outbox(database, storm.open_channel)
        assert posts.call_count == 3
    with database.read.begin() as session:
        assert session.scalars(select(Act.state)).all() == ["accepted"] * 3
    for name in [name for name in CHANNELS if name.startswith("storm_")]:
        del CHANNELS[name]


def test_a_job_that_was_undone_is_done_at_once(database, trouble, monkeypatch) -> None:
    done = []

    def work(desk: Any) -> None:
        with desk.database.write.begin() as session:
            session.scalars(select(Staff.id)).all()
        done.append(1)

    monkeypatch.setitem(jobs.JOBS, "wake", work)
    desk: Any = SimpleNamespace(database=database, room=SimpleNamespace(is_full=lambda: False))
    trouble("SELECT staff.id", UNDONE, 2)
    run_job(desk, "wake")
    assert done == [1]
    trouble("SELECT staff.id", AWAY)
    run_job(desk, "wake")  # the clock asks again, when the database is back
    assert done == [1]
