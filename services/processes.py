"""Signs of life of the desk's processes, in rows that are forgotten when they stop coming."""

import os
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import Lease, utc_now
from models.database import Database
from services.leases import drop_lease, hold_lease

log = structlog.get_logger()
PREFIX = "process."
BEAT_SECONDS = 20.0
ALIVE_SECONDS = 60.0
SILENT_SECONDS = 2 * BEAT_SECONDS + 5
KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Process:
    """``kind``: all · web · scheduler · worker; ``name`` as ``own_name`` makes it."""

    kind: str
    name: str
    seen_at: datetime
    alive: bool

    @property
    def shown(self) -> str:
        """Host and number of the process, as people know it."""
        host, number = process_of(self.name)
        return f"{host}:{number.partition('.')[0]}"


def own_name() -> str:
    """«host:number.start» of this process; a start tells it from an earlier one of the same number, as the first
    process of every container has. Systems without /proc have no start."""
    number = os.getpid()
    return ".".join(filter(None, (f"{os.uname().nodename}:{number}", _life(number)[1])))


def process_of(holder: str) -> tuple[str, str]:
    """(host, number.start) of a holder; what stands behind is of a thread or a reading."""
    host, _, rest = holder.partition(":")
    return host, rest.partition(":")[0]


def is_gone(holder: str) -> bool:
    """True when ``holder`` was a process of this machine that does not run any more."""
    host, named = process_of(holder)
    number, _, start = named.partition(".")
    if host != os.uname().nodename or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # somebody else's by now, or ours under another user
    state, began = _life(int(number))
    return state == "Z" or bool(start and began and start != began)


def _life(number: int) -> tuple[str, str]:
    """State and start (in ticks since the machine's own) of a process, see proc(5); empty where nobody tells."""
    try:
        told = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "", ""
    return told[0], told[19]


def processes(session: Session, now: datetime | None = None) -> list[Process]:
    """All that gave a sign of life within KEPT, those that are alive first."""
    now = now or utc_now()
    rows = session.scalars(select(Lease).where(Lease.name.like(f"{PREFIX}%"), Lease.until > now - KEPT))
    found = [
        Process(row.name.removeprefix(PREFIX).split(".")[0], row.holder,
                row.until - timedelta(seconds=ALIVE_SECONDS), row.until > now)
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda one: (not one.alive, one.kind, one.name))


def silent(session: Session, now: datetime | None = None) -> set[str]:
    """Names of processes that have missed two signs of life: what they hold others may take. One that was only slow
    finds its lease gone at the next page, and leaves the rest to whoever has it."""
    now = now or utc_now()
    by_name: dict[str, datetime] = {}
    for one in processes(session, now):
        by_name[one.name] = max(one.seen_at, by_name.get(one.name, one.seen_at))
    return {name for name, seen_at in by_name.items() if now - seen_at > timedelta(seconds=SILENT_SECONDS)}


def note_alive(session: Session, kind: str, name: str) -> None:
    """A sign of life; what has been silent for KEPT is forgotten."""
    hold_lease(session, f"{PREFIX}{kind}.{name}", name, ALIVE_SECONDS)
    session.execute(delete(Lease).where(Lease.name.like(f"{PREFIX}%"), Lease.until < utc_now() - KEPT))


def run_alive(database: Database, kind: str, name: str, stop: threading.Event) -> None:
    """Gives signs of life until ``stop``, then says that it has ended."""
    while True:
        try:
            with database.write.begin() as session:
                note_alive(session, kind, name)
        except SQLAlchemyError:
            log.warning("alive.failed")
        if stop.wait(BEAT_SECONDS):
            break
    try:
        with database.write.begin() as session:
            drop_lease(session, f"{PREFIX}{kind}.{name}", name)
    except SQLAlchemyError:
        log.warning("alive.failed")
