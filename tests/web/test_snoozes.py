"""Putting off on the screen: the menu's times, the view, the way back."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import select

from models import Snooze
from tests.web.test_inbox import row_ids

MOSCOW = ZoneInfo("Europe/Moscow")
WEDNESDAY = datetime(2026, 11, 25, 15, 30, tzinfo=MOSCOW)


def until(database):
    with database.read.begin() as session:
        at = session.scalars(select(Snooze.until)).one()
    return at.astimezone(MOSCOW) if at else None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"until": "hour"}, WEDNESDAY + timedelta(hours=1)),
        ({"until": "evening"}, WEDNESDAY.replace(hour=19, minute=0)),
        ({"until": "morning"}, datetime(2026, 11, 26, 9, tzinfo=MOSCOW)),
        ({"until": "monday"}, datetime(2026, 11, 30, 9, tzinfo=MOSCOW)),
        ({"until": "answer"}, None),
        ({"at": "2026-12-01T10:15"}, datetime(2026, 12, 1, 10, 15, tzinfo=MOSCOW)),
    ],
)
def test_the_times_people_mean(enter, open_case, database, fields, expected) -> None:
    case_id = open_case()
    with time_machine.travel(WEDNESDAY, tick=False):
        assert enter("smm").post(f"/inbox/{case_id}/snooze", htmx=True, **fields).status_code == 204
        assert until(database) == expected


@pytest.mark.parametrize("fields", [{}, {"at": "завтра"}, {"at": "2020-01-01T10:00"}, {"until": "evening"}])
def test_a_time_without_sense_is_refused(enter, open_case, fields) -> None:
    case_id = open_case()
    with time_machine.travel(WEDNESDAY.replace(hour=21), tick=False):
        assert enter("smm").post(f"/inbox/{case_id}/snooze", htmx=True, **fields).status_code == 422


def test_it_stands_in_its_view_and_comes_back(smm, open_case) -> None:
    case_id = open_case()
    answer = smm.post(f"/inbox/{case_id}/snooze", htmx=True, until="morning")
    assert f"/inbox/{case_id}/snooze/end" in answer.headers["HX-Trigger"]
    assert row_ids(smm.get("/inbox").text) == []
    page = smm.get("/inbox?stage=later").text
    assert row_ids(page) == [case_id]
    assert "завтра, 9:00" in page
    case = smm.get(f"/inbox/{case_id}").text
    assert "Отложено до завтра, 9:00" in case
    assert "Вернуть сейчас" in case
    smm.post(f"/inbox/{case_id}/snooze/end", htmx=True)
    assert row_ids(smm.get("/inbox").text) == [case_id]
