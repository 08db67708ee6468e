"""A signed month: nothing of it changes, a forged figure is found, and later data show as a difference."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, update

import services.reports.upkeep  # noqa: F401 (by being imported it writes the facts)
from models import CaseFact, Event, Snapshot, SnapshotFile, Source, utc_now
from services.accounts import create_staff
from services.errors import Forbidden, NotFound, Refused
from services.reports.summary import (
    changes_since,
    files_of,
    is_whole,
    month_cut,
    read_file,
    see_snapshot,
    snapshots,
    summary,
    take_snapshot,
)
from services.rights import DESK, actor_of
from tests.services.test_cases import label_all

ZONE = "Europe/Moscow"
OVER = datetime(2026, 12, 3, 9, 0, tzinfo=UTC)


@pytest.fixture
def director(database):
    with database.write.begin() as session:
        row = create_staff(session, DESK, email="d@school.example", name="Олег Взор", roles=("director",))
        return actor_of(row)


@pytest.fixture
def signed(cast, database):
    """November with one case, signed on 3 December; returns the snapshot's id."""
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).created_at = OVER - timedelta(days=60)
    with time_machine.travel(OVER - timedelta(days=10), tick=False) as clock:
        cast.write("Когда вебинар?", published_at=utc_now())
        label_all(database)
        clock.move_to(OVER)
        yield sign(cast.head, database)


def sign(actor, database, month: str = "2026-11") -> int:
    with database.write.begin() as session:
        tables = summary(session, actor, month_cut(month, ZONE), utc_now())
        files = {"a.pdf": b"paper", "b.json": b"{}"}
        row = take_snapshot(session, actor, month, tables, files, " Успели ", "", date(2026, 12, 3), ZONE)
        return row.id


def test_what_was_signed_stands_and_later_data_show(cast, database, signed) -> None:
    with database.read.begin() as session:
        row = session.get_one(Snapshot, signed)
        assert is_whole(session, row)
        assert changes_since(session, cast.head, row, ZONE) == []
        assert (row.conclusions, row.number, row.signed_by) == ("Успели", 1, cast.head.staff_id)
        assert row.figures["in_time"]["whole"]["first_late"] == 1
    with database.write.begin() as session:
        session.execute(update(CaseFact).values(counts=False))
    with database.read.begin() as session:
        row = session.get_one(Snapshot, signed)
        found = {
            (one.code, one.column): (one.then, one.now) for one in changes_since(session, cast.head, row, ZONE)
        }
        assert found["in_time", "first_late"] == (1, 0)
        assert is_whole(session, row)
    assert sign(cast.head, database) != signed
    with database.read.begin() as session:
        assert [row.number for row in snapshots(session, cast.head)] == [2, 1]


def test_a_forged_figure_or_file_is_found(cast, database, signed) -> None:
    with database.write.begin() as session:
        row = session.get_one(Snapshot, signed)
        kept = row.figures
        row.figures = {**kept, "in_time": {**kept["in_time"], "whole": {}}}
        session.flush()
        assert not is_whole(session, row)
        row.figures = kept
        session.flush()
        assert is_whole(session, row)
        session.execute(update(SnapshotFile).where(SnapshotFile.name == "a.pdf").values(content=b"other"))
        session.expire_all()
        assert not is_whole(session, session.get_one(Snapshot, signed))


def test_the_head_signs_a_month_that_is_over_and_the_director_reads_it_once(
    cast, database, signed, director
) -> None:
    with pytest.raises(Refused):
        sign(cast.head, database, "2026-12")
    with pytest.raises(Forbidden):
        sign(director, database)
    with database.write.begin() as session:
        with pytest.raises(Forbidden):
            see_snapshot(session, cast.head, signed)
        first = see_snapshot(session, director, signed).seen_at
        assert see_snapshot(session, director, signed).seen_at == first
        told = session.scalars(select(Event.kind).where(Event.kind.like("report.%")).order_by(Event.id)).all()
        assert told == ["report.signed", "report.seen"]
        assert read_file(session, director, signed, "a.pdf") == b"paper"
        with pytest.raises(NotFound):
            read_file(session, director, signed, "c.pdf")
        assert len(files_of(session, signed)) == 2
    with pytest.raises(NotFound):
        month_cut("2026-13", ZONE)


def test_what_is_signed_names_nobody(cast, database) -> None:
    """A register tells of people by name; the month keeps its figures alone, for whoever is forgotten later."""
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).created_at = OVER - timedelta(days=60)
    with time_machine.travel(OVER - timedelta(days=10), tick=False) as clock:
        cast.write("Когда вебинар?", "Анна Яр", published_at=utc_now())
        label_all(database)
        with database.write.begin() as session:
            session.execute(update(CaseFact).values(kind="complaint"))
        clock.move_to(OVER)
        with database.read.begin() as session:
            register = summary(session, cast.head, month_cut("2026-11", ZONE), utc_now())["register"]
            assert "Анна Яр" in str(register)
        signed = sign(cast.head, database)
    with database.read.begin() as session:
        row = session.get_one(Snapshot, signed)
        kept = json.dumps(row.figures, ensure_ascii=False)
        assert "Анна Яр" not in kept
        assert "Когда вебинар" not in kept
        assert row.figures["register"]["whole"]["in_register"] == 1
        assert is_whole(session, row)
