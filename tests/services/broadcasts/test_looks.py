"""Looking out for broadcasts: once a pause, side by side, and a platform that hangs holds up no other."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

import jobs
from benchmarks.limits import NoLimits
from bootstrap import Desk, Labeller
from collectors.base import ChannelError
from collectors.wire import Guard, Wire
from config import Config
from models import Broadcast, BroadcastPlace, Lease, Source, utc_now
from models.database import Database
from sandbox import keys
from services.broadcasts import looks
from services.broadcasts.looks import run_looks
from services.secrets import open_keyring
from tests.sandbox.running import Running
from tests.services.broadcasts.test_chats import airing, source_id, take

__all__ = ["source_id"]
WAIT = 2.5
"""Seconds after which a look at a platform that says nothing ends."""


def test_platforms_are_asked_for_broadcasts_once_a_pause(database, source_id, tube, on_tube, monkeypatch) -> None:
    tube.found = [airing()]
    monkeypatch.setattr(
        looks, "channel_class", lambda kind: type("T", (), {"can": type("C", (), {"chat": kind == "room"})})
    )
    assert run_looks(database, on_tube, "t") == 1
    assert run_looks(database, on_tube, "t") == 0
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Broadcast)) == 1
        assert session.get_one(Source, source_id).state == "active"


def test_a_dropped_stream_is_looked_out_for_often_and_one_that_is_gone_seldom(database, source_id) -> None:
    def pause(ended: timedelta | None) -> float:
        with database.write.begin() as session:
            one = session.scalars(select(BroadcastPlace)).one()
            one.ended_at = None if ended is None else utc_now() - ended
            return looks.LOOK_SECONDS[looks._how_near(session, source_id, utc_now())]

    with database.read.begin() as session:
        assert looks._how_near(session, source_id, utc_now()) == "idle"
    take(database, source_id, airing(state="planned", starts_at=utc_now() + timedelta(minutes=10)))
    assert pause(None) == 60
    take(database, source_id, airing())
    gone = [timedelta(seconds=20), timedelta(minutes=20), timedelta(hours=1)]
    assert [pause(None), *(pause(one) for one in gone)] == [300, 15, 60, 300]


def test_one_that_breaks_stops_nobody(cast, database, source_id, tube, on_tube, monkeypatch) -> None:
    """A mistake of ours at one place is that place's alone, and it is asked again after its pause."""
    tube.found = [airing()]
    monkeypatch.setattr(
        looks, "channel_class", lambda kind: type("T", (), {"can": type("C", (), {"chat": kind == "room"})})
    )
    with database.write.begin() as session:
        second = cast.add_source(session, "room", secret="").id

    def opened(source: Source):
        if source.id == source_id:
            raise KeyError("oh")
        return on_tube(source)

    assert run_looks(database, opened, "t") == 1
    with database.read.begin() as session:
        until = session.scalars(select(Lease.until).where(Lease.name.like("airings:%"))).all()
    assert len(until) == 2
    assert all(timedelta(seconds=800) < one - utc_now() <= timedelta(seconds=900) for one in until)
    assert second


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Iterator[Desk]:
    """Three channels of YouTube: two by a server that takes calls and says nothing, then one that is well."""
    platforms = Running(tmp_path / "platforms", "--no-trickle", "--no-rate-limits")
    with socket.create_server(("127.0.0.1", 0), backlog=64) as deaf:
        silent = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        hosts = {silent.removeprefix("http://"), platforms.url.removeprefix("http://")}
        made = Desk(
            config=Config(), mode="work", var=tmp_path, database=database, keyring=open_keyring(tmp_path / "key"),
            wire=Wire(Guard(allow_private=frozenset(hosts)), read_timeout=WAIT), limiter=NoLimits(),
            labeller=Labeller(tmp_path / "classifier", state="ready"),
            secret_key=b"a secret of the tests, thirty-two", name="test:1",
        )  # fmt: skip
        with database.write.begin() as session:
            for url in (silent, silent, platforms.url):
                [given] = [one for one in keys.sources(url) if one["platform"] == "youtube"]
                session.add(
                    Source(
                        platform="youtube", title=given["title"], settings=given["settings"], every_seconds=60,
                        secrets=made.keyring.seal(given["secrets"]),
                    )
                )  # fmt: skip
        yield made
        platforms.close()


def found(database: Database) -> int:
    with database.read.begin() as session:
        return session.scalar(select(func.count()).select_from(BroadcastPlace)) or 0


def again(database: Database) -> None:
    """The pauses of all places are over."""
    with database.write.begin() as session:
        for lease in session.scalars(select(Lease).where(Lease.name.like("airings:%"))):
            lease.until = utc_now() - timedelta(seconds=1)


def noted(desk: Desk) -> list[tuple[str, int]]:
    """(begins or ends, place) of every look from now on, in the order of time."""
    said: list[tuple[str, int]] = []
    opened = desk.open_channel

    def open_channel(source: Source):
        channel = opened(source)
        airings = channel.airings

        def asked(known):
            said.append(("begins", source.id))
            try:
                return airings(known)
            finally:
                said.append(("ends", source.id))

        channel.airings = asked  # type: ignore[method-assign, assignment]
        return channel

    desk.open_channel = open_channel  # type: ignore[method-assign]
    return said


def test_a_platform_that_hangs_holds_up_no_other(database, desk) -> None:
    """The first time as many hang as there are lookers; from then on one waits for all that did."""
    with database.read.begin() as session:
        first, second, living = session.scalars(
            select(Source.id).where(Source.platform == "youtube").order_by(Source.id)
        )
    said = noted(desk)
    lookers = [threading.Thread(target=jobs.looks, args=[desk]) for _ in range(4)]
    for one in lookers:
        one.start()
    for one in lookers:
        one.join()
    assert set(said[:2]) == {("begins", first), ("begins", second)}  # side by side
    assert sorted(said[2:5])[0] == ("begins", living)
    assert found(database) > 0

    again(database)
    said.clear()
    patient = threading.Thread(target=jobs.looks, args=[desk])
    patient.start()
    while len(said) < 3:
        time.sleep(0.01)
    assert said[:3] == [("begins", living), ("ends", living), ("begins", first)]
    jobs.looks(desk)  # the living one has its pause, and for the dead ones somebody waits
    assert said[3:] == []
    patient.join()
    assert said[3:] == [("ends", first), ("begins", second), ("ends", second)]


def test_while_a_place_is_asked_nobody_else_asks_it(database, source_id, tube, monkeypatch) -> None:
    """Also when its platform takes longer to answer than the pause between two looks."""
    monkeypatch.setattr(
        looks, "channel_class", lambda kind: type("T", (), {"can": type("C", (), {"chat": kind == "room"})})
    )
    asked, go_on = [], threading.Event()

    def opened(source: Source):
        asked.append(source.id)
        go_on.wait(10)
        raise ChannelError("late", code="network")

    first = threading.Thread(target=run_looks, args=(database, opened, "t", 0.05))
    first.start()
    while not asked:
        time.sleep(0.01)
    time.sleep(0.1)
    run_looks(database, opened, "u", 0.05)
    go_on.set()
    first.join()
    assert asked == [source_id]
    run_looks(database, opened, "u", 0.05)
    assert asked == [source_id] * 2
