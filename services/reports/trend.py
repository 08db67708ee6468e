"""How a figure went through a period: day by day, week by week or month by month, whatever fits a chart."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import func, literal, union_all
from sqlalchemy.orm import Session

from services.reports.cohorts import COHORTS
from services.reports.cut import Cut

MOST_DAYS, MOST_WEEKS = 31, 26


@dataclass(frozen=True, slots=True)
class Trend:
    """``pieces``: cuts one after another that make up the period; ``numbers``: a list's word → how many in each."""

    pieces: tuple[Cut, ...]
    numbers: dict[str, tuple[int, ...]]


def pieces_of(cut: Cut, most_days: int = MOST_DAYS) -> tuple[Cut, ...]:
    """Days, up to ``most_days``, weeks of half a year, else calendar months; the last may be short."""
    days = (cut.last - cut.first).days + 1
    if days <= MOST_WEEKS * 7:
        step = timedelta(days=1 if days <= most_days else 7)
        firsts = [cut.first + step * number for number in range(-(-days // step.days))]
    else:
        firsts, month = [cut.first], _next_month(cut.first)
        while month <= cut.last:
            firsts.append(month)
            month = _next_month(month)
    lasts = [*(first - timedelta(days=1) for first in firsts[1:]), cut.last]
    return tuple(replace(cut, first=first, last=last) for first, last in zip(firsts, lasts, strict=True))


def trend(session: Session, names: Sequence[str], cut: Cut, now: datetime, most_days: int = MOST_DAYS) -> Trend:
    """One question a list: each of its pieces is a part of an index."""
    pieces = pieces_of(cut, most_days)
    found: dict[str, tuple[int, ...]] = {}
    for name in names:
        parts = (
            COHORTS[name].query((literal(number), func.count()), piece, now) for number, piece in enumerate(pieces)
        )
        rows = {row[0]: row[1] for row in session.execute(union_all(*parts))}
        found[name] = tuple(rows[number] for number in range(len(pieces)))
    return Trend(pieces, found)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
