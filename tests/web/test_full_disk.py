"""A full disk (F12): one can read and is told so, nothing is written by half, all goes on when there is room."""

import contextlib
import shutil
from collections import namedtuple

import pytest
from sqlalchemy import event, func, select

import scheduler
from bootstrap import LEAST_ROOM
from models import Reply
from models.database import sqlite_module

USAGE = namedtuple("USAGE", "total used free")


@pytest.fixture
def disk(monkeypatch):
    """Sets the free bytes that the system tells of."""

    def fill(free: int = LEAST_ROOM - 1) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: USAGE(10 * LEAST_ROOM, 0, free))

    return fill


def replies(database) -> int:
    with database.read.begin() as session:
        return session.scalar(select(func.count()).select_from(Reply))


def test_without_room_one_reads_and_is_told_and_nothing_is_written(smm, open_case, database, disk) -> None:
    case_id = open_case()
    disk()
    page = smm.get(f"/inbox/{case_id}")
    assert page.status_code == 200
    assert "На диске не осталось места" in page.text
    refused = smm.post(f"/inbox/{case_id}/reply", htmx=True, text="В среду", form_key="k1")
    assert refused.status_code == 503
    assert replies(database) == 0
    assert smm.get("/health").json["room"] is False
    disk(10 * LEAST_ROOM)
    assert "На диске не осталось места" not in smm.get(f"/inbox/{case_id}").text
    assert smm.post(f"/inbox/{case_id}/reply", htmx=True, text="В среду", form_key="k1").status_code == 204
    assert replies(database) == 1


def test_a_hook_is_told_to_come_again(visitor, disk) -> None:
    disk()
    assert visitor.client.post("/hooks/telegram/whatever", data=b"{}").status_code == 503


def test_a_database_that_cannot_grow_refuses_in_words(smm, open_case, database) -> None:
    """The disk of the database is another one, or the quota of its user is over: SQLite itself says so."""
    case_id = open_case()
    database.engine.dispose()
    with contextlib.closing(sqlite_module().connect(database.engine.url.database)) as raw:
        raw.execute("VACUUM")  # the migrations left free pages behind
        [pages] = raw.execute("PRAGMA page_count").fetchone()

    def cap(raw, _record) -> None:
        raw.execute(f"PRAGMA max_page_count={pages}")

    event.listen(database.engine, "connect", cap)
    long = "В среду. " * 400
    answer = smm.post(f"/inbox/{case_id}/reply", htmx=True, text=long, form_key="k1")
    assert answer.status_code == 503
    assert replies(database) == 0
    event.remove(database.engine, "connect", cap)
    database.engine.dispose()
    assert smm.post(f"/inbox/{case_id}/reply", htmx=True, text=long, form_key="k1").status_code == 204


def test_the_clock_begins_nothing_without_room(desk, database, disk) -> None:
    clock = scheduler.Scheduler(desk)
    clock._leads.set()
    done: list[str] = []
    scheduler.JOBS["of the test"] = lambda _: done.append("done")
    try:
        disk()
        clock._run("of the test")
        assert done == []
        disk(10 * LEAST_ROOM)
        clock._run("of the test")
        assert done == ["done"]
    finally:
        del scheduler.JOBS["of the test"]
