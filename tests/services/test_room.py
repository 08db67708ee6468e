"""Room on the disk: short or full is only reading, room again is writing again."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from models import Setting
from models.database import open_database
from services import room as rooms
from services.room import Room, is_disk_full
from services.schema import upgrade


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    path = tmp_path / "disk"
    path.mkdir()
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(path)], capture_output=True)
    except FileNotFoundError:
        pytest.skip("no mount here")
    if done.returncode:
        pytest.skip("a disk of its own needs root")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=False)


def fill(path: Path) -> OSError:
    with path.open("wb", buffering=0) as file:
        for _ in range(1000):
            try:
                file.write(b"x" * 65536)
            except OSError as error:
                return error
    raise AssertionError("the disk has no end")


def test_a_full_disk_loses_nothing_and_heals_by_itself(small_disk, monkeypatch) -> None:
    monkeypatch.setattr(rooms, "LOOK_SECONDS", -1)
    database = open_database(f"sqlite:///{small_disk / 'otklik.db'}")
    upgrade(database)
    room = Room(small_disk)
    assert not room.is_full()
    with database.write.begin() as session:
        session.add(Setting(name="before", value={"kept": True}))
    ballast = small_disk / "ballast"
    refused = fill(ballast)
    assert is_disk_full(refused)
    assert room.is_full()
    with pytest.raises(DBAPIError) as failed, database.write.begin() as session:
        session.add(Setting(name="during", value={"text": "y" * 3_000_000}))
    assert is_disk_full(failed.value)
    with database.read.begin() as session:
        assert session.scalars(select(Setting.name)).all().count("before") == 1
        assert session.connection().exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    ballast.unlink()
    assert not room.is_full()
    with database.write.begin() as session:
        session.add(Setting(name="after", value={}))
    database.engine.dispose()


def test_a_database_elsewhere_is_tried_again_after_a_while(tmp_path, monkeypatch) -> None:
    now = SimpleNamespace(value=100.0)
    monkeypatch.setattr(rooms.time, "monotonic", lambda: now.value)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**12, total=10**13))
    room = Room(tmp_path)
    assert not room.is_full()
    room.note_full()
    assert room.is_full()
    now.value += rooms.DOUBT_SECONDS + 1
    assert not room.is_full()


def test_other_errors_are_no_full_disk() -> None:
    class DiskFull(Exception):
        """psycopg's name for SQLSTATE 53100."""

    assert is_disk_full(DBAPIError("x", None, DiskFull("could not extend file")))
    assert not is_disk_full(DBAPIError("x", None, ValueError("database is locked")))
    assert not is_disk_full(OSError(13, "denied"))
