"""Migrations make exactly the tables of the models, on both databases, wholly or not at all."""

import os
import subprocess
import sys
import threading

import pytest
from alembic.util import CommandError
from sqlalchemy import inspect, select, text

from config import ROOT
from models import Act, Base, Case
from models.database import is_sqlite_sound
from services.replies import write_reply
from services.schema import MIGRATIONS, newest_revision, present_revision, run_alembic, upgrade, upgrade_apart
from tests.services.test_cases import label_all


def test_migrations_equal_models(database) -> None:
    try:
        run_alembic(database, "check")
    except CommandError as error:
        pytest.fail(str(error))


def test_down_and_up_again(database) -> None:
    run_alembic(database, "downgrade", "base")
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version"}
    upgrade(database)
    # SQLite lists the parts of the index of search as tables of their own.
    found = {name for name in inspect(database.engine).get_table_names() if not name.startswith("search_fts")}
    assert found == {*Base.metadata.tables, "alembic_version"}


def test_rows_go_down_and_up_with_every_revision(cast, database) -> None:
    cast.write("Когда вебинар?")
    label_all(database)
    with database.write.begin() as session:
        write_reply(session, cast.smm, session.scalars(select(Case.id)).one(), "В среду.", "form-1")
    revisions = sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    for revision in reversed(revisions[:-1]):
        run_alembic(database, "downgrade", revision)
    for revision in revisions:
        upgrade(database, revision)
    with database.read.begin() as session:
        assert session.scalars(select(Act.text)).one() == "В среду."


def test_a_migration_that_fails_half_way_leaves_nothing(empty_database, monkeypatch) -> None:
    from alembic.operations import Operations

    real, seen = Operations.create_table, []

    def fail_at_the_fifth(self, name, *given, **more):
        seen.append(name)
        if len(seen) == 5:
            raise RuntimeError("killed")
        return real(self, name, *given, **more)

    monkeypatch.setattr(Operations, "create_table", fail_at_the_fifth)
    with pytest.raises(RuntimeError):
        upgrade(empty_database)
    assert inspect(empty_database.engine).get_table_names() == []


def test_a_process_that_begins_migrates_in_another_one(empty_database, monkeypatch) -> None:
    parent = os.getpid()
    monkeypatch.setattr(threading, "active_count", lambda: 1)  # whatever else the suite has begun

    def there(database) -> None:
        assert os.getpid() != parent
        upgrade(database)

    monkeypatch.setattr("services.schema.upgrade", there)
    upgrade_apart(empty_database)
    assert present_revision(empty_database) == newest_revision()


def test_what_migrates_is_not_kept_in_memory(tmp_path) -> None:
    asked = f"""
import sys
from models.database import open_database
from services.schema import upgrade_apart
upgrade_apart(open_database("sqlite:///{tmp_path / "desk.db"}"))
print("alembic" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("threads", [1, 2])
def test_a_migration_that_fails_apart_is_heard_here(empty_database, monkeypatch, threads) -> None:
    def fail(database) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(threading, "active_count", lambda: threads)
    monkeypatch.setattr("services.schema.upgrade", fail)
    with pytest.raises(RuntimeError):
        upgrade_apart(empty_database)
    assert inspect(empty_database.engine).get_table_names() == []


@pytest.mark.parametrize(
    ("version", "sound"),
    [("3.40.1", False), ("3.51.2", False), ("3.51.3", True), ("3.50.7", True), ("3.6.9", True)],
)
def test_the_sqlite_versions_that_corrupt_are_known(version, sound) -> None:
    assert is_sqlite_sound(version) is sound


def test_sqlite_is_opened_as_the_desk_needs_it(database) -> None:
    if not database.is_sqlite:
        pytest.skip("SQLite only")
    with database.engine.connect() as connection:
        answers = [
            connection.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
        version = connection.scalar(text("SELECT sqlite_version()"))
    assert answers == ["wal", 2, 1]
    assert is_sqlite_sound(version)
