"""A dead place: it holds nobody up, is told of once, and of no more when it is read again."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from benchmarks.limits import NoLimits
from bootstrap import Desk, Labeller
from collectors.base import ChannelError
from collectors.wire import Guard, Wire
from config import Config
from jobs import collect
from models import Event, Notice, Source, utc_now
from models.database import Database
from services.notices import count_notices, notices_of
from services.secrets import open_keyring
from services.silence import AFTER, KIND, run_warn_of_silence
from services.sources import record_failure, record_read
from tests.conftest import Cast

HANGS = ChannelError("ReadTimeout", code="network")
BROKEN = ChannelError("502", code="server")
WAIT = 0.7
"""Seconds after which a reader leaves a place that does not answer."""
WITHDRAWN = ChannelError("401", code="auth", permanent=True)


@pytest.fixture
def deaf() -> Iterator[int]:
    """Port of a server to which one can connect, and which says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield int(server.getsockname()[1])


def desk_of(database: Database, folder: Path, deaf: int) -> Desk:
    return Desk(
        config=Config(), mode="work", var=folder, database=database, keyring=open_keyring(folder / "key"),
        wire=Wire(Guard(allow_private=frozenset({f"127.0.0.1:{deaf}"})), read_timeout=WAIT),
        limiter=NoLimits(), labeller=Labeller(folder / "classifier", state="ready"),
        secret_key=b"a secret of the tests, thirty-two", name="test:1",
    )  # fmt: skip


def add_deaf(desk: Desk, deaf: int, count: int, failures: int) -> list[int]:
    settings = {"base_url": f"http://127.0.0.1:{deaf}/", "username": "desk"}
    with desk.database.write.begin() as session:
        places = [
            Source(
                platform="wordpress", title=f"Блог {n}", settings=settings, every_seconds=60, failures=failures,
                secrets=desk.keyring.seal({"password": "p"}),
            )
            for n in range(count)
        ]  # fmt: skip
        session.add_all(places)
        session.flush()
        return [place.id for place in places]


def failures_of(database: Database, ids: list[int]) -> list[int]:
    with database.read.begin() as session:
        return list(session.scalars(select(Source.failures).where(Source.id.in_(ids)).order_by(Source.id)))


def run_at_once(count: int, desk: Desk) -> float:
    """Seconds until the last of so many readers has come back."""
    began = time.monotonic()
    readers = [threading.Thread(target=collect, args=[desk]) for _ in range(count)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return time.monotonic() - began


def test_for_all_dead_places_one_reader_waits(database, tmp_path, deaf) -> None:
    desk = desk_of(database, tmp_path, deaf)
    ids = add_deaf(desk, deaf, 3, failures=1)
    took = run_at_once(4, desk)
    assert failures_of(database, ids) == [2, 2, 2]
    assert took >= 3 * WAIT  # one after another


def test_of_places_that_die_at_one_moment_no_more_are_waited_for_than_there_are_readers(
    database, tmp_path, deaf
) -> None:
    desk = desk_of(database, tmp_path, deaf)
    ids = add_deaf(desk, deaf, 8, failures=0)
    took = run_at_once(12, desk)
    assert failures_of(database, ids) == [1] * 8
    assert took >= 2 * WAIT  # four and four


def fail(database: Database, source_id: int, error: ChannelError, at: timedelta) -> None:
    with database.write.begin() as session:
        record_failure(session, source_id, error, utc_now() + at)


def told(database: Database) -> int:
    with database.read.begin() as session:
        return session.scalar(select(func.count(Notice.id)).where(Notice.kind == KIND)) or 0


def test_an_hour_of_any_errors_is_one_alert(cast: Cast, database) -> None:
    """Whoever may mend it hears once, though it hangs, breaks and hangs again; when it is read all is over."""
    now = utc_now()
    for minute in range(0, 60, 2):
        at = timedelta(minutes=minute)
        fail(database, cast.source_id, HANGS if minute % 4 else BROKEN, at)
        run_warn_of_silence(database, now + at)
        assert told(database) == (minute >= AFTER / timedelta(minutes=1))
    with database.read.begin() as session:
        assert [line.text for line in notices_of(session, cast.head, now + timedelta(days=1))] == ["Блог 1"]
        assert count_notices(session, cast.smm, now + timedelta(days=1)) == 0
        events = select(func.count(Event.id)).where(Event.kind == "source.failed")
        assert session.scalar(events) == 1
    with database.write.begin() as session:
        record_read(session, cast.source_id, deep=False, now=now + timedelta(hours=1))
    with database.read.begin() as session:
        assert count_notices(session, cast.head, now + timedelta(days=1)) == 0
    fail(database, cast.source_id, HANGS, timedelta(hours=5))
    assert run_warn_of_silence(database, now + timedelta(hours=5)) == 1
    assert told(database) == 2  # another trouble


def test_what_waiting_does_not_heal_is_told_at_once(cast: Cast, database) -> None:
    fail(database, cast.source_id, HANGS, timedelta(0))
    fail(database, cast.source_id, WITHDRAWN, timedelta(minutes=1))
    assert run_warn_of_silence(database) == 1
    assert run_warn_of_silence(database) == 0
    with database.read.begin() as session:
        kinds = select(Event.data).where(Event.kind == "source.failed").order_by(Event.id)
        assert [data["code"] for data in session.scalars(kinds)] == ["network", "auth"]


@pytest.mark.parametrize("code", ["quota", "rate"])
def test_what_the_platform_told_to_wait_for_is_no_alert(cast: Cast, database, code) -> None:
    fail(database, cast.source_id, ChannelError("later", code=code, retry_after=7200), timedelta(0))
    assert run_warn_of_silence(database, utc_now() + timedelta(hours=1)) == 0


def test_a_place_that_is_read_seldom_is_waited_for_longer(cast: Cast, database) -> None:
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).every_seconds = 3600
    fail(database, cast.source_id, HANGS, timedelta(0))
    assert run_warn_of_silence(database, utc_now() + timedelta(hours=2)) == 0
    assert run_warn_of_silence(database, utc_now() + timedelta(hours=4)) == 1
