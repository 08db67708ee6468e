"""`bench scale`: list, case and search while another process takes in messages and twenty people work.

OTKLIK_BENCH_SCALE names messages of the desk, messages a second, people and seconds («20000 200 20 30»).
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.figures import Figure, finish, header, p95, row
from benchmarks.inbox import databases, make_desk
from benchmarks.inbox_data import COMMON, fill
from collectors.base import Incoming, Person, Publication
from models import Case, Message, Source, Staff
from models.database import Database, open_database
from services.backup import reset_sequences
from services.messages import store_messages
from services.moving import moved_tables
from web import create_app

PAGES = {"list": "/inbox/rows", "case": "/inbox/{case}", "search": f"/search?q={COMMON}"}
TIMES = 1.5
THINKS = 2.0
"""Seconds between two pages of one person."""
QUIET_ROUNDS = 40
BATCHES = 10


def main() -> int:
    """Prints the p95 of each page quiet and under load, and how many messages came in; 1 when one is short."""
    if sys.argv[1:2] == ["write"]:
        return write(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    header()
    count, rate, people, seconds = (
        int(one) for one in os.environ.get("OTKLIK_BENCH_SCALE", "20000 200 20 30").split()
    )
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="otklik-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with databases(folder) as make:
            for kind in os.environ.get("OTKLIK_BENCH_DATABASES", "sqlite postgresql").split():
                database = make(kind, count)
                staff_id = fill(database, count)
                if not database.is_sqlite:  # rows were copied with their numbers: new ones go on above them
                    with database.write.begin() as session:
                        reset_sequences(session, moved_tables())
                print(
                    f"\n{kind}: {count} messages; {rate} a second come in, {people} people, {seconds} s", flush=True
                )
                figures += _measure(kind, database, staff_id, folder, (rate, people, seconds))
    return finish(figures)


def _measure(
    kind: str, database: Database, staff_id: int, folder: Path, load: tuple[int, int, int]
) -> list[Figure]:
    rate, people, seconds = load
    visit = _visitor(database, staff_id, folder)
    quiet: dict[str, list[float]] = {name: [] for name in PAGES}
    for turn in range(QUIET_ROUNDS + 4):
        for name, values in quiet.items():
            # As far apart as the pages of all people: one at once after the other finds everything at hand.
            time.sleep(THINKS / people)
            took = visit(name)
            if turn >= 4:
                values.append(took)
    before = _stored(database)
    busy: dict[str, list[float]] = {name: [] for name in PAGES}
    with _intake(database, rate, seconds):
        ends = time.monotonic() + seconds
        threads = [threading.Thread(target=_work, args=[visit, busy, ends, n]) for n in range(people)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    came = (_stored(database) - before) / seconds
    figures = [Figure(f"{kind} messages a second", came, rate * 0.95, at_least=True)]
    for name in PAGES:
        row(f"{kind} {name} quiet", quiet[name], "ms")
        row(f"{kind} {name} under load", busy[name], "ms")
        figures.append(Figure(f"{kind} {name} times its quiet p95", p95(busy[name]) / p95(quiet[name]), TIMES))
    return figures


def _visitor(database: Database, staff_id: int, folder: Path) -> Callable[[str], float]:
    """Opens a page as a person with a browser of their own; returns milliseconds."""
    app = create_app(make_desk(database, folder))
    with database.read.begin() as session:
        key = session.get_one(Staff, staff_id).session_key
        middle = session.scalars(select(Case.id).order_by(Case.id.desc()).offset(50).limit(1)).one()
    mine = threading.local()

    def visit(name: str) -> float:
        if not hasattr(mine, "client"):
            mine.client = app.test_client()
            with mine.client.session_transaction() as cookie:
                cookie["key"] = key
        began = time.perf_counter()
        answer = mine.client.get(PAGES[name].format(case=middle), headers={"HX-Request": "true"})
        assert answer.status_code == 200, (name, answer.status_code)
        return (time.perf_counter() - began) * 1000

    return visit


def _work(visit: Callable[[str], float], busy: dict[str, list[float]], ends: float, number: int) -> None:
    names = list(PAGES)
    time.sleep(THINKS * (number % 20) / 20)
    while time.monotonic() < ends:
        busy[names[number % len(names)]].append(visit(names[number % len(names)]))
        number += 1
        time.sleep(THINKS)


def _stored(database: Database) -> int:
    with database.read.begin() as session:
        return session.scalar(select(func.count()).select_from(Message)) or 0


@contextlib.contextmanager
def _intake(database: Database, rate: int, seconds: int) -> Iterator[None]:
    address = database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "benchmarks.scale", "write", address, str(rate), str(seconds)]
    with subprocess.Popen(command) as child:
        try:
            yield
        finally:
            assert child.wait(60) == 0, "the intake broke off"


def write(address: str, rate: int, seconds: float) -> int:
    """The other process: ``rate`` messages a second in BATCHES transactions, on time where it can."""
    database = open_database(address)
    with database.read.begin() as session:
        source_id = session.scalar(select(func.min(Source.id))) or 0
    began, number, piece = time.monotonic(), 0, max(1, rate // BATCHES)
    while time.monotonic() - began < seconds:
        items = [_incoming(number + one) for one in range(piece)]
        with database.write.begin() as session:
            store_messages(session, source_id, "youtube", items)
        number += piece
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
    database.engine.dispose()
    return 0


def _incoming(number: int) -> Incoming:
    return Incoming(
        container="scale", external_id=f"s{number}", text=f"Когда придёт заказ номер {number}?",
        published_at=datetime.now(UTC), author=Person(f"w{number % 5000}", f"Зритель {number % 5000}"),
        publication=Publication("scale", "video", "Прямой эфир"),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
