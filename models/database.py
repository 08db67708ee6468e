"""How the desk opens its database: SQLite in WAL with one writer at a time, or PostgreSQL."""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session, sessionmaker

CORRUPTING = ((3, 7, 0), (3, 51, 2))
"""SQLite versions in which a WAL reset can corrupt a database with two connections (sqlite.org/wal.html)."""
REPAIRED = {(3, 50, 7), (3, 44, 6)}
PLANNING = (
    "-c timezone=UTC -c synchronous_commit=on -c random_page_cost=1.1 -c jit=off -c parallel_setup_cost=20000"
)
"""Rows lie on disks without heads, or in memory; compiling, or calling helpers, takes longer than our questions."""
MUCH = "SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('work_mem', '32MB', true)"
PREPARED = 400
"""Statements a connection keeps planned: the screens have more than the driver's 100 and drove each other out."""
KEPT = 6
"""Connections to SQLite that stay open when nobody uses them: each holds up to 5 MB of pages, statements and the
schema, and another is opened in a thousandth of a second."""
MOMENT = 1.0
TURN = 1.0
"""Seconds that a writer waits for the others of its process before it asks SQLite itself."""
ROOM, WRITING_ROOM = "PRAGMA cache_size=-2000", "PRAGMA cache_size=-16000"
"""KiB that a connection keeps in memory, and while it writes: a page of messages touches more of a large database
than SQLite's usual 2 MB, and would read the same again and again. Of a process one connection writes at a time."""


def sqlite_module() -> ModuleType:
    """pysqlite3 brings its own SQLite, newer than the system's; the standard module is the fall-back."""
    try:
        import pysqlite3.dbapi2 as module
    except ImportError:
        import sqlite3 as module
    return module  # type: ignore[no-any-return]


def is_sqlite_sound(version: str) -> bool:
    """False inside the range in which WAL may corrupt the file."""
    numbers = tuple(int(part) for part in version.split(".")[:3])
    return numbers in REPAIRED or not CORRUPTING[0] <= numbers <= CORRUPTING[1]


@dataclass(frozen=True)
class Database:
    """``write`` opens sessions that may change rows, ``read`` those that only look."""

    engine: Engine
    write: sessionmaker[Session]
    read: sessionmaker[Session]

    state: Callable[[], Hashable]
    """Equal to what it said before as long as nobody has committed anything since; it may differ without that."""

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"


class _SqliteState:
    """A connection that never writes counts the commits of all others (PRAGMA data_version of sqlite.org)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._connection: Any = None

    def __call__(self) -> Hashable:
        with self._lock:
            if self._connection is None:
                self._connection = self._engine.raw_connection()
                self._connection.detach()
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


class _PostgresqlState:
    """What a transaction that began now would see (postgresql.org, pg_current_snapshot)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    def __call__(self) -> Hashable:
        with self._engine.connect() as connection:
            return str(connection.scalar(text("SELECT pg_current_snapshot()::text")))


def open_database(url: str, *, pool_size: int = 20) -> Database:
    """Opens ``url`` (sqlite:///… or postgresql+psycopg://…); creates nothing, migrates nothing.

    The connection that was used last is used next: it has statements prepared and pages at hand, where one after
    the other would have to make them anew, and each would keep them.
    """
    if url.startswith("sqlite"):
        kept = min(KEPT, pool_size)
        engine = create_engine(
            url, module=sqlite_module(), pool_size=kept, max_overflow=2 * pool_size - kept, pool_use_lifo=True
        )
        _prepare_sqlite(engine)
    else:
        engine = create_engine(
            url, pool_size=pool_size, max_overflow=pool_size, pool_use_lifo=True, connect_args={"options": PLANNING}
        )
        _prepare_postgresql(engine)
    reader = engine.execution_options(otklik_read=True)
    return Database(
        engine,
        sessionmaker(engine, expire_on_commit=False),
        sessionmaker(reader, expire_on_commit=False),
        _SqliteState(engine) if engine.dialect.name == "sqlite" else _PostgresqlState(engine),
    )


def ask_much(session: Session) -> None:
    """Until the end of the transaction PostgreSQL plans each question by what it asks for, and counts in memory.

    It would keep one plan for a day and for two years; and the groups of several columns do not fit into its 4 MB.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(MUCH))


def _prepare_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.prepared_max = PREPARED

    @event.listens_for(engine, "checkin")
    def _leave(_connection: Any, record: Any) -> None:
        record.info["left"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _look(connection: Any, record: Any, _proxy: object) -> None:
        # As `pool_pre_ping`, but for those that were used a moment ago: no server starts again within it.
        if time.monotonic() - record.info.get("left", time.monotonic()) > MOMENT:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise InvalidatePoolError from error


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        # The driver must not open transactions by itself: a migration would end half applied (reliability §0.9).
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000"):
            connection.execute(f"PRAGMA {pragma}")

    _queue_writers(engine)


def _queue_writers(engine: Engine) -> None:
    """Threads of one process wait for each other here: SQLite makes them sleep and ask again, up to 100 ms.

    It is still SQLite that decides: a turn that is kept for too long makes others late, not wrong.
    """
    turn = threading.Lock()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        if connection.get_execution_options().get("otklik_read", False):
            connection.exec_driver_sql("BEGIN")
            return
        if not connection.info.get("turn"):
            connection.info["turn"] = turn.acquire(timeout=TURN)
        connection.exec_driver_sql(WRITING_ROOM)
        # A writer takes its lock at once: a reader that turns writer half way fails with SQLITE_BUSY.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "checkin")
    def _leave(connection: Any, record: Any) -> None:
        has_written = "turn" in record.info
        if record.info.pop("turn", False):
            turn.release()
        if has_written and connection is not None:
            connection.execute(ROOM)
