"""Working time as pure arithmetic: which days and hours count, what lies a term away, how much lies between."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from types import MappingProxyType, ModuleType
from zoneinfo import ZoneInfo

STATUTORY = frozenset(
    [*((1, day) for day in range(1, 9)), (2, 23), (3, 8), (5, 1), (5, 9), (6, 12), (11, 4)]
)  # fmt: skip
"""Month and day of the public holidays of article 112 of the Labour Code; the working day before one is an hour
shorter (article 95)."""

OFFICIAL: Mapping[date, str] = MappingProxyType({date(2024, 11, 2): "short", date(2025, 11, 1): "short"})
"""Days of the official calendars that the two articles do not give: working Saturdays that came short."""

KINDS = ("off", "work", "short")
SHORTER = timedelta(hours=1)
MOST_DAYS = 3660
"""A term that ends beyond ten years is a mistake of the settings, not a term."""


@lru_cache(maxsize=4096)
def _official_kind(day: date) -> str:
    moved_off, moved_on = _moved(day.year)
    if day in OFFICIAL:
        return OFFICIAL[day]
    if day in moved_off or (day.weekday() > 4 and day not in moved_on):
        return "off"
    following = day + timedelta(days=1)
    return "short" if (following.month, following.day) in STATUTORY else "work"


@lru_cache(maxsize=64)
def _moved(year: int) -> tuple[frozenset[date], frozenset[date]]:
    """Days off and working Saturdays of a year; a year without a decree has its public holidays only."""
    # Its import takes time that the first page need not wait for.
    import holidays

    _one_country(holidays.__path__)
    known = holidays.country_holidays("RU", years=year)
    return frozenset(known), frozenset(known.weekend_workdays)


def _one_country(beside: Iterable[str]) -> None:
    """Lets `holidays` load Russia alone: its package of countries would load three hundred modules, a second of
    work and 10 MB that every process then keeps."""
    package = ModuleType("holidays.countries")
    package.__path__ = [f"{folder}/countries" for folder in beside]
    sys.modules.setdefault(package.__name__, package)


def is_decreed(year: int) -> bool:
    """Whether the days that a decree moves are known, not the public holidays alone."""
    moved_off, moved_on = _moved(year)
    return bool(moved_on) or any((day.month, day.day) not in STATUTORY for day in moved_off)


@dataclass(frozen=True)
class Calendar:
    """``opens`` and ``closes`` are local times, 24:00 is ``time.max``; ``every_day``: Sundays and holidays too.

    ``changes``: date → off · work · short, the school's own days, which win over the official ones; a calendar
    that works every day knows no short ones.
    """

    opens: time
    closes: time
    every_day: bool = False
    zone: str = "Europe/Moscow"
    changes: Mapping[date, str] = field(default_factory=dict)
    _spans: dict[date, tuple[datetime, datetime] | None] = field(
        default_factory=dict, init=False, repr=False, compare=False, hash=False
    )

    def kind(self, day: date) -> str:
        """off · work · short."""
        if self.every_day:
            return "work"
        return self.changes.get(day) or _official_kind(day)

    def works(self, day: date) -> bool:
        return self.kind(day) != "off"

    def span(self, day: date) -> tuple[datetime, datetime] | None:
        """When the day opens and closes, in UTC, so that a change of the clocks counts as it was lived."""
        if day not in self._spans:
            self._spans[day] = self._span(day)
        return self._spans[day]

    def _span(self, day: date) -> tuple[datetime, datetime] | None:
        kind = self.kind(day)
        if kind == "off":
            return None
        here = ZoneInfo(self.zone)
        last = day + timedelta(days=1) if self.closes == time.max else day
        close_at = time.min if self.closes == time.max else self.closes
        opens = datetime.combine(day, self.opens, here).astimezone(UTC)
        closes = datetime.combine(last, close_at, here).astimezone(UTC)
        if kind == "short":
            closes -= SHORTER
        return (opens, closes) if opens < closes else None

    def local_day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.zone)).date()

    def spans_from(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Working spans from the local day of ``at`` on, oldest first, at most ten years of them."""
        day = self.local_day(at)
        for number in range(MOST_DAYS):
            span = self.span(day + timedelta(days=number))
            if span is not None:
                yield span


def add_working(calendar: Calendar, at: datetime, term: timedelta) -> datetime:
    """The moment by which ``term`` of working time has passed since ``at``, in UTC; at a close rather than at the
    next opening, and ``at`` itself for no term. Raises OverflowError beyond ten years."""
    left = term
    if left <= timedelta(0):
        return at.astimezone(UTC)
    for opens, closes in calendar.spans_from(at):
        begin = max(opens, at)
        if begin >= closes:
            continue
        if closes - begin >= left:
            return begin.astimezone(UTC) + left
        left -= closes - begin
    raise OverflowError(term)


def working_between(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """Working time between two moments; nothing when the second is not later."""
    passed = timedelta(0)
    if end <= start:
        return passed
    for opens, closes in calendar.spans_from(start):
        if opens >= end:
            break
        passed += max(min(closes, end) - max(opens, start), timedelta(0))
    return passed


def next_answering(calendar: Calendar, at: datetime, hours: tuple[time, ...]) -> datetime:
    """The first of a department's answering hours («10:00 и 17:00») at ``at`` or later, on a working day; ``at``
    itself when it keeps no hours."""
    if not hours:
        return at.astimezone(UTC)
    here = ZoneInfo(calendar.zone)
    day = calendar.local_day(at)
    for number in range(MOST_DAYS):
        on = day + timedelta(days=number)
        if calendar.works(on):
            for hour in sorted(hours):
                moment = datetime.combine(on, hour, here)
                if moment >= at:
                    return moment.astimezone(UTC)
    raise OverflowError(at)


def next_working_day(calendar: Calendar, day: date, *, same: bool = False) -> date:
    """The first working day after ``day``, or ``day`` itself when it is one and ``same``."""
    day = day if same else day + timedelta(days=1)
    while not calendar.works(day):
        day += timedelta(days=1)
    return day


def previous_working_day(calendar: Calendar, day: date) -> date:
    """The last working day strictly before ``day``."""
    day -= timedelta(days=1)
    while not calendar.works(day):
        day -= timedelta(days=1)
    return day


def add_working_days(calendar: Calendar, day: date, count: int) -> date:
    """The ``count``-th working day after ``day``, which itself does not count."""
    for _ in range(count):
        day = next_working_day(calendar, day)
    return day


def legal_dates(calendar: Calendar, received: date, calendar_days: int) -> tuple[date, date]:
    """(legal, control): a term in calendar days that ends on a day off moves to the next working day (article 193
    of the Civil Code); control is the last working day before the unmoved end, less one working day."""
    end = received + timedelta(days=calendar_days)
    control = previous_working_day(calendar, previous_working_day(calendar, end))
    return next_working_day(calendar, end, same=True), control


def end_of_day(calendar: Calendar, day: date) -> datetime:
    """The last moment of a local day that still keeps a legal date, in UTC."""
    return datetime.combine(day, time(23, 59, 59), ZoneInfo(calendar.zone)).astimezone(UTC)
