"""«Состояние»: what the desk is doing at this moment, in numbers and codes; screen, metrics and doctor read it."""

import platform
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sqlalchemy import func, inspect, select, text
from sqlalchemy.orm import Session

from models import Act, Delivery, Message, RawItem, Source, utc_now
from models.database import sqlite_module
from services.health import Health, look
from services.leases import astray
from services.nightly import State as Backup
from services.nightly import backup_state
from services.outbox import UNPROVEN
from services.processes import Process, processes
from services.rights import Actor, require

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("flask", "sqlalchemy", "scikit-learn", "apscheduler", "httpx", "procrastinate", "gunicorn")
UNLABELLED = ("received", "unlabelled")


@dataclass(frozen=True, slots=True)
class Place:
    """A watched place: how far beyond its interval the last reading lies, and the code of what stops it."""

    platform: str
    title: str
    state: str
    lag: timedelta
    code: str | None


@dataclass(frozen=True, slots=True)
class Queue:
    """Jobs of a desk with workers: ``waiting`` for one, and how many ``workers`` are alive."""

    waiting: int
    workers: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """``acts`` and ``letters``: state → how many. ``unlabelled``: messages that wait, since ``oldest``."""

    at: datetime
    health: Health
    processes: tuple[Process, ...]
    queue: Queue | None
    acts: dict[str, int]
    letters: dict[str, int]
    unlabelled: int
    oldest: datetime | None
    quarantined: int
    places: tuple[Place, ...]
    backup: Backup
    astray: timedelta | None  # this machine's clock before the database's, where they are too far apart

    @property
    def lag(self) -> timedelta:
        """The worst of all places that are read."""
        return max((one.lag for one in self.places if one.state == "active"), default=timedelta(0))


def state_of(session: Session, actor: Actor, now: datetime | None = None) -> Snapshot:
    """For the administrator's screen."""
    require(actor, "settings.edit")
    return snapshot(session, now)


def snapshot(session: Session, now: datetime | None = None) -> Snapshot:
    """Everything at ``now``; titles of places are the only words that staff wrote."""
    now = now or utc_now()
    waits = select(func.count(), func.min(Message.ingested_at)).where(
        Message.work.in_(UNLABELLED), Message.direction == "in"
    )
    unlabelled, oldest = session.execute(waits).one()
    letters = select(Delivery.state, func.count()).where(Delivery.state.in_(("queued", "sending", "dead")))
    acts = select(Act.state, func.count()).where(Act.state.in_(UNPROVEN))
    quarantined = select(func.count()).select_from(RawItem).where(RawItem.state == "quarantined")
    watched = select(Source).where(Source.removed_at.is_(None)).order_by(Source.id)
    return Snapshot(
        at=now, health=look(session, now), processes=tuple(processes(session, now)), queue=_queue(session),
        acts={row[0]: row[1] for row in session.execute(acts.group_by(Act.state))},
        letters={row[0]: row[1] for row in session.execute(letters.group_by(Delivery.state))},
        unlabelled=unlabelled, oldest=oldest, quarantined=session.scalar(quarantined) or 0,
        places=tuple(_place(one, now) for one in session.scalars(watched)),
        backup=backup_state(session, now), astray=astray(session),
    )  # fmt: skip


def _place(source: Source, now: datetime) -> Place:
    due = (source.read_at or source.created_at) + timedelta(seconds=source.every_seconds)
    return Place(
        source.platform, source.title, source.state, max(timedelta(0), now - due), source.error_code
    )  # fmt: skip


def _queue(session: Session) -> Queue | None:
    connection = session.connection()
    if connection.dialect.name != "postgresql" or not inspect(connection).has_table("procrastinate_jobs"):
        return None
    from services.queue import count_waiting, count_workers

    return Queue(count_waiting(session), count_workers(session))


@cache
def own_version() -> str:
    """Of the program, as pyproject.toml beside it says."""
    import tomllib

    try:
        return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
    except (OSError, KeyError, ValueError):
        return "?"


def versions(session: Session) -> dict[str, str]:
    """What runs here: the program, Python, the database and the packages that matter."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        database = f"SQLite {sqlite_module().sqlite_version}"
    else:
        database = f"PostgreSQL {session.scalar(text('SHOW server_version'))}"
    found = {"otklik": own_version(), "python": platform.python_version(), "database": database}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
