"""What the screens of broadcasts share: the blueprint, what a form says, words for the templates."""

from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, request

from services.broadcasts.schedule import Plan
from services.errors import Refused
from web import broadcast_words as said
from web.dates import today, typed_time
from web.language import _, format_date, format_datetime, format_decimal
from web.numbers import whole

screen = Blueprint("broadcasts", __name__, url_prefix="/broadcasts")


@screen.context_processor
def _words() -> dict[str, Any]:
    """For the templates of these screens."""
    return {
        "said": said, "clock": said.clock, "lasted": said.lasted, "day_name": _day_name, "hour": _hour,
        "span": _span, "seconds": _seconds,
    }  # fmt: skip


def _day_name(on: date) -> str:
    """«пн, 23 нояб.»"""
    return format_date(on, _("EEE, d MMM"))


def _span(first: date, last: date) -> str:
    """«23–29 нояб. 2026», «30 нояб. – 6 дек. 2026»"""
    if first.month == last.month:
        return f"{first.day}–{format_date(last, _('d MMM y'))}"
    return f"{format_date(first, _('d MMM'))} – {format_date(last, _('d MMM y'))}"


def _seconds(value: float) -> str:
    """«8,4»: a pause as people read it."""
    return format_decimal(round(value, 1))


def _hour(at: datetime) -> str:
    return format_datetime(at, "H:mm")


def typed_plan() -> Plan:
    """The form of a broadcast; raises Refused for times that are none."""
    starts, ends = (typed_time(request.form.get(name, "")) for name in ("starts_at", "ends_at"))
    if starts is None or ends is None:
        raise Refused("broadcast.times")
    links = [line.strip() for line in request.form.get("links", "").splitlines() if line.strip()]
    return Plan(
        request.form.get("kind", ""), request.form.get("title", "")[:300], starts, ends,
        request.form.get("speaker", "")[:200], request.form.get("staff_id", type=whole), tuple(links),
    )  # fmt: skip


def monday_of(text: str) -> date:
    """The week that an address asks for, else the present one."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = today()
    return day - timedelta(days=day.weekday())
