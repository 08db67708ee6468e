"""The log of checks: a look is due by the place's frequency and hours; windows are counted by the clock."""

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from models import Source, Staff, Task, Visit, VisitedPlace
from services import visits
from services.errors import Forbidden, Refused
from services.reports.cut import Cut
from services.reports.tables import run_table
from services.settings.known import take_back
from services.visits import Form, run_visits, windows_of

MSK = ZoneInfo("Europe/Moscow")
DAY = datetime(2026, 11, 26, 9, 0, tzinfo=MSK)


def add(database, cast, **given) -> int:
    with time_machine.travel(DAY, tick=False), database.write.begin() as session:
        return visits.save_place(session, cast.head, Form(**{"title": "Отзовик", **given})).id


def note(database, actor, place_id: int, at: datetime, outcome: str = "nothing", count: int = 0) -> None:
    with time_machine.travel(at, tick=False), database.write.begin() as session:
        visits.note_visit(session, actor, place_id, outcome, count)


def tasks(database) -> list[tuple[str, str]]:
    with database.read.begin() as session:
        return [(task.text, task.state) for task in session.scalars(select(Task).order_by(Task.id))]


def test_an_overdue_place_is_one_task_until_somebody_looks(cast, database) -> None:
    place_id = add(database, cast)
    assert run_visits(database, DAY + timedelta(minutes=119)) == 0
    assert run_visits(database, DAY + timedelta(minutes=121)) == 1
    assert run_visits(database, DAY + timedelta(minutes=150)) == 0
    assert tasks(database) == [("Проверить вручную: Отзовик", "open")]
    note(database, cast.smm, place_id, DAY + timedelta(minutes=151))
    assert tasks(database) == [("Проверить вручную: Отзовик", "done")]
    with database.read.begin() as session:
        looked = visits.log_of(session, cast.smm)
        assert [(one.place, one.staff, one.visit.outcome) for one in looked] == [
            ("Отзовик", "Дарья Лис", "nothing")
        ]
    assert run_visits(database, DAY + timedelta(minutes=260)) == 0
    assert run_visits(database, DAY + timedelta(hours=13)) == 0  # its hours are over


def test_a_connector_that_reads_is_a_look_and_one_that_is_silent_is_none(cast, database) -> None:
    add(database, cast, source_id=cast.source_id)
    with database.write.begin() as session:
        session.get_one(Source, cast.source_id).read_at = DAY + timedelta(minutes=30)
    assert run_visits(database, DAY + timedelta(minutes=31)) == 1
    assert run_visits(database, DAY + timedelta(minutes=32)) == 0
    assert run_visits(database, DAY + timedelta(minutes=151)) == 1  # silent for two hours
    assert tasks(database) == [("Проверить вручную: Отзовик", "open")]
    with database.write.begin() as session:
        source = session.get_one(Source, cast.source_id)
        source.read_at, source.error_code = DAY + timedelta(minutes=160), None
    assert run_visits(database, DAY + timedelta(minutes=161)) == 1
    assert tasks(database) == [("Проверить вручную: Отзовик", "done")]


def test_the_report_counts_windows_that_are_over(cast, database) -> None:
    place_id = add(database, cast, every_minutes=180)  # 9–12, 12–15, 15–18, 18–21
    note(database, cast.smm, place_id, DAY + timedelta(minutes=10))
    note(database, cast.smm, place_id, DAY + timedelta(minutes=20), "found", 3)
    note(database, cast.smm, place_id, DAY + timedelta(hours=7))
    now = datetime(2026, 11, 26, 18, 30, tzinfo=MSK)
    with database.read.begin() as session:
        table = run_table(session, cast.head, "visits", Cut(date(2026, 11, 26), date(2026, 11, 26)), now)
        [line] = table.lines
        assert [cell.value for cell in line.cells] == [3, 2, 2 / 3, 3, 3]
        assert [cell.value for cell in table.total or ()] == [cell.value for cell in line.cells]


def test_what_is_refused_and_to_whom(cast, database) -> None:
    for wrong in ({"title": " "}, {"every_minutes": 5}, {"opens": "21:00", "closes": "9:00"}, {"url": "ftp://x"}):
        with pytest.raises(Refused):
            add(database, cast, **wrong)
    place_id = add(database, cast)
    with pytest.raises(Refused):
        note(database, cast.smm, place_id, DAY, "maybe")
    with pytest.raises(Forbidden):
        note(database, cast.curator, place_id, DAY)
    with pytest.raises(Forbidden), database.write.begin() as session:
        visits.save_place(session, cast.smm, Form("Ещё"))
    with database.write.begin() as session:
        visits.drop_place(session, cast.head, place_id)
    with database.read.begin() as session:
        assert visits.list_places(session, cast.smm) == []
        assert session.scalars(select(Visit)).all() == []


@given(st.integers(10, 1440), st.integers(0, 22), st.integers(1, 24))
def test_windows_fill_the_hours_without_holes(every: int, opens: int, length: int) -> None:
    closes = min(24, opens + length)
    place = VisitedPlace(
        every_minutes=every, opens=f"{opens}:00", closes="24:00" if closes == 24 else f"{closes}:00"
    )
    found = windows_of(place, date(2026, 11, 26), MSK)
    assert found[0][0] == datetime(2026, 11, 26, opens, tzinfo=MSK)
    assert found[-1][1].astimezone(UTC) == datetime(2026, 11, 26, tzinfo=MSK).astimezone(UTC) + timedelta(
        hours=closes
    )
    assert all(one[1] == other[0] for one, other in itertools.pairwise(found))


def test_the_plan_has_versions_and_comes_back(database, cast) -> None:
    """services/visits.py"""
    first = add(database, cast)
    with database.write.begin() as session:
        visits.save_place(session, cast.head, Form("Отзовик", every_minutes=30, staff_id=cast.smm.staff_id), first)
    second = add(database, cast, title="Чат")
    assert run_visits(database, DAY + timedelta(minutes=121)) == 2
    with database.write.begin() as session:
        visits.drop_place(session, cast.head, first)
    with database.write.begin() as session:
        take_back(session, cast.head, visits.NAME, 2)
        assert [(row["id"], row["every_minutes"], row["active"]) for row in visits.snapshot(session)] == [
            (first, 30, True), (second, 120, False)
        ]  # fmt: skip
        assert session.scalars(select(Task.open_key).where(Task.state == "open")).all() == []
        session.get_one(Staff, cast.smm.staff_id).active = False
    with database.write.begin() as session:
        take_back(session, cast.head, visits.NAME, 1)
        with pytest.raises(Refused) as refused:
            take_back(session, cast.head, visits.NAME, 2)
        assert refused.value.data["name"] == cast.smm.name
        with pytest.raises(Forbidden):
            take_back(session, cast.smm, visits.NAME, 1)
