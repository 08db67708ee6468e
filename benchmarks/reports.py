"""`bench reports`: every report with filters, the morning page, lists and a spreadsheet over two years of cases.

OTKLIK_BENCH_SIZES names the numbers of messages (default «200000»; the goals are for 1000000), three of ten
of which begin a case. Facts are written straight into their tables: what is measured is the asking.
"""

import gc
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks.figures import Figure, finish, header, p95, row
from benchmarks.inbox import databases, filled, kept_folder, make_desk
from benchmarks.inbox_data import HEAD, NOW, Made, copy_rows, settle
from models import (
    Author,
    Case,
    CaseFact,
    CaseStep,
    Department,
    LeadFact,
    Message,
    Publication,
    Route,
    RouteFact,
    Source,
    Staff,
)
from models.database import Database, open_database
from services.accounts import create_staff, seed_departments
from services.reports.cut import Cut
from services.reports.sheets import CASE_COLUMNS, case_rows, write_xlsx
from services.reports.tables import REPORTS
from services.rights import DESK
from web import create_app

ROUNDS = 10
PERIODS = {"month": 30, "quarter": 91, "two_years": 731}
FILTERS = {
    "": "", "three_filters": "&kind=question&platform=vk&staff=2",
    "place_kind_theme": "&source=1&kind=question&theme=payment",
    "platform_theme_department": "&platform=vk&theme=payment&department=1",
}  # fmt: skip
GOAL, DASHBOARD, SHEET_ROWS, SHEET_SECONDS = 300.0, 150.0, 100_000, 20.0
THEMES = (None, "access", "payment", "video", "homework", "schedule", "curator")
PROGRAMMES = (None, None, None, *(f"Курс {number}" for number in range(1, 9)))
MINUTES = sorted({int(3 * 1.012**step) for step in range(520)})
"""How long things took: from three minutes to four days of work, some 400 values."""


def drawn(n: int, salt: int, things: Sequence[Any]) -> Any:
    """One of ``things``, the same in every run; unlike ``pick`` it tells nothing of what another salt draws."""
    mixed = (n * 0x9E3779B97F4A7C15 + salt * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ mixed >> 30) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return things[(mixed ^ mixed >> 31) % len(things)]


NEEDED = frozenset(table.__tablename__ for table in (Author, Publication, Case, Message, Route))


class Facts(Made):
    """Besides cases and messages, what has become of them."""

    def rows(self) -> Iterator[tuple[Any, Iterator[dict[str, Any]]]]:
        for table, rows in self.tables():
            if table.name in NEEDED:
                yield table, rows
        yield CaseFact.__table__, map(self.fact, range(1, self.cases + 1))
        yield CaseStep.__table__, self.steps()
        yield LeadFact.__table__, map(self.lead, range(1, self.cases + 1))
        yield (
            RouteFact.__table__,
            (
                {
                    "id": n, "case_id": drawn(n, 7, range(1, self.cases + 1)), "open_minutes": 20,
                    "department_id": self.units[n % len(self.units)], "asked_at": self.at(n * 120),
                    "answer_minutes": None if n % 5 == 0 else drawn(n, 12, MINUTES),
                    "due_at": self.at(n * 120) + timedelta(hours=9), "accept_due_at": None,
                    "accept_done_at": None, "late": n % 7 == 0,
                    "outcome": None if n % 5 == 0 else "answered", "returns": int(n % 11 == 0),
                }
                for n in range(1, self.cases // 40)
            ),
        )  # fmt: skip

    def fact(self, n: int) -> dict[str, Any]:
        case = self.case(n)
        at: datetime = case["opened_at"]
        is_open = case["open_key"] is not None
        took = drawn(n, 11, MINUTES)
        first = at + timedelta(minutes=took * 2) if not is_open or n % 3 else None
        ended = at + timedelta(minutes=took * 3)
        return {
            "id": n, "source_id": case["source_id"], "platform": self.platforms[case["source_id"]],
            "kind": case["label"] if case["sure"] else None, "theme": drawn(n, 17, THEMES), "checked": n % 3 == 0,
            "themes": self.themes(n), "programme": drawn(n, 18, PROGRAMMES), "person": case["author_id"] * 2 + 1,
            "again": drawn(n, 20, range(12)) == 0,
            "department_id": drawn(n, 13, (*self.units, *(None,) * 20)), "staff_id": drawn(n, 14, self.people),
            "due_staff_id": drawn(n, 14, self.people), "lead_id": case["assignee_id"],
            "counts": drawn(n, 15, range(10)) != 0,
            "holder": drawn(n, 16, ("desk", "department", "client")) if is_open else None,
            "held_since": at if is_open else None, "opened_at": at, "ingested_at": at, "first_at": first,
            "first_by_id": drawn(n, 14, self.people) if first else None, "first_minutes": took if first else None,
            "first_clock_minutes": took * 2 if first else None, "first_here_minutes": took - 1 if first else None,
            "first_due_at": at + timedelta(hours=8), "resolved_at": None if is_open else ended,
            "resolution_due_at": at + timedelta(days=3), "legal_class": "CLAIM" if n % 100 == 0 else None,
            "legal_due_at": at + timedelta(days=10) if n % 100 == 0 else None,
            "legal_done_at": ended if n % 100 == 0 and not is_open else None, "desk_minutes": took,
            "department_minutes": took // 3, "client_minutes": took // 2, "reopened": 0,
            "answers": int(bool(first)),
        }  # fmt: skip

    @staticmethod
    def themes(n: int) -> str:
        found = [one for one in dict.fromkeys((drawn(n, 17, THEMES), drawn(n, 19, THEMES))) if one]
        return f" {' '.join(found)} " if found else ""

    def lead(self, n: int) -> dict[str, Any]:
        fact = self.fact(n)
        spent = fact["desk_minutes"] + fact["department_minutes"] + fact["client_minutes"]
        return {
            "case_id": n, "staff_id": fact["staff_id"], "since": fact["opened_at"], "until": fact["resolved_at"],
            "minutes": spent if fact["resolved_at"] else None,
        }  # fmt: skip

    def steps(self) -> Iterator[dict[str, Any]]:
        for n in range(1, self.cases + 1):
            fact = self.fact(n)
            marks = (
                ("opened", "opened_at"), ("assigned", "opened_at"), ("answered", "first_at"),
                ("resolved", "resolved_at"),
            )  # fmt: skip
            for kind, name in marks:
                if fact[name] is not None:
                    yield {
                        "case_id": n, "kind": kind, "at": fact[name], "staff_id": fact["staff_id"],
                        "source_id": fact["source_id"],
                    }  # fmt: skip

    platforms: dict[int, str]


def fill(database: Database, count: int) -> int:
    """Returns the head's id."""
    with database.write.begin() as session:
        seed_departments(session)
        head = create_staff(session, DESK, email=HEAD, name="Анна Мост", roles=("head",)).id
        people = [head, *(
            create_staff(session, DESK, email=f"smm{n}@bench.example", name=f"Сотрудник {n}", roles=("smm",)).id
            for n in range(5)
        )]  # fmt: skip
        for platform in ("youtube", "vk", "telegram", "wordpress"):
            session.add(Source(platform=platform, title=platform, settings={}, every_seconds=3600, state="paused"))
        session.flush()
        sources = {source.id: source.platform for source in session.scalars(select(Source))}
        units = list(session.scalars(select(Department.id)))
    made = Facts(count, list(sources), people, units)
    made.platforms = sources
    for table, rows in made.rows():
        copy_rows(database, table, rows)
    settle(database)
    return head


def pages() -> dict[str, tuple[str, float]]:
    """Name → address and goal in ms."""
    today = NOW.date()
    found = {"morning": ("/morning", DASHBOARD)}
    for period, days in PERIODS.items():
        span = f"from={today - timedelta(days=days)}&to={today}"
        for name, filters in FILTERS.items():
            mark = f"{period}.{name}".rstrip(".")
            found[f"answers.{mark}"] = (f"/reports?{span}{filters}", GOAL)
            for code in REPORTS:
                found[f"{code}.{mark}"] = (f"/reports/all/{code}?{span}{filters}", GOAL)
        found[f"list.{period}"] = (f"/reports/cases/came?{span}", GOAL)
        found[f"late.{period}"] = (f"/reports/cases/first_late?{span}", GOAL)
    return found


def measure(database: Database, staff_id: int, folder: Path, mark: str) -> dict[str, float]:
    client = create_app(make_desk(database, folder)).test_client()
    with database.read.begin() as session:
        secret = session.get_one(Staff, staff_id).session_key
    with client.session_transaction() as cookie:
        cookie["key"] = secret
    for address, _goal in pages().values():  # then what is loaded is set aside, as a start of the desk does
        client.get(address)
    gc.collect()
    gc.freeze()
    taken: dict[str, list[float]] = {}
    busy: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, (address, _goal) in pages().items():
            began, worked = time.perf_counter(), time.thread_time()
            answer = client.get(address)
            assert answer.status_code == 200, (address, answer.status_code)
            taken.setdefault(name, []).append((time.perf_counter() - began) * 1000)
            busy.setdefault(name, []).append((time.thread_time() - worked) * 1000)
    for name, values in taken.items():
        row(f"{mark} {name}", values, "ms")
        # A second witness on a machine that others load: what this process itself worked for it.
        row(f"{mark} {name} cpu", busy[name], "ms")
    return {name: p95(values) for name, values in taken.items()}


def sheet(address: str) -> None:
    """Writes SHEET_ROWS rows to a file; prints seconds and megabytes. Runs in a process of its own."""
    database, today = open_database(address), NOW.date()
    cut = Cut(today - timedelta(days=731), today)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, worked = time.perf_counter(), time.process_time()
    with tempfile.TemporaryFile() as out, database.read.begin() as session:
        rows = case_rows(session, DESK, "came", cut, NOW, most=SHEET_ROWS)
        count = write_xlsx(out, CASE_COLUMNS, rows)
    spent, busy = time.perf_counter() - began, time.process_time() - worked
    print(count, spent, busy, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def measure_sheet(database: Database, mark: str) -> list[Figure]:
    address = database.engine.url.render_as_string(hide_password=False)
    told = subprocess.run(
        [sys.executable, "-c", f"from benchmarks.reports import sheet; sheet({address!r})"], capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    count, seconds, busy, megabytes = told.stdout.split()
    print(f"{mark} xlsx: {count} rows")
    goal = SHEET_SECONDS * int(count) / SHEET_ROWS
    return [
        Figure(f"{mark}.xlsx_s", float(seconds), goal), Figure(f"{mark}.xlsx_cpu_s", float(busy)),
        Figure(f"{mark}.xlsx_mb", float(megabytes)),
    ]  # fmt: skip


def main() -> int:
    header()
    sizes = [int(word) for word in os.environ.get("OTKLIK_BENCH_SIZES", "200000").split()]
    kinds = os.environ.get("OTKLIK_BENCH_DATABASES", "sqlite postgresql").split()
    figures: list[Figure] = []
    with kept_folder("reports") as folder, databases(folder) as make:
        for kind in kinds:
            for count in sizes:
                database, mark = make(kind, count), f"{kind}.{count}"
                staff_id = filled(database, count, fill, mark, folder)
                found = measure(database, staff_id, folder, mark)
                goals = pages()
                figures += [Figure(f"{mark}.{name}_ms", value, goals[name][1]) for name, value in found.items()]
                figures += measure_sheet(database, mark)
    return finish(figures)


if __name__ == "__main__":
    sys.exit(main())
