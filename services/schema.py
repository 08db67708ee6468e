"""The shape of the database: brought up to date at start, refused when it is newer than the program."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from models.database import Database
from services.errors import DeskError

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"

MIGRATING = 4_811_000
"""Number of the advisory lock of PostgreSQL under which one process migrates."""


def newest_revision() -> str:
    """The revision of this program: files are named by their number, so that reading names is enough."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def present_revision(database: Database) -> str | None:
    """The revision of the database; None when it is empty."""
    if not inspect(database.engine).has_table("alembic_version"):
        return None
    with database.engine.connect() as connection:
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


def upgrade(database: Database, revision: str = "head") -> None:
    """Runs the migrations in one transaction, so that a kill leaves the old shape or the new one."""
    run_alembic(database, "upgrade", revision)


def upgrade_apart(database: Database, meanwhile: Callable[[], object] = lambda: None) -> None:
    """`upgrade` in a process of its own: Alembic and the shapes of all revisions, 25 MB, go with it.

    Only where nothing else runs yet; this process does ``meanwhile``. What fails there is tried again here, so that
    it fails in the hearing of the caller; whatever was killed left the old shape or the new one.
    """
    if hasattr(os, "fork") and threading.active_count() == 1:
        database.engine.dispose()  # neither side may use a connection that the other one has
        child = os.fork()
        if not child:
            with contextlib.suppress(BaseException):
                upgrade(database)
                database.engine.dispose()
                os._exit(0)
            os._exit(1)
        meanwhile()
        if os.waitpid(child, 0)[1] == 0:
            return
    upgrade(database)


def run_alembic(database: Database, word: str, *given: str) -> None:
    """One command of Alembic over the open database, in one transaction."""
    # Alembic takes a third of a second to import; a start that migrates nothing does without it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.connect() as connection, _without_foreign_keys(database, connection), connection.begin():
        if not database.is_sqlite:  # several processes may be started at once: the second finds it done
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATING})
        config.attributes["connection"] = connection
        getattr(command, word)(config, *given)
        if database.is_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise DeskError("schema.broken")


@contextmanager
def _without_foreign_keys(database: Database, connection: Connection) -> Iterator[None]:
    """SQLite alters a table by making it anew and dropping the old one, to which others refer; only outside a
    transaction can it be told to let that pass (sqlite.org/lang_altertable.html, section 7)."""
    raw = connection.connection.dbapi_connection
    if not database.is_sqlite or raw is None:
        yield
        return
    raw.cursor().execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        raw.cursor().execute("PRAGMA foreign_keys=ON")


def check_revision(database: Database) -> bool:
    """True when migrations must run; raises DeskError(«schema.newer») when the program is too old."""
    present, newest = present_revision(database), newest_revision()
    if present is not None and present > newest:
        raise DeskError("schema.newer", present=present, newest=newest)
    return present != newest
