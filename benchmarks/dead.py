"""`bench dead`: places die for an hour, hanging and then refusing, and the lag of all others is compared.

Twice the same hour with the desk's own scheduler (on PostgreSQL with a worker too) over the sandbox's wire: once
with a place that is well, once with it dead. Every pause of the desk is shorter by a factor, so that an hour takes
minutes; times are told in the desk's seconds. The lag of a message: from when it was written until it stood here.
OTKLIK_BENCH_DEAD: places that die, factor and minutes: «1 20 60», where the first word may also name their kinds,
«wordpress,vk,youtube 20 60»; OTKLIK_BENCH_DATABASES the databases.
"""

import contextlib
import logging
import os
import random
import socket
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select

import scheduler
from benchmarks.figures import Figure, finish, header, p95
from benchmarks.limits import NoLimits
from benchmarks.storm import fresh_databases
from bootstrap import Desk, Labeller
from collectors import transport, wire
from collectors.base import Channel
from collectors.wire import Guard, Wire
from config import Config
from models import Event, Message, Notice, Source, utc_now
from models.database import Database, open_database
from sandbox import keys, school
from services import silence, sources
from services.accounts import create_staff, seed_departments
from services.rights import DESK
from services.secrets import open_keyring
from services.sources import add_source
from tests.sandbox.running import Running
from worker import run_worker

LIVING = ("youtube", "vk", "telegram", "ok", "max", "wordpress")
MORTAL = "wordpress"
EVERY = 60
TALK_EVERY = 5.0
"""The desk's seconds between two messages, each at another place."""


PAUSES = (
    (scheduler, "SCHEDULE"), (sources, "BACKOFF_SECONDS"), (wire, "CONNECT_SECONDS"), (transport, "REST_SECONDS"),
    (silence, "AFTER"),
)  # fmt: skip


class Mortal:
    """The sandbox by another door, which can be shut: connections hang without a word, or are refused."""

    def __init__(self, url: str) -> None:
        self._to = httpx.URL(url)
        self.hangs = False
        self._server: socket.socket | None = None
        self._lines: set[socket.socket] = set()
        self.port = 0
        self.open()

    def open(self) -> None:
        self._server = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._serve, args=[self._server], daemon=True).start()

    def refuse(self) -> None:
        if self._server is not None:
            self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
        self._server = None
        for line in list(self._lines):
            line.close()

    def _serve(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _address = server.accept()
                self._lines.add(line)
                if not self.hangs:
                    threading.Thread(target=self._join, args=[line], daemon=True).start()

    def _join(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError), socket.create_connection((self._to.host, self._to.port or 80)) as other:
            threading.Thread(target=_pump, args=[other, line], daemon=True).start()
            _pump(line, other)


def _pump(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def hurried(speed: float) -> Iterator[None]:
    """Every pause of reading is ``speed`` times shorter."""
    kept = [(module, name, getattr(module, name)) for module, name in PAUSES]
    quick = {"collect", "renew"}
    scheduler.SCHEDULE = tuple(
        (name, each / speed if name in quick else each, most) for name, each, most in scheduler.SCHEDULE
    )
    sources.BACKOFF_SECONDS = tuple(one / speed for one in sources.BACKOFF_SECONDS)  # type: ignore[assignment]
    for module, name in PAUSES[2:]:
        setattr(module, name, getattr(module, name) / speed)
    try:
        yield
    finally:
        for module, name, value in kept:
            setattr(module, name, value)


class Hour:
    """One hour of a desk; its places of the kinds ``dead`` die at its beginning and come back at its end."""

    def __init__(self, database: Database, folder: Path, dead: Sequence[str], speed: float, minutes: float) -> None:
        self.database, self.speed, self.minutes, self.dead = database, speed, minutes, dead
        self.running = Running(folder / "platforms", "--no-trickle", "--no-rate-limits")
        self.door = Mortal(self.running.url)
        hosts = {self.running.url.removeprefix("http://"), f"127.0.0.1:{self.door.port}"}
        self.desk = Desk(
            config=Config(), mode="work", var=folder, database=database, keyring=open_keyring(folder / "key"),
            wire=Wire(Guard(allow_private=frozenset(hosts)), read_timeout=wire.READ_SECONDS / speed),
            limiter=NoLimits(), labeller=Labeller(folder / "classifier", state="ready"),  # type: ignore[arg-type]
            secret_key=b"a secret of the bench, thirty-two", name=f"{os.uname().nodename}:{os.getpid()}",
        )  # fmt: skip
        self._counts = False
        self.begun: dict[int, list[float]] = defaultdict(list)
        self.written: dict[str, float] = {}
        places = [one for one in school.publications() if one.open and one.kind != "dialog"]
        self.publications = {one.platform: f"{one.kind}:{one.id}" for one in places}
        self._places()

    def _places(self) -> None:
        with self.database.write.begin() as session:
            seed_departments(session)
            create_staff(session, DESK, email="head@school.example", name="Марина", roles=("administrator",))
            given = {one["platform"]: one for one in keys.sources(self.running.url)}
            mortal = {one["platform"]: one for one in keys.sources(f"http://127.0.0.1:{self.door.port}")}
            rows = [self._add(session, given[kind]) for kind in LIVING]
            rows += [self._add(session, mortal[kind]) for kind in self.dead]
            ids = [row.id for row in rows]
        self.living, self.mortal = ids[: len(LIVING)], ids[len(LIVING) :]
        seconds = max(1, round(EVERY / self.speed))
        with self.database.write.begin() as session:
            for row in session.scalars(select(Source)):
                row.every_seconds = seconds

    def _add(self, session: Any, place: dict[str, Any]) -> Source:
        values = {**place["settings"], **place["secrets"]}
        return add_source(
            session, DESK, self.desk.keyring, platform=place["platform"], title=place["title"], values=values
        )

    def live(self, *, dies: bool, with_worker: bool) -> dict[str, float]:
        opened = self.desk.open_channel

        def noted(source: Source) -> Channel:
            late = (utc_now() - min(source.due_at, source.deep_due_at)).total_seconds() * self.speed
            if self._counts and late >= 0:  # a look for broadcasts opens a channel too
                self.begun[source.id].append(late)
            return opened(source)

        self.desk.open_channel = noted  # type: ignore[method-assign]
        stop = threading.Event()
        worker = threading.Thread(
            target=run_worker, args=[self.desk], kwargs={"concurrency": 6, "stop": stop}, daemon=True
        )
        if with_worker:
            worker.start()
            time.sleep(3)
        clock = scheduler.Scheduler(self.desk)
        clock.start()
        try:
            self._until_filled()
            self._counts = True
            self.door.hangs = dies
            self._talk(self.minutes * 30)
            if dies:
                self.door.refuse()
            self._talk(self.minutes * 30)
            self._counts = False
            told = self._told()
            time.sleep(2 * EVERY / self.speed)  # what was said last comes with the next reading
            if dies:
                self.door.hangs = False
                self.door.open()
            back = self._until_back() if dies else 0.0
        finally:
            clock.stop()
            stop.set()
            if with_worker:
                worker.join()
            self.running.close()
        return {**self._lags(), **told, "back": back}

    def _until_filled(self) -> None:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with self.database.read.begin() as session:
                left = session.scalar(
                    select(func.count()).where(Source.backfilled_at.is_(None)).select_from(Source)
                )
            if not left:
                return
            time.sleep(0.2)
        raise RuntimeError("the first reading did not come to its end")

    def _talk(self, seconds: float) -> None:
        """Somebody says something every TALK_EVERY seconds at each place in turn, for ``seconds`` of the desk's."""
        rolled, began = random.Random(len(self.written)), time.monotonic()
        at = 0.0
        while at < seconds:
            at += rolled.uniform(0.5, 1.5) * TALK_EVERY
            time.sleep(max(0.0, began + at / self.speed - time.monotonic()))
            kind = LIVING[len(self.written) % len(LIVING)]
            text = f"вопрос {len(self.written)}?"
            self.running.says(kind, self.publications[kind], text)
            self.written[text] = time.time()

    def _told(self) -> dict[str, float]:
        with self.database.read.begin() as session:
            notices = session.scalar(select(func.count(Notice.id)).where(Notice.source_id.in_(self.mortal)))
            failed = select(func.count(Event.id)).where(Event.kind == "source.failed")
            return {"notices": float(notices or 0), "events": float(session.scalar(failed) or 0)}

    def _until_back(self) -> float:
        """The desk's minutes until every place that died is read again."""
        began = time.monotonic()
        while time.monotonic() < began + 3600 / self.speed:
            with self.database.read.begin() as session:
                failing = select(func.count()).select_from(Source).where(Source.failures > 0)
                if not session.scalar(failing):
                    return (time.monotonic() - began) * self.speed / 60
            time.sleep(0.1)
        return float("inf")

    def _lags(self) -> dict[str, float]:
        with self.database.read.begin() as session:
            rows = select(Message.text, Message.ingested_at).where(
                Message.source_id.in_(self.living), Message.text.in_(list(self.written))
            )
            came = {text: at.timestamp() for text, at in session.execute(rows)}
        lags = [(came[text] - at) * self.speed for text, at in self.written.items() if text in came]
        starts = [late for one in self.living for late in self.begun[one]]
        return {
            "lag": statistics.mean(lags), "lag_p95": p95(lags), "start": statistics.mean(starts),
            "start_p95": p95(starts), "messages": float(len(lags)), "lost": float(len(self.written) - len(lags)),
            "readings": float(len(starts)),
        }  # fmt: skip


def measure(name: str, dead: Sequence[str], speed: float, minutes: float) -> list[Figure]:
    hours = {}
    with fresh_databases(name) as make, hurried(speed):
        for what in ("well", "dead"):
            with tempfile.TemporaryDirectory(prefix="otklik-dead-") as folder:
                database = open_database(make())
                hour = Hour(database, Path(folder), dead, speed, minutes)
                hours[what] = hour.live(dies=what == "dead", with_worker=name == "postgresql")
                database.engine.dispose()
            told = "  ".join(f"{key} {value:.1f}" for key, value in hours[what].items())
            print(f"{name} {' '.join(dead)} {what}: {told}", flush=True)
    well, ill = hours["well"], hours["dead"]
    of = f"dead.{name}.{len(dead)}"
    return [
        Figure(f"{of}.lag_growth", ill["lag"] / well["lag"], 1.1),
        Figure(f"{of}.lag_p95_growth", ill["lag_p95"] / well["lag_p95"], 1.1),
        Figure(f"{of}.start_late_seconds_more", ill["start"] - well["start"]),
        Figure(f"{of}.lost", ill["lost"] + well["lost"], 0),
        Figure(f"{of}.notices_a_place", ill["notices"] / len(dead), 1),
        Figure(f"{of}.notices_a_place", ill["notices"] / len(dead), 1, at_least=True),
        Figure(f"{of}.events_a_place", ill["events"] / len(dead), 1),
        Figure(f"{of}.minutes_until_back", ill["back"]),
    ]


def main() -> int:
    header()
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # that a hurried clock skips a tick is no news
    which, speed, minutes = os.environ.get("OTKLIK_BENCH_DEAD", "1 20 60").split()
    dead = [MORTAL] * int(which) if which.isdecimal() else which.split(",")
    figures: list[Figure] = []
    for name in os.environ.get("OTKLIK_BENCH_DATABASES", "sqlite postgresql").split():
        figures += measure(name, dead, float(speed), float(minutes))
    return finish(figures)
