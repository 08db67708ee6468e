"""How long things usually took: median, nine of ten, mean and the longest, exact over any number of rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy.orm import Session

from services.reports.cohorts import COHORTS
from services.reports.cut import Cut
from services.reports.tally import tally


@dataclass(frozen=True, slots=True)
class Spread:
    """Minutes; every figure is None where nothing was counted.

    ``median`` of an even number is the mean of the middle two; ``p90`` is the least that nine of ten do not exceed.
    """

    count: int = 0
    median: Fraction | None = None
    p90: int | None = None
    mean: Fraction | None = None
    longest: int | None = None


def spread_of(histogram: Iterable[tuple[int, int]]) -> Spread:
    """The spread of (minutes, how many took just so long)."""
    bars = sorted(histogram)
    total = sum(number for _minutes, number in bars)
    if not total:
        return Spread()
    middle = Fraction(_at(bars, (total + 1) // 2) + _at(bars, total // 2 + 1), 2)
    mean = Fraction(sum(minutes * number for minutes, number in bars), total)
    return Spread(total, middle, _at(bars, -(-total * 9 // 10)), mean, bars[-1][0])


def _at(bars: list[tuple[int, int]], place: int) -> int:
    for minutes, number in bars:
        place -= number
        if place <= 0:
            return minutes
    raise IndexError(place)


def spreads(session: Session, name: str, column: Any, by: Any, cut: Cut, now: datetime) -> dict[Any, Spread]:
    """The spread of ``column`` over a list for each value of ``by``, and under ``ALL``; equal ones are counted."""
    return spreads_by(session, name, column, () if by is None else (by,), cut, now)[0]


def spreads_by(
    session: Session, name: str, column: Any, keys: Sequence[Any], cut: Cut, now: datetime
) -> tuple[dict[Any, Spread], ...]:
    """The same for each of several columns, of one walk over the list; of none of them: the whole alone."""
    columns = (*keys, column)
    query = COHORTS[name].query(columns, cut, now).where(column.is_not(None))
    bars: list[dict[Any, dict[int, int]]] = [{ALL: {}} for _ in keys or (None,)]
    for *values, minutes, number in tally(session, query, columns):
        for place, found in enumerate(bars):
            for group in (ALL, *values[place : place + 1]):
                histogram = found.setdefault(group, {})
                histogram[minutes] = histogram.get(minutes, 0) + number
    return tuple({group: spread_of(one.items()) for group, one in found.items()} for found in bars)


ALL = "all"
"""The key under which ``spreads`` gives the whole."""
