"""Backup and restore: equal on either database, broken archives refused, unsent acts distrusted."""

import zipfile

import pytest
from sqlalchemy import select

from models import Act, Base, Case, Message
from services.backup import INDEX, SKIPPED, run_backup, run_restore
from services.errors import DeskError
from services.outbox import claim_act
from services.replies import write_reply
from services.schema import check_revision, newest_revision, present_revision, run_alembic, upgrade
from services.search import find
from services.search_index import run_index
from tests.services.test_cases import label_all


def rows(database) -> dict[str, list[tuple]]:
    with database.read.begin() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(table.c.id))]
            for table in Base.metadata.sorted_tables
            if table.name not in (*SKIPPED, "act", "event") and not table.name.startswith(INDEX)
        }


@pytest.fixture
def archive(cast, database, tmp_path):
    cast.write("Когда вебинар? 🙂 =1+1")
    label_all(database)
    with database.write.begin() as session:
        write_reply(session, cast.smm, session.scalars(select(Case.id)).one(), "В среду.", "f", undo_seconds=0)
    return run_backup(database, tmp_path / "backups", keep=3)


def test_a_round_trip_gives_the_same_rows_and_sends_nothing_blindly(
    cast, database, empty_database, archive
) -> None:
    counts = run_restore(empty_database, archive)
    assert counts["message"] == 1
    assert rows(empty_database) == rows(database)
    with empty_database.write.begin() as session:
        act = session.scalars(select(Act)).one()
        assert (act.state, act.first_attempt_at is not None) == ("unknown", True)
        assert claim_act(session) is None
        # New rows are numbered above the restored ones.
        old = session.scalars(select(Message)).one()
        session.add(Act(kind="like", source_id=act.source_id, token="t2"))
        session.flush()
        assert old.id == 1
    run_index(empty_database)
    with empty_database.read.begin() as session:
        assert find(session, cast.smm, "вебинары", zone="UTC").count == 1


def test_restoring_over_rows_and_from_broken_archives_is_refused(database, empty_database, archive) -> None:
    with pytest.raises(DeskError) as refused:
        run_restore(database, archive)
    assert refused.value.code == "restore.not_empty"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(archive.with_name("cut.zip"), "w") as new:
        for name in old.namelist():
            body = old.read(name)
            new.writestr(name, body.replace("Когда".encode(), "Никогда".encode()) if "message" in name else body)
    with pytest.raises(DeskError) as refused:
        run_restore(empty_database, archive.with_name("cut.zip"))
    assert refused.value.code == "backup.broken"
    assert not any(rows(empty_database).values())
    archive.with_name("none.zip").write_bytes(b"PK nothing")
    with pytest.raises(DeskError):
        run_restore(empty_database, archive.with_name("none.zip"))


def test_an_older_database_is_backed_up_before_its_migration_and_restored_into_the_newest(
    cast, database, empty_database, tmp_path
) -> None:
    cast.write("Когда вебинар?")
    label_all(database)
    with database.write.begin() as session:
        write_reply(session, cast.smm, session.scalars(select(Case.id)).one(), "В среду.", "f", undo_seconds=0)
    run_alembic(database, "downgrade", "0001")
    archive = run_backup(database, tmp_path / "backups")
    upgrade(database)
    before = rows(database)
    assert run_restore(empty_database, archive)["act"] == 1
    assert present_revision(empty_database) == newest_revision()
    assert rows(empty_database) == before
    with empty_database.read.begin() as session:
        act = session.scalars(select(Act)).one()
        assert (act.state, act.attempted_at is not None) == ("unknown", True)


def test_only_the_newest_archives_are_kept(cast, database, tmp_path) -> None:
    made = [run_backup(database, tmp_path / "b", keep=2) for _ in range(4)]
    assert sorted((tmp_path / "b").glob("*.zip")) == made[-2:]


def test_a_database_newer_than_the_program_is_refused(database) -> None:
    from sqlalchemy import text

    assert present_revision(database) == newest_revision()
    assert check_revision(database) is False
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DeskError) as refused:
        check_revision(database)
    assert refused.value.code == "schema.newer"
