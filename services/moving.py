"""The move from SQLite to PostgreSQL: table by table, resumed after a kill, counted and compared at the end."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table, delete, func, insert, select
from sqlalchemy.orm import Session

from models import Base, Setting, utc_now
from models.base import holds_bytes
from models.database import Database
from services.backup import INDEX, SKIPPED, reset_sequences
from services.errors import DeskError
from services.events import record
from services.processes import processes
from services.rights import DESK
from services.schema import newest_revision, present_revision, upgrade
from services.search_index import SEARCH_STATE

ROWS, BYTES = 1000, 8 * 1024 * 1024
MARK = "moved"
"""A setting of the old database: it may not be started any more, or two desks would answer."""
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Compared:
    """One table in both databases: how many rows, and a hash over all of them in the order of their ids."""

    table: str
    here: int
    there: int
    equal: bool


def is_moved(session: Session) -> bool:
    """Whether this database was left for another one."""
    return session.scalar(select(Setting.id).where(Setting.name == MARK)) is not None


def run_move(source: Database, target: Database, tell: Tell) -> list[Compared]:
    """Copies what ``target`` lacks, compares everything, then closes ``source``; returns what was found.

    A kill between two batches costs nothing: the next call goes on after the last row of each table. ``tell`` hears
    (table, rows done, rows in all). Raises DeskError: «move.kind», «move.alive» (a process of the desk runs),
    «move.filled» (the target holds another desk's rows), «move.differs» (with the tables).
    """
    if not source.is_sqlite or target.is_sqlite:
        raise DeskError("move.kind")
    with source.read.begin() as session:
        alive = [one.shown for one in processes(session) if one.alive]
    if alive:
        raise DeskError("move.alive", process=alive[0])
    if present_revision(source) != newest_revision():
        upgrade(source)
    if present_revision(target) != newest_revision():
        upgrade(target)
    tables = moved_tables()
    _refuse_foreign(source, target, tables)
    for table in tables:
        _copy(source, target, table, tell)
    found = compare(source, target, tables)
    differ = [one.table for one in found if not one.equal]
    if differ:
        raise DeskError("move.differs", tables=", ".join(differ))
    _close(source, target, tables)
    return found


def moved_tables() -> list[Table]:
    """Every table but those that are made anew, each after the ones that it refers to."""
    return [
        table for table in Base.metadata.sorted_tables
        if table.name not in SKIPPED and not table.name.startswith(INDEX)
    ]  # fmt: skip


def compare(source: Database, target: Database, tables: Sequence[Table]) -> list[Compared]:
    """Counts and hashes of each table on both sides."""
    found = []
    for table in tables:
        (here, mine), (there, theirs) = _digest(source, table), _digest(target, table)
        found.append(Compared(table.name, here, there, mine == theirs))
    return found


def _refuse_foreign(source: Database, target: Database, tables: Sequence[Table]) -> None:
    """What is there must be the beginning of what is here: the first and the last row of each table."""
    for table in tables:
        with target.read.begin() as session:
            ends = session.execute(select(func.min(table.c.id), func.max(table.c.id))).one()
        for row_id in {end for end in ends if end is not None}:
            if _row(source, table, row_id) != _row(target, table, row_id):
                raise DeskError("move.filled", table=table.name)


def _row(database: Database, table: Table, row_id: int) -> str | None:
    with database.read.begin() as session:
        row = session.execute(select(table).where(table.c.id == row_id)).mappings().one_or_none()
        return _line(dict(row)) if row is not None else None


def _copy(source: Database, target: Database, table: Table, tell: Tell) -> None:
    with source.read.begin() as session:
        total = session.scalar(select(func.count()).select_from(table)) or 0
    with target.read.begin() as session:
        last, done = session.execute(select(func.max(table.c.id), func.count()).select_from(table)).one()
    tell(table.name, done, total)
    for batch in _batches(source, table, last):
        with target.write.begin() as session:
            session.execute(insert(table), batch)
        done += len(batch)
        tell(table.name, done, total)


def _batches(source: Database, table: Table, last: int | None) -> Iterator[list[dict[str, Any]]]:
    """Rows after ``last``, in pieces that fit into memory whatever files they hold."""
    heavy = any(holds_bytes(column.type) for column in table.columns)
    query = select(table).order_by(table.c.id).execution_options(yield_per=16 if heavy else ROWS)
    if last is not None:
        query = query.where(table.c.id > last)
    batch: list[dict[str, Any]] = []
    weight = 0
    with source.read.begin() as session:
        for row in session.execute(query).mappings():
            batch.append(dict(row))
            weight += sum(len(value) for value in batch[-1].values() if isinstance(value, bytes))
            if len(batch) >= ROWS or weight >= BYTES:
                yield batch
                batch, weight = [], 0
    if batch:
        yield batch


def _digest(database: Database, table: Table) -> tuple[int, str]:
    digest, count = hashlib.sha256(), 0
    heavy = any(holds_bytes(column.type) for column in table.columns)
    query = select(table).order_by(table.c.id).execution_options(yield_per=16 if heavy else ROWS)
    with database.read.begin() as session:
        for row in session.execute(query).mappings():
            digest.update(_line(dict(row)).encode())
            count += 1
    return count, digest.hexdigest()


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, sort_keys=True, default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    return repr(value)


def _close(source: Database, target: Database, tables: Sequence[Table]) -> None:
    """New rows go on above the moved ones, search is made anew, and the old database is not started again."""
    with target.write.begin() as session:
        reset_sequences(session, tables)
        session.execute(delete(Setting).where(Setting.name == SEARCH_STATE))
        record(session, "desk.moved", DESK)
    with source.write.begin() as session:
        session.add(Setting(name=MARK, value={"at": utc_now().isoformat()}))
