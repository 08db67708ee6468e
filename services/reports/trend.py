"""How a figure went through a period: day by day, week by week or month by month, whatever fits a chart."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

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


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
