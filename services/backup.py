"""Backup and restore of either database: an archive of rows, attachments apart beside it, the key never in it."""

import hashlib
import json
import os
import zipfile
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Date, MetaData, Table, delete, func, insert, select, update
from sqlalchemy.orm import Session

from models import Act, Base, Setting, UtcDateTime, utc_now
from models.base import holds_bytes
from models.database import Database
from services.backup_files import APART_BYTES, LIST, FileStore
from services.errors import DeskError
from services.events import record
from services.outbox import WAITING
from services.rights import DESK
from services.schema import newest_revision, present_revision, upgrade
from services.search_index import SEARCH_STATE

BATCH = 1000
BATCH_HEAVY = 16
"""Rows read at a time of a table that holds files: a thousand photos are more than a small server has."""
RESTORE_KIB = 64 * 1024
BATCH_BYTES = 16 * 1024 * 1024
SKIPPED = frozenset({"lease", "alembic_version"})
"""Who led when the backup was made says nothing of now; the revision stands in the manifest."""
INDEX = "search_"
"""The index of search is made anew from the messages."""


def run_backup(database: Database, folder: Path) -> Path:
    """Writes «otklik-<UTC time>.zip» into ``folder`` from one live snapshot, reads it back, and returns its path.

    Whatever fails leaves no archive; raises DeskError(«backup.broken») when what was written reads otherwise.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"otklik-{utc_now():%Y%m%dT%H%M%S%f}.zip"
    partial = path.with_suffix(".part")
    try:
        _write(database, partial, FileStore(folder))
        with zipfile.ZipFile(partial) as archive:
            if archive.testzip() is not None:
                raise DeskError("backup.broken", path=str(path), table="")
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def _write(database: Database, path: Path, files: FileStore) -> None:
    manifest: dict[str, Any] = {"revision": present_revision(database), "made_at": utc_now().isoformat(),
                                "database": database.engine.dialect.name, "tables": {}}  # fmt: skip
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, database.read() as session:
        if not database.is_sqlite:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        for table in _tables(session):
            manifest["tables"][table.name] = _write_table(session, archive, table, files)
        archive.writestr(LIST, "\n".join(sorted(files.used)))
        manifest["files"] = len(files.used)
        archive.writestr("manifest.json", json.dumps(manifest, indent=1))
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _tables(session: Session) -> list[Table]:
    """The tables as this database has them: a backup is made before a migration, restored into its own shape."""
    found = MetaData()
    # SQLite keeps the full text of search in tables of its own making, which bear the same beginning.
    found.reflect(session.connection(), only=lambda name, _: name not in SKIPPED and not name.startswith(INDEX))
    tables = list(found.sorted_tables)
    for table in tables:
        known = Base.metadata.tables.get(table.name)
        for column in table.columns:
            if known is not None and column.name in known.columns:
                column.type = known.columns[column.name].type
    return tables


def _write_table(session: Session, archive: zipfile.ZipFile, table: Table, files: FileStore) -> dict[str, Any]:
    digest, count = hashlib.sha256(), 0
    piece = BATCH_HEAVY if any(holds_bytes(column.type) for column in table.columns) else BATCH
    rows = session.execute(select(table).order_by(table.c.id).execution_options(yield_per=piece))
    plain = partial(_plain, files=files)
    with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as file:
        for batch in rows.mappings().partitions():
            lines = [json.dumps(dict(row), ensure_ascii=False, sort_keys=True, default=plain) for row in batch]
            written = "".join(f"{line}\n" for line in lines).encode()
            digest.update(written)
            file.write(written)
            count += len(batch)
    return {"rows": count, "sha256": digest.hexdigest()}


def _plain(value: Any, files: FileStore) -> Any:
    """What stands in an archive for a value that JSON has no word for."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return files.put(value) if len(value) > APART_BYTES else b64encode(value).decode()
    raise TypeError(f"a backup cannot hold {type(value).__name__}")


def _readers(table: Table, files: FileStore) -> dict[str, Callable[[Any], Any]]:
    """Column → how its value is had back, for those that `_plain` has written in other words."""
    found: dict[str, Callable[[Any], Any]] = {}
    for column in table.columns:
        if isinstance(column.type, UtcDateTime):
            found[column.name] = datetime.fromisoformat
        elif isinstance(column.type, Date):
            found[column.name] = date.fromisoformat
        elif holds_bytes(column.type):
            found[column.name] = lambda value: files.get(value) if isinstance(value, dict) else b64decode(value)
    return found


def read_manifest(path: Path) -> dict[str, Any]:
    """What an archive holds; raises DeskError(«backup.broken») when it is none of ours."""
    try:
        with zipfile.ZipFile(path) as archive:
            return dict(json.loads(archive.read("manifest.json")))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DeskError("backup.broken", path=str(path)) from error


def run_restore(database: Database, path: Path) -> dict[str, int]:
    """Fills an empty database from an archive in one transaction; returns rows per table.

    What had not been sent when the backup was made may have been sent since: every such act is looked up on its
    platform before anything leaves. Raises DeskError(«restore.not_empty», «backup.broken», «schema.newer»).
    """
    manifest = read_manifest(path)
    if manifest["revision"] > newest_revision():
        raise DeskError("schema.newer", present=manifest["revision"], newest=newest_revision())
    present = present_revision(database)
    if present is not None and (present != manifest["revision"] or _has_rows(database)):
        raise DeskError("restore.not_empty")
    if present is None:
        upgrade(database, manifest["revision"])
    counts = {}
    with zipfile.ZipFile(path) as archive, database.write.begin() as session, _roomy(database, session):
        tables = [table for table in _tables(session) if table.name in manifest["tables"]]
        for table in tables:
            counts[table.name] = _read_table(session, archive, table, manifest["tables"][table.name])
        if not database.is_sqlite:
            reset_sequences(session, tables)
        unsent = _distrust_unsent(session, next(table for table in tables if table.name == Act.__tablename__))
        session.execute(delete(Setting).where(Setting.name == SEARCH_STATE))
    if manifest["revision"] != newest_revision():
        upgrade(database)
    with database.write.begin() as session:
        # The last attempt may have been a moment before the restore: the settle time counts from now.
        session.execute(update(Act).where(Act.state == "unknown").values(attempted_at=utc_now()))
        record(session, "backup.restored", DESK, unsent=unsent)
    return counts


@contextmanager
def _roomy(database: Database, session: Session) -> Iterator[None]:
    """SQLite writes a page out when its small memory of pages is full, and of one large transaction each of them
    several times over: half of what was written for 80,000 messages."""
    if not database.is_sqlite:
        yield
        return
    before = session.connection().exec_driver_sql("PRAGMA cache_size").scalar_one()
    session.connection().exec_driver_sql(f"PRAGMA cache_size=-{RESTORE_KIB}")
    yield
    session.connection().exec_driver_sql(f"PRAGMA cache_size={before}")


def _has_rows(database: Database) -> bool:
    with database.read.begin() as session:
        return any(session.scalar(select(func.count()).select_from(table)) for table in _tables(session))


def _read_table(session: Session, archive: zipfile.ZipFile, table: Table, expected: dict[str, Any]) -> int:
    digest, count = hashlib.sha256(), 0
    files = FileStore(Path(archive.filename or "").parent)
    for batch in _batches(archive, table, digest, files):
        session.execute(insert(table), batch)
        count += len(batch)
    if digest.hexdigest() != expected["sha256"] or count != expected["rows"]:
        raise DeskError("backup.broken", table=table.name)
    return count


def _batches(
    archive: zipfile.ZipFile, table: Table, digest: Any, files: FileStore
) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    apart = 0
    readers = _readers(table, files)
    with archive.open(f"{table.name}.jsonl") as file:
        for line in file:
            digest.update(line)
            row = json.loads(line)
            for name, reader in readers.items():
                value = row.get(name)
                if value is not None:
                    row[name] = reader(value)
                    apart += len(row[name]) if isinstance(row[name], bytes) else 0
            batch.append(row)
            if len(batch) == BATCH or apart > BATCH_BYTES:
                yield batch
                batch, apart = [], 0
    if batch:
        yield batch


def reset_sequences(session: Session, tables: Sequence[Table]) -> None:
    """Numbers of new rows go on above the restored ones."""
    for table in tables:
        sequence = func.pg_get_serial_sequence(f'"{table.name}"', "id")
        session.execute(
            select(func.setval(sequence, func.coalesce(func.max(table.c.id), 1), func.max(table.c.id).is_not(None)))
        )


def _distrust_unsent(session: Session, act: Table) -> int:
    """How many acts may have been sent since the backup; each is looked up before anything leaves."""
    moved = session.execute(
        update(act)
        .where(act.c.state.in_((*WAITING, "sending")))
        .values(
            state="unknown", due_at=utc_now(), lease_until=None,
            first_attempt_at=func.coalesce(act.c.first_attempt_at, act.c.created_at),
        )
    )  # fmt: skip
    return int(moved.rowcount)  # type: ignore[attr-defined]
