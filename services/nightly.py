"""The nightly backup: when it is due, which archives are kept, and whether the last good one is too old."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Event, Notice, Setting, Staff, utc_now
from models.database import Database
from services.errors import DeskError
from services.events import record
from services.rights import DESK, actor_of
from services.terms import policy_of

log = structlog.get_logger()
NAME = "backup"
LATE = timedelta(hours=26)
"""A night and two hours: after that the head is told."""
AGAIN = timedelta(hours=1)
"""After a failure it is tried again so much later."""
KIND = "backup.late"


@dataclass(frozen=True, slots=True)
class Rule:
    """How many days, weeks and months each keep their newest archive; at ``hour`` of the local day one is made."""

    daily: int = 7
    weekly: int = 4
    monthly: int = 6
    hour: int = 3


@dataclass(frozen=True, slots=True)
class State:
    """``at``: when the last good one was made. ``late``: it is older than LATE, or a desk of that age has none."""

    at: datetime | None
    file: str
    size: int
    seconds: float
    failed_at: datetime | None
    error: str
    late: bool


def backup_state(session: Session, now: datetime | None = None) -> State:
    """What is known of the backups of this desk."""
    now = now or utc_now()
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    value = row.value if row else {}
    at, failed = _time(value.get("at")), _time(value.get("failed_at"))
    since = at or session.scalar(select(Event.at).order_by(Event.id).limit(1)) or now
    return State(
        at, str(value.get("file", "")), int(value.get("size", 0)), float(value.get("seconds", 0)), failed,
        str(value.get("error", "")), now - since > LATE,
    )  # fmt: skip


def _time(value: object) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def is_due(state: State, rule: Rule, zone: str, now: datetime) -> bool:
    """Once in each local day from the hour on; an hour after a failure again."""
    local = now.astimezone(ZoneInfo(zone))
    slot = local.replace(hour=rule.hour, minute=0, second=0, microsecond=0)
    if local < slot:
        slot -= timedelta(days=1)
    if state.failed_at is not None and now - state.failed_at < AGAIN:
        return False
    return state.at is None or state.at < slot


def kept(paths: Iterable[Path], rule: Rule, zone: str) -> set[Path]:
    """The newest of each of the last days, weeks and months that have one; always the newest of all."""
    rows = sorted(((_made(path), path) for path in paths), reverse=True)
    local = [(at.astimezone(ZoneInfo(zone)), path) for at, path in rows]
    found = {local[0][1]} if local else set()
    for most, form in ((rule.daily, "%Y-%m-%d"), (rule.weekly, "%G-%V"), (rule.monthly, "%Y-%m")):
        first: dict[str, Path] = {}
        for at, path in local:
            first.setdefault(at.strftime(form), path)
        found.update(list(first.values())[:most])
    return found


def _made(path: Path) -> datetime:
    return datetime.strptime(path.stem.removeprefix("otklik-") + "+0000", "%Y%m%dT%H%M%S%f%z")


def prune(folder: Path, rule: Rule, zone: str) -> int:
    """Removes archives beyond the rule, and attachments that none of the rest holds; returns how many archives."""
    from services.backup_files import FileStore

    there = list(folder.glob("otklik-*.zip"))
    keep = kept(there, rule, zone)
    for path in there:
        if path not in keep:
            path.unlink()
    FileStore(folder).forget_unused(sorted(keep))
    return len(there) - len(keep)


def run_kept_backup(database: Database, folder: Path, rule: Rule, zone: str) -> Path:
    """Makes one, notes that it is good, removes what the rule does not keep; a failure is noted and raised."""
    # Archives are a night's work: no start reads the module.
    from services.backup import run_backup

    began = monotonic()
    try:
        path = run_backup(database, folder)
    except (OSError, DeskError) as error:
        code = error.code if isinstance(error, DeskError) else type(error).__name__
        with database.write.begin() as session:
            _note(session, failed_at=utc_now().isoformat(), error=code)
        raise
    with database.write.begin() as session:
        _note(session, at=utc_now().isoformat(), file=path.name, size=path.stat().st_size,
              seconds=round(monotonic() - began, 1), failed_at=None, error="")  # fmt: skip
        record(session, "backup.made", DESK, size=path.stat().st_size)
    prune(folder, rule, zone)
    return path


def run_nightly(database: Database, folder: Path, rule: Rule, zone: str, now: datetime | None = None) -> bool:
    """Makes the backup of the day when it is due, and tells the head when there has been none for too long."""
    now = now or utc_now()
    with database.read.begin() as session:
        due = is_due(backup_state(session, now), rule, zone, now)
    if due:
        try:
            run_kept_backup(database, folder, rule, zone)
        except (OSError, DeskError):
            log.exception("backup.failed")
    with database.write.begin() as session:
        return warn_late(session, now) > 0 or due


def warn_late(session: Session, now: datetime) -> int:
    """One notice for each head, again only after the last one was seen and a day has passed; returns how many."""
    if not backup_state(session, now).late:
        session.execute(update(Notice).where(Notice.kind == KIND, Notice.seen_at.is_(None)).values(seen_at=now))
        return 0
    waiting = select(Notice.staff_id).where(Notice.kind == KIND)
    told = set(session.scalars(waiting.where(Notice.seen_at.is_(None) | (Notice.created_at > now - LATE))))
    people = [actor_of(row) for row in session.scalars(select(Staff).where(Staff.active))]
    heads = [one for one in people if "head" in one.roles] or [one for one in people if one.may("settings.edit")]
    policy = policy_of(session)
    missing = [one.staff_id for one in heads if one.staff_id is not None and one.staff_id not in told]
    for staff_id in missing:
        session.add(Notice(staff_id=staff_id, kind=KIND, show_at=policy.after_quiet(now), created_at=now))
    return len(missing)


def _note(session: Session, **values: object) -> None:
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    if row is None:
        row = Setting(name=NAME)
        session.add(row)
    row.value, row.updated_at = {**(row.value or {}), **values}, utc_now()
