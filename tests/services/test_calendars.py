"""Working time: the vectors of the Regulation's terms, and what must hold for every moment."""

import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import ROOT
from services.calendars import (
    Calendar,
    add_working,
    add_working_days,
    legal_dates,
    next_answering,
    working_between,
)

MOSCOW = ZoneInfo("Europe/Moscow")
DESK = Calendar(time(9), time(18))
DUTY = Calendar(time(9), time(21), every_day=True)
ALWAYS = Calendar(time(0), time.max, every_day=True)
BERLIN = Calendar(time(9), time(18), zone="Europe/Berlin")
BERLIN_NIGHT = Calendar(time(0), time.max, every_day=True, zone="Europe/Berlin")
KAMCHATKA = Calendar(time(9), time(18), zone="Asia/Kamchatka")
CALENDARS = st.sampled_from([DESK, DUTY, ALWAYS, BERLIN, BERLIN_NIGHT, KAMCHATKA])
MOMENTS = st.datetimes(datetime(2025, 12, 1), datetime(2028, 2, 1), timezones=st.just(UTC))
TERMS = st.integers(0, 90 * 60).map(lambda minutes: timedelta(minutes=minutes))


def moscow(text: str) -> datetime:
    return datetime.strptime(text, "%d.%m.%Y %H:%M").replace(tzinfo=MOSCOW)


@pytest.mark.parametrize(
    ("calendar", "start", "hours", "due"),
    [
        (DESK, "30.10.2026 17:30", 2, "02.11.2026 10:30"),
        (DESK, "03.11.2026 16:30", 2, "05.11.2026 10:30"),
        (DESK, "31.10.2026 12:00", 2, "02.11.2026 11:00"),
        (DESK, "09.06.2026 17:00", 18, "11.06.2026 17:00"),
        (DESK, "30.12.2026 17:00", 4, "11.01.2027 12:00"),
        (DUTY, "29.11.2026 20:10", 1, "30.11.2026 09:10"),
        (ALWAYS, "31.12.2026 23:50", 0.25, "01.01.2027 00:05"),
        # Due exactly at the close is valid, also when the term starts before the opening.
        (DESK, "30.10.2026 07:00", 9, "30.10.2026 18:00"),
        # A working Saturday that came an hour short, and the days off it was given for.
        (DESK, "31.10.2025 17:30", 9, "05.11.2025 09:30"),
    ],
)
def test_the_vectors(calendar, start, hours, due) -> None:
    assert add_working(calendar, moscow(start), timedelta(hours=hours)) == moscow(due)
    assert working_between(calendar, moscow(start), moscow(due)) == timedelta(hours=hours)


def test_the_vectors_of_days() -> None:
    assert add_working_days(DESK, date(2026, 10, 27), 10) == date(2026, 11, 11)
    assert add_working_days(DESK, date(2026, 11, 11), 5) == date(2026, 11, 18)
    assert legal_dates(DESK, date(2026, 11, 25), 10) == (date(2026, 12, 7), date(2026, 12, 3))
    assert legal_dates(DESK, date(2026, 12, 24), 10) == (date(2027, 1, 11), date(2026, 12, 29))


def test_short_and_moved_days_of_a_year() -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    short = [day for day in days if DESK.kind(day) == "short"]
    assert short == [date(2026, 4, 30), date(2026, 5, 8), date(2026, 6, 11), date(2026, 11, 3)]
    # The official calendar of 2026 for a week of five days.
    assert sum(DESK.works(day) for day in days) == 247


def test_the_schools_own_days_win() -> None:
    own = Calendar(
        time(9), time(18), changes={date(2026, 11, 4): "work", date(2026, 11, 5): "off", date(2026, 11, 6): "short"}
    )
    assert add_working(own, moscow("03.11.2026 16:30"), timedelta(hours=2)) == moscow("04.11.2026 10:30")
    assert add_working(own, moscow("04.11.2026 17:30"), timedelta(hours=8.5)) == moscow("06.11.2026 17:00")


@pytest.mark.parametrize(
    ("at", "then"),
    [
        ("25.11.2026 09:59", "25.11.2026 10:00"),
        ("25.11.2026 10:00", "25.11.2026 10:00"),
        ("25.11.2026 10:01", "25.11.2026 17:00"),
        ("27.11.2026 17:01", "30.11.2026 10:00"),  # Friday evening
        ("30.12.2026 18:00", "11.01.2027 10:00"),
    ],
)
def test_answering_hours(at, then) -> None:
    assert next_answering(DESK, moscow(at), (time(17), time(10))) == moscow(then)
    assert next_answering(DESK, moscow(at), ()) == moscow(at)


def test_a_calendar_that_never_opens_says_so() -> None:
    never = Calendar(time(9), time(9))
    with pytest.raises(OverflowError):
        add_working(never, moscow("25.11.2026 10:00"), timedelta(hours=1))


@given(CALENDARS, MOMENTS, TERMS, TERMS)
def test_terms_add_up(calendar, start, one, two) -> None:
    assert add_working(calendar, add_working(calendar, start, one), two) == add_working(calendar, start, one + two)


@given(CALENDARS, MOMENTS, TERMS)
def test_what_is_added_lies_between(calendar, start, term) -> None:
    due = add_working(calendar, start, term)
    assert due >= start
    assert working_between(calendar, start, due) == term


@given(CALENDARS, MOMENTS, MOMENTS, TERMS)
def test_who_starts_later_is_not_due_earlier(calendar, one, two, term) -> None:
    early, late = sorted((one, two))
    assert add_working(calendar, early, term) <= add_working(calendar, late, term)
    assert add_working(calendar, early, term) <= add_working(calendar, early, term + timedelta(minutes=1))


@given(CALENDARS, st.lists(MOMENTS, min_size=3, max_size=3).map(sorted))
def test_time_between_is_a_sum_and_never_negative(calendar, moments) -> None:
    first, middle, last = moments
    whole = working_between(calendar, first, last)
    assert timedelta(0) <= whole <= last - first
    assert working_between(calendar, first, middle) + working_between(calendar, middle, last) == whole
    assert working_between(calendar, last, first) == timedelta(0)


@given(MOMENTS, MOMENTS)
def test_around_the_clock_is_the_clock(one, two) -> None:
    first, last = sorted((one, two))
    assert working_between(BERLIN_NIGHT, first, last) == last - first


@given(CALENDARS, MOMENTS, TERMS, st.sampled_from(["Asia/Tokyo", "America/New_York", "Europe/Moscow"]))
def test_the_zone_a_moment_is_written_in_changes_nothing(calendar, start, term, zone) -> None:
    elsewhere = start.astimezone(ZoneInfo(zone))
    assert add_working(calendar, elsewhere, term) == add_working(calendar, start, term)
    assert working_between(calendar, elsewhere, start + term) == working_between(calendar, start, start + term)


def test_no_other_country_is_loaded_and_russia_is_as_the_library_has_it() -> None:
    asked = """
import sys
from services.calendars import _moved
found = [_moved(year) for year in range(2022, 2029)]
print(sum(name.startswith("holidays.countries.") for name in sys.modules))
for name in [name for name in sys.modules if name.split(".")[0] == "holidays"]:
    del sys.modules[name]
import holidays
whole = [holidays.country_holidays("RU", years=year) for year in range(2022, 2029)]
print(sum(name.startswith("holidays.countries.") for name in sys.modules))
assert found == [(frozenset(one), frozenset(one.weekend_workdays)) for one in whole]
"""
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    ours, whole = (int(line) for line in done.stdout.split())
    assert ours <= 3 < 100 < whole
