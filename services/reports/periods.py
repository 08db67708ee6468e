"""Periods by name, as screens and letters ask for them, and a cut from what a kept view says."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from services.reports.cut import Cut

NAMES = ("today", "week", "days30", "month", "last_month", "quarter", "year")
USUAL = "days30"
LONGEST = timedelta(days=366 * 10)
_FILTERS = {
    "platform": "platform", "source": "source_id", "kind": "kind", "theme": "theme", "department": "department_id",
    "staff": "staff_id", "programme": "programme", "about": "about",
}  # fmt: skip
_NUMBERS = ("source_id", "department_id", "staff_id")


def days_of(name: str, on: date) -> tuple[date, date]:
    """First and last day of a named period as of ``on``; of another name those of the usual one."""
    month = on.replace(day=1)
    return {
        "today": (on, on),
        "week": (on - timedelta(days=6), on),
        "month": (month, on),
        "last_month": ((month - timedelta(days=1)).replace(day=1), month - timedelta(days=1)),
        "quarter": (on.replace(month=(on.month - 1) // 3 * 3 + 1, day=1), on),
        "year": (on.replace(month=1, day=1), on),
    }.get(name, (on - timedelta(days=29), on))


def own_days(first: date | None, last: date | None) -> tuple[date, date] | None:
    """Days somebody named; None where they are no period."""
    return (first, last) if first and last and first <= last <= first + LONGEST else None


def cut_of(query: Mapping[str, Any], on: date, zone: str) -> Cut:
    """The cut of a kept view as of ``on``: what is named moves on, days of its own stay."""
    try:
        own = own_days(date.fromisoformat(query.get("from", "")), date.fromisoformat(query.get("to", "")))
    except ValueError:
        own = None
    first, last = own if own and not query.get("period") else days_of(query.get("period", USUAL), on)
    given = {field: query[name] for name, field in _FILTERS.items() if query.get(name)}
    values: dict[str, Any] = {key: int(one) if key in _NUMBERS else one for key, one in given.items()}
    return Cut(first, last, zone, **values)
