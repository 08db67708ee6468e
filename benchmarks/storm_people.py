"""Many at the same moment: two people on one case, one form pressed fifty times, two desks, a frozen sender."""

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import select

from benchmarks import storm
from benchmarks.children import child
from benchmarks.figures import Figure
from benchmarks.pieces import Pieces
from benchmarks.storm_channel import register
from collectors.base import Incoming, Person
from models import Case
from models.database import Database, open_database, sqlite_module
from services import outbox, sending
from services.accounts import create_staff
from services.errors import Stale
from services.messages import store_messages
from services.replies import write_reply
from services.rights import DESK, Actor, actor_of
from services.sending import Lanes, run_outbox

PEOPLE = ("Дарья Лис", "Марина Котова")
LEASE = 0.4
"""Seconds, for the sender that is frozen: half a minute of a hundred would be waited for each time."""


def _open(make: Callable[[], str], platform: str, kind: str = "none") -> tuple[Database, int, list[Actor]]:
    """A desk with a case that waits for an answer, and two people."""
    register()
    database = open_database(make())
    [place] = storm.add_places(database, kind, platform)
    with database.write.begin() as session:
        staff = [
            create_staff(session, DESK, email=f"p{number}@school.example", name=name, roles=("smm",))
            for number, name in enumerate(PEOPLE)
        ]
        people = [actor_of(one) for one in staff]
        said = Incoming("c", "p1", "Когда вебинар?", datetime.now(UTC), Person("a-1", "Анна Яр"))
        store_messages(session, place, f"storm_{kind}", [said])
    with database.read.begin() as session:
        return database, session.scalars(select(Case.id)).one(), people


def operators(make: Callable[[], str], rounds: int) -> tuple[int, int, int]:
    """Both answer the same version of the case at the same moment, ``rounds`` times.

    Returns how many were taken, how many were told that the case has changed, and how many posts stand there.
    """
    with storm.liar(honest=True) as platform:
        database, case_id, people = _open(make, platform)
        barrier = threading.Barrier(len(people), timeout=60)

        def answer(who: int) -> tuple[int, int]:
            taken = told = 0
            for number in range(rounds):
                with database.read.begin() as session:
                    version = session.get_one(Case, case_id).version
                barrier.wait()
                try:
                    with database.write.begin() as session:
                        write_reply(
                            session, people[who], case_id, f"Ответ {number}-{who}", f"f{number}-{who}",
                            version=version, undo_seconds=0, then="keep",
                        )  # fmt: skip
                    taken += 1
                except Stale:
                    told += 1
                barrier.wait()
            return taken, told

        with ThreadPoolExecutor(len(people)) as pool:
            counts = list(pool.map(answer, range(len(people))))
        run_outbox(database, storm.open_channel)
        posts = storm.judge(database, platform)
        database.engine.dispose()
    if posts.lost or posts.doubled:
        raise RuntimeError(str(posts))
    return sum(one[0] for one in counts), sum(one[1] for one in counts), posts.acts


def submits(make: Callable[[], str], presses: int = 50) -> int:
    """One form pressed by many threads at once: how many posts stand there."""
    with storm.liar(honest=True) as platform:
        database, case_id, people = _open(make, platform)

        def press(_: int) -> None:
            with database.write.begin() as session:
                write_reply(session, people[0], case_id, "В среду", "one form", undo_seconds=0)

        with ThreadPoolExecutor(presses) as pool:
            list(pool.map(press, range(presses)))
        run_outbox(database, storm.open_channel)
        posts = storm.judge(database, platform)
        database.engine.dispose()
    return posts.acts + posts.doubled + posts.lost


def two_desks(make: Callable[[], str], count: int) -> storm.Outcome:
    """Two processes, each starting lanes twenty times a second, over ``count`` acts of three places."""
    register()
    with storm.liar(honest=True) as platform:
        database = open_database(make())
        storm.add_acts(database, storm.add_places(database, "none", platform, 3), count)
        database.engine.dispose()
        tick = partial(_tick, _address(database))
        with child(tick), child(tick):
            until = time.monotonic() + 120
            while storm.judge(database, platform).lost and time.monotonic() < until:
                time.sleep(0.1)
        told = storm.judge(database, platform)
        database.engine.dispose()
    return told


def _tick(address: str) -> None:
    lanes = Lanes(open_database(address), storm.open_channel)
    while True:
        lanes.start()
        time.sleep(0.05)


def frozen(make: Callable[[], str], kind: str, times: int, seed: int = storm.SEED) -> storm.Outcome:
    """A sender is stopped at a random moment for longer than its lease; another goes on; then the first wakes up.

    One that is stopped while it writes to SQLite holds up every other writer, so that there is nobody to fence.
    """
    register()
    rolled = random.Random(seed)
    lease = outbox.LEASE_SECONDS
    _set_lease(LEASE)
    try:
        with storm.liar(seed, honest=True) as platform:
            database = open_database(make())
            places = storm.add_places(database, kind, platform)
            address = _address(database)
            for _ in range(times):
                storm.add_acts(database, places, 3)
                database.engine.dispose()
                with child(partial(storm.worker, address)) as sender:
                    time.sleep(rolled.uniform(0, storm.LONGEST))
                    os.kill(sender, signal.SIGSTOP)
                    time.sleep(LEASE * 1.2)
                    if _is_free(database):
                        run_outbox(database, storm.open_channel)
                    os.kill(sender, signal.SIGCONT)
                    time.sleep(0.05)
            storm.calm(database)
            told = storm.judge(database, platform, times)
            database.engine.dispose()
    finally:
        _set_lease(lease)
    return told


def _set_lease(seconds: float) -> None:
    for module in (outbox, sending):
        vars(module)["LEASE_SECONDS"] = seconds


def _is_free(database: Database) -> bool:
    """Whether anybody may write now."""
    if not database.is_sqlite:
        return True
    with contextlib.closing(sqlite_module().connect(database.engine.url.database, timeout=0.05)) as raw:
        try:
            raw.execute("BEGIN IMMEDIATE")
        except sqlite_module().OperationalError:
            return False
        raw.rollback()
    return True


def _address(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def of_people(pieces: Pieces, make: Callable[[], str], database: str, rounds: int = 500) -> Iterator[Figure]:
    """The figures of this file; ``rounds``: of two people on one case."""
    name = f"storm.{database}"
    told = pieces.get(f"{database}.operators.{rounds}", lambda: operators(make, rounds))
    if told:
        print(f"{database:10} 2 × {rounds} people: taken {told[0]}, told {told[1]}, posts {told[2]}", flush=True)
        yield Figure(f"{name}.operators_taken", told[0], rounds)
        yield Figure(f"{name}.operators_posts", told[2], rounds)
    told = pieces.get(f"{database}.submits", lambda: submits(make))
    if told:
        yield Figure(f"{name}.posts_of_fifty_submits", told, 1)
    told = pieces.get(f"{database}.desks", lambda: two_desks(make, 600))
    if told:
        print(f"{database:10} two desks {told}", flush=True)
        yield Figure(f"{name}.two_desks_doubled", told["doubled"], 0)
        yield Figure(f"{name}.two_desks_lost", told["lost"], 0)
    for kind in ("token", "list", "both", "none"):
        told = pieces.get(f"{database}.frozen.{kind}", partial(frozen, make, kind, 50))
        if told:
            print(f"{database:10} frozen {kind:6} {told}", flush=True)
            yield Figure(f"{name}.frozen_{kind}_doubled", told["doubled"], 0)
            yield Figure(f"{name}.frozen_{kind}_lost", told["lost"], 0)
