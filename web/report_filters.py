"""The address bar of reports: period and filters to and from a query string."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from classifier import LABELS
from collectors import CHANNELS
from services.reports.cut import UNSURE, Cut
from web.report_words import PERIODS

DEFAULT = "days30"
LONGEST = timedelta(days=366 * 10)


def read_cut(args: Mapping[str, str], today: date, zone: str) -> Cut:
    """What the address says; words it does not know are left out, a period that is none becomes the usual one."""
    first, last = _period(args, today)
    return Cut(
        first, last, zone,
        platform=args.get("platform") if args.get("platform") in CHANNELS else None,
        source_id=_number(args.get("source")),
        kind=args.get("kind") if args.get("kind") in (*LABELS, UNSURE) else None,
        department_id=_number(args.get("department")), staff_id=_number(args.get("staff")),
    )  # fmt: skip


def period_of(args: Mapping[str, str]) -> str:
    """Which of the named periods the address asks for; "" for days of its own."""
    if args.get("period") in PERIODS:
        return args["period"]
    return "" if _day(args.get("from")) and _day(args.get("to")) else DEFAULT


def _period(args: Mapping[str, str], today: date) -> tuple[date, date]:
    name = period_of(args)
    first, last = _day(args.get("from")), _day(args.get("to"))
    if not name and first and last and first <= last <= first + LONGEST:
        return first, last
    month = today.replace(day=1)
    return {
        "today": (today, today),
        "week": (today - timedelta(days=6), today),
        "month": (month, today),
        "last_month": ((month - timedelta(days=1)).replace(day=1), month - timedelta(days=1)),
        "quarter": (today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1), today),
        "year": (today.replace(month=1, day=1), today),
    }.get(name, (today - timedelta(days=29), today))


def query_of(cut: Cut, **changes: Any) -> dict[str, str]:
    """The query string that ``read_cut`` understands, with days rather than a name, so that it lasts."""
    cut = replace(cut, **changes)
    values = {
        "from": cut.first.isoformat(), "to": cut.last.isoformat(), "platform": cut.platform,
        "source": cut.source_id, "kind": cut.kind, "department": cut.department_id, "staff": cut.staff_id,
    }  # fmt: skip
    return {name: str(value) for name, value in values.items() if value is not None}


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None
