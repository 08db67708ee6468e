"""How long things usually took: median, nine of ten, mean and the longest, exact over any number of rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy.orm import Session

from services.reports.cohorts import COHORTS
from services.reports.cut import Cut
from services.reports.tally import walk


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
    """The spread of ``column`` over a list for each value of ``by``, and under ``tally.ALL``."""
    return took(session, name, column, () if by is None else (by,), (cut,), now).by[0]


@dataclass(frozen=True, slots=True)
class Took:
    """``by`` each key as ``spreads``, ``beside``: of another column, ``numbers``: how many in each piece."""

    by: tuple[dict[Any, Spread], ...]
    beside: Spread
    numbers: tuple[int, ...]


def took(
    session: Session, name: str, column: Any, keys: Sequence[Any], pieces: Sequence[Cut], now: datetime,
    beside: Any = None,
) -> Took:  # fmt: skip
    """The spreads of a period that is given in pieces, and of ``beside``, another column of the same rows, in one
    walk."""
    columns = (*keys, column) if beside is None else (*keys, column, beside)
    asked = COHORTS[name].pieces(columns, pieces, now, column.is_not(None))
    found = walk(session, asked, keys, column, beside)
    by = ({group: spread_of(bars.items()) for group, bars in one.items()} for one in found.tallies)
    return Took(tuple(by), spread_of(found.alone.items()), found.rows)
