"""The sweep over the deadlines of 10,000 open cases, and a change of the calendar under 100,000 running clocks."""

import itertools
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, insert, select, update

from benchmarks.figures import Figure, finish, header, p95, row
from models import Case, Clock, Source, utc_now
from models.database import Database, open_database
from services.accounts import create_staff
from services.notices import due_clocks, run_warn
from services.recount import ask_recount, run_recount
from services.rights import DESK
from services.schema import upgrade
from services.sla import reckon
from services.terms import Policy, build_policy, save_terms

OPEN, RUNNING, DUE = 10_000, 100_000, 300
CHUNK = 5_000
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
_keys = itertools.count(1)


def fill(database: Database, cases: int, started: Callable[[int], datetime]) -> None:
    """Open public questions of invented viewers, each with the two clocks that it has on a running desk."""
    policy = build_policy({})
    with database.write.begin() as session:
        if session.scalar(select(func.count()).select_from(Source)) == 0:
            session.add(Source(platform="wordpress", title="Блог", settings={}, every_seconds=60))
            create_staff(session, DESK, email="head@school.example", name="Марина Котова", roles=("head",))
            create_staff(session, DESK, email="smm@school.example", name="Дарья Лис", roles=("smm",))
        source_id = session.scalars(select(Source.id)).first()
    for first in range(0, cases, CHUNK):
        rows, clocks = [], []
        for number in range(first, min(first + CHUNK, cases)):
            key, at = next(_keys), started(number)
            rows.append(_case(key, source_id or 0, at))
            clocks += [_clock(policy, key, kind, at) for kind in ("first", "resolution")]
        with database.write.begin() as session:
            session.execute(insert(Case), rows)
            session.execute(insert(Clock), clocks)


def _case(key: int, source_id: int, at: datetime) -> dict[str, object]:
    return {
        "id": key, "number": f"ОБ-2026-{key:06d}", "state": "new", "stage": "new", "subject_key": str(key),
        "open_key": str(key), "source_id": source_id, "visibility": "public", "label": "question", "sure": True,
        "lift": "message", "opened_at": at, "last_message_at": at, "created_at": at, "due_at": at, "warn_at": at,
        "reopened": 0, "version": 1,
    }  # fmt: skip


def _clock(policy: Policy, key: int, kind: str, at: datetime) -> dict[str, object]:
    clock = Clock(
        case_id=key, kind=kind, sla_class="QPUB", calendar="desk", started_at=at, level=0, paused_seconds=0,
        term_seconds=(240 if kind == "first" else 1080) * 60,
    )  # fmt: skip
    reckon(policy, clock)
    names = (
        "case_id", "kind", "sla_class", "calendar", "started_at", "level", "paused_seconds", "term_seconds",
        "due_at", "warn_at", "next_at",
    )  # fmt: skip
    return {name: getattr(clock, name) for name in names}


def sweep(database: Database) -> list[float]:
    """Seconds to find what is due among all that run."""
    taken = []
    for _ in range(50):
        with database.read.begin() as session:
            began = time.perf_counter()
            found = due_clocks(session, utc_now())
            taken.append(time.perf_counter() - began)
            assert found
    return taken


def main() -> int:
    header()
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{Path(folder) / 'otklik.db'}")
        upgrade(database)
        fill(database, OPEN, lambda number: utc_now() - timedelta(minutes=number % 60))
        with database.write.begin() as session:
            session.execute(update(Clock).where(Clock.id <= DUE).values(next_at=utc_now() - timedelta(seconds=1)))
        found = sweep(database)
        row(f"find what is due among {OPEN} open cases", found)
        began = time.perf_counter()
        told = run_warn(database)
        warned = time.perf_counter() - began
        row(f"tell of {told} deadlines", [warned])
        fill(database, RUNNING // 2 - OPEN, lambda number: NOW - timedelta(minutes=number % 20_000))
        with database.write.begin() as session:
            save_terms(session, DESK, {"changes": {"2026-11-27": "off", "2026-11-12": "short"}})
            ask_recount(session, DESK)
            total = session.scalar(select(func.count()).select_from(Clock)) or 0
        began = time.perf_counter()
        moved = run_recount(database)
        recount = time.perf_counter() - began
        row(f"recount {total} clocks, {moved} moved", [recount])
        database.engine.dispose()
    return finish(
        [
            Figure("clocks.sweep.p95.ms", p95(found) * 1000, 200),
            Figure("clocks.warn.s", warned),
            Figure("clocks.recount.s", recount, 30),
        ]
    )
