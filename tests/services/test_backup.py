"""Backup and restore: equal on either database, broken archives refused, unsent acts distrusted."""

import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from models import Act, Attachment, Base, Case, Fact, Message, utc_now
from services.backup import INDEX, SKIPPED, run_backup, run_restore
from services.backup_files import FileStore
from services.errors import DeskError
from services.events import record
from services.nightly import Rule, backup_state, is_due, kept, run_nightly, warn_late
from services.notices import notices_of
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
        session.add(Fact(code="price", title="Цена", value="5 000 ₽", valid_to=date(2026, 12, 31)))
    return run_backup(database, tmp_path / "backups")


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


def test_attachments_lie_apart_once_and_are_missed_when_they_are_gone(
    cast, database, empty_database, tmp_path
) -> None:
    photo = bytes(range(256)) * 300
    cast.write("Смотрите фото")
    label_all(database)
    with database.write.begin() as session:
        message = session.scalars(select(Message)).one()
        for number in range(2):
            session.add(Attachment(message_id=message.id, name=f"{number}.jpg", kind="photo", content=photo))
    folder = tmp_path / "backups"
    first, second = run_backup(database, folder), run_backup(database, folder)
    [kept_file] = [path for path in (folder / "files").rglob("*") if path.is_file()]
    assert kept_file.read_bytes() == photo
    assert second.stat().st_size < len(photo)
    run_restore(empty_database, first)
    with empty_database.read.begin() as session:
        assert [row.content for row in session.scalars(select(Attachment))] == [photo, photo]
    kept_file.write_bytes(photo[:-1])
    with pytest.raises(DeskError) as refused:
        FileStore(folder).get({"file": kept_file.name})
    assert refused.value.code == "backup.file"
    with pytest.raises(DeskError):
        FileStore(folder).get({"file": "../" * 30})


def test_files_go_with_the_last_archive_that_holds_them(cast, database, tmp_path) -> None:
    folder = tmp_path / "backups"
    path = run_backup(database, folder)
    held = FileStore(folder)
    held.put(b"x" * 40_000)
    assert held.forget_unused([folder / "none.zip"]) == 0
    assert held.forget_unused([path]) == 1


def test_a_backup_that_fails_leaves_nothing_but_the_word(cast, database, tmp_path, monkeypatch) -> None:
    def full(*_given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("services.backup._write_table", full)
    now = utc_now()
    assert run_nightly(database, tmp_path / "b", Rule(), "Europe/Moscow", now)
    assert list((tmp_path / "b").glob("otklik-*")) == []
    with database.read.begin() as session:
        state = backup_state(session)
        assert (state.at, state.error, state.late) == (None, "OSError", False)
        assert not is_due(state, Rule(), "Europe/Moscow", now)
        assert is_due(state, Rule(), "Europe/Moscow", now + timedelta(hours=2))


def test_the_rule_keeps_days_weeks_and_months(tmp_path) -> None:
    end = datetime(2026, 11, 26, 0, 5, tzinfo=UTC)
    paths = [tmp_path / f"otklik-{end - timedelta(days=n):%Y%m%dT%H%M%S%f}.zip" for n in range(400)]
    left = kept(paths, Rule(7, 4, 6), "Europe/Moscow")
    ages = sorted((end - datetime.strptime(p.stem[7:22] + "+0000", "%Y%m%dT%H%M%S%z")).days for p in left)
    assert ages[:7] == [0, 1, 2, 3, 4, 5, 6]
    assert len(ages) == len(set(ages)) <= 17
    assert ages[-1] > 120
    assert kept([], Rule(), "UTC") == set()
    assert kept(paths[300:301], Rule(0, 0, 0), "UTC") == set(paths[300:301])


@given(st.lists(st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)), unique=True, max_size=40))
def test_the_newest_is_kept_whatever_there_is(times) -> None:
    paths = [Path(f"otklik-{one:%Y%m%dT%H%M%S%f}.zip") for one in times]
    left = kept(paths, Rule(2, 2, 2), "Europe/Moscow")
    assert len(left) <= 6
    assert not paths or max(paths) in left
    assert kept(left, Rule(2, 2, 2), "Europe/Moscow") == left


def test_the_head_is_told_once_and_no_more_when_it_is_well_again(cast, database, tmp_path, monkeypatch) -> None:
    cast.write("Когда вебинар?")
    with database.write.begin() as session:
        record(session, "desk.began", cast.head)
    late = utc_now() + timedelta(hours=27)
    with database.write.begin() as session:
        assert warn_late(session, utc_now()) == 0
        assert warn_late(session, late) == 1
        assert warn_late(session, late) == 0
    with database.read.begin() as session:
        [line] = notices_of(session, cast.head, late + timedelta(days=1))
        assert line.notice.kind == "backup.late"
        assert notices_of(session, cast.smm, late + timedelta(days=1)) == []
    assert run_nightly(database, tmp_path / "b", Rule(), "Europe/Moscow")
    with database.read.begin() as session:
        assert notices_of(session, cast.head, late + timedelta(days=1)) == []
        assert not is_due(backup_state(session), Rule(), "Europe/Moscow", utc_now())


def test_a_database_newer_than_the_program_is_refused(database) -> None:
    from sqlalchemy import text

    assert present_revision(database) == newest_revision()
    assert check_revision(database) is False
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DeskError) as refused:
        check_revision(database)
    assert refused.value.code == "schema.newer"
