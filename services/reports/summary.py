"""Report 28 (domain.md §8): the department's month on one page, and the snapshot that nobody changes."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Snapshot, SnapshotFile, utc_now
from services.errors import NotFound, Refused
from services.events import record
from services.reports.cohorts import OF_NOW
from services.reports.cut import Cut
from services.reports.shape import Cell, Table
from services.reports.tables import REPORTS, run_table
from services.rights import Actor, require

PARTS = (
    "first_answer", "in_time", "resolution", "legal", "queue", "departments", "register", "funnel", "debts",
    "contracts", "terminations", "obligations",
)  # fmt: skip
"""1–4, 6, 9, 16, 17, 19 to 21 and 23 of the Regulation; 18 and 22 have no source here yet."""
LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """A figure that is another one now than the snapshot has; ``column`` of the whole report ``code``."""

    code: str
    column: str
    unit: str
    then: Any
    now: Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the signed figures, with what it was in the month before where that was signed too."""

    column: str
    unit: str
    value: Any
    before: Any = None


def summary(session: Session, actor: Actor, cut: Cut, now: datetime, *, compared: bool = False) -> dict[str, Table]:
    """Report → its table, of those that the person may see."""
    require(actor, "report.view")
    return {
        code: run_table(session, actor, code, cut, now, compared=compared)
        for code in PARTS
        if actor.may(REPORTS[code].right)
    }


def wholes(table: Table) -> Iterator[tuple[str, Cell]]:
    """The figures of the whole report: its last line and what stands beside it."""
    if table.total is not None:
        yield from (
            (name, cell) for name, cell in zip(table.columns, table.total, strict=True) if cell.unit != "text"
        )
    yield from table.beside


def month_cut(month: str, zone: str) -> Cut:
    """The cut of «YYYY-MM»; raises NotFound for what is no month."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise NotFound("snapshot.unknown", id=0) from None
    return Cut(first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1), zone)


def snapshots(session: Session, actor: Actor) -> list[Snapshot]:
    """All that were made, the newest first."""
    require(actor, "report.view")
    return list(session.scalars(select(Snapshot).order_by(Snapshot.month.desc(), Snapshot.number.desc())))


def get_snapshot(session: Session, actor: Actor, snapshot_id: int) -> Snapshot:
    require(actor, "report.view")
    row = session.get(Snapshot, snapshot_id)
    if row is None:
        raise NotFound("snapshot.unknown", id=snapshot_id)
    return row


def files_of(session: Session, snapshot_id: int) -> list[SnapshotFile]:
    query = select(SnapshotFile).where(SnapshotFile.snapshot_id == snapshot_id)
    return list(session.scalars(query.order_by(SnapshotFile.name)))


def read_file(session: Session, actor: Actor, snapshot_id: int, name: str) -> bytes:
    """A file's bytes, for whoever may see money too; raises NotFound."""
    require(actor, "contract.view")
    row = get_snapshot(session, actor, snapshot_id)
    found = next((one for one in files_of(session, row.id) if one.name == name), None)
    if found is None:
        raise NotFound("snapshot.unknown", id=snapshot_id)
    return found.content


def is_whole(session: Session, row: Snapshot) -> bool:
    """Whether figures and files are still those that were signed."""
    files = files_of(session, row.id)
    if any(_hash(one.content) != one.digest for one in files):
        return False
    return row.digest == _digest(row, {one.name: one.digest for one in files})


def signed_figures(
    session: Session, actor: Actor, row: Snapshot, zone: str
) -> tuple[dict[str, list[Figure]], list[Change]]:
    """Report → its figures as they were signed, and those that have changed since; what only says how things stand
    at a moment is not compared."""
    signed: dict[str, list[Figure]] = {}
    changed = []
    for code, table in summary(session, actor, month_cut(row.month, zone), row.made_at).items():
        then = row.figures.get(code, {}).get("whole", {})
        for name, cell in wholes(table):
            if name not in then:
                continue
            was = unplain(then[name], cell.unit)
            earlier = row.figures[code].get("before", {}).get(name)
            signed.setdefault(code, []).append(Figure(name, cell.unit, was, unplain(earlier, cell.unit)))
            is_of_now = code == "queue" or cell.list in OF_NOW
            if not is_of_now and then[name] != plain(cell.value):
                changed.append(Change(code, name, cell.unit, was, cell.value))
    return signed, changed


def changes_since(session: Session, actor: Actor, row: Snapshot, zone: str) -> list[Change]:
    """Figures of the month that have changed since they were signed."""
    return signed_figures(session, actor, row, zone)[1]


def take_snapshot(
    session: Session, actor: Actor, month: str, tables: Mapping[str, Table], files: Mapping[str, bytes],
    conclusions: str, proposals: str, today: date, zone: str,
) -> Snapshot:  # fmt: skip
    """The head signs the month as it stands; taken again it is another number beside the first."""
    require(actor, "report.sign")
    if month_cut(month, zone).last >= today:
        raise Refused("snapshot.early")
    number = session.scalar(select(func.max(Snapshot.number)).where(Snapshot.month == month)) or 0
    now = utc_now()
    row = Snapshot(
        month=month, number=number + 1, figures={code: _frozen(table) for code, table in tables.items()},
        conclusions=conclusions.strip()[:LONGEST], proposals=proposals.strip()[:LONGEST], made_by=actor.staff_id,
        made_at=now, signed_by=actor.staff_id, signed_at=now, digest="",
    )  # fmt: skip
    digests = {name: _hash(content) for name, content in files.items()}
    row.digest = _digest(row, digests)
    session.add(row)
    session.flush()
    for name, content in files.items():
        session.add(SnapshotFile(snapshot_id=row.id, name=name, digest=digests[name], content=content))
    record(session, "report.signed", actor, object_id=row.id, month=month, number=row.number, digest=row.digest)
    return row


def see_snapshot(session: Session, actor: Actor, snapshot_id: int) -> Snapshot:
    """The director has read it; the first reading stands."""
    require(actor, "report.acquaint")
    row = get_snapshot(session, actor, snapshot_id)
    if row.seen_at is None:
        row.seen_by, row.seen_at = actor.staff_id, utc_now()
        record(session, "report.seen", actor, object_id=row.id, month=row.month, number=row.number)
    return row


def _frozen(table: Table) -> dict[str, Any]:
    """Of a register only the whole: its lines name people, and a person who is forgotten must not stay in here."""
    lines = [line for line in table.lines if line.place is None]
    return {
        "by": table.by, "columns": list(table.columns),
        "lines": [[str(line.key), line.name, [plain(cell.value) for cell in line.cells]] for line in lines],
        "whole": {name: plain(cell.value) for name, cell in wholes(table)}, "before": whole_before(table),
    }  # fmt: skip


def whole_before(table: Table) -> dict[str, Any]:
    """What the figures of the whole were in the period before, of those that are compared."""
    return {name: plain(cell.before) for name, cell in wholes(table) if cell.compared}


def plain(value: Any) -> Any:
    """A figure as JSON keeps it: a fraction as «n/d», a date in words of ISO 8601."""
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value


def unplain(value: Any, unit: str) -> Any:
    if not isinstance(value, str) or unit == "text":
        return value
    return date.fromisoformat(value[:10]) if unit == "date" else Fraction(value)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest(row: Snapshot, files: Mapping[str, str]) -> str:
    told = {
        "month": row.month, "number": row.number, "figures": row.figures, "conclusions": row.conclusions,
        "proposals": row.proposals, "files": dict(files),
    }  # fmt: skip
    return _hash(json.dumps(told, ensure_ascii=False, sort_keys=True).encode())
