"""How long things usually took: median, nine of ten, mean and the longest, exact over any number of rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import func, literal
from sqlalchemy.orm import Session

from services.reports.cohorts import COHORTS
from services.reports.cut import Cut


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
    """The spread of ``column`` over a list, for each value of ``by`` and under None-of-all ``ALL``.

    One query counts equal values, so that no row leaves the database.
    """
    key = literal(0) if by is None else by
    query = COHORTS[name].query((key, column, func.count()), cut, now).where(column.is_not(None))
    bars: dict[Any, list[tuple[int, int]]] = {}
    whole: dict[int, int] = {}
    for group, minutes, number in session.execute(query.group_by(*(() if by is None else (by,)), column)):
        bars.setdefault(group, []).append((minutes, number))
        whole[minutes] = whole.get(minutes, 0) + number
    found = {group: spread_of(histogram) for group, histogram in bars.items()} if by is not None else {}
    return {**found, ALL: spread_of(whole.items())}


ALL = "all"
"""The key under which ``spreads`` gives the whole."""
