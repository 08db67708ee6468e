"""Putting a case off: the times people mean, and the acts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from models import utc_now
from services.errors import Refused
from services.snoozes import end_snooze, snooze
from web.cases import done
from web.dates import when
from web.language import Lazy, _, _l
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.toasts import tell

screen = Blueprint("snoozes", __name__, url_prefix="/inbox/<int:case_id>/snooze")
MORNING, EVENING = time(9), time(19)


@dataclass(frozen=True, slots=True)
class Choice:
    """``at``: the local time now → when to come back; None where it makes no sense now."""

    name: str
    title: Lazy
    at: Callable[[datetime], datetime | None]


def _on(day: datetime, at: time) -> datetime:
    return day.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)


CHOICES: tuple[Choice, ...] = (
    Choice("hour", _l("in an hour"), lambda now: now + timedelta(hours=1)),
    Choice("evening", _l("this evening"), lambda now: _on(now, EVENING) if now.time() < time(18) else None),
    Choice("morning", _l("tomorrow morning"), lambda now: _on(now + timedelta(days=1), MORNING)),
    Choice("monday", _l("on Monday"), lambda now: _on(now + timedelta(days=7 - now.weekday()), MORNING)),
)


def _now() -> datetime:
    return utc_now().astimezone(ZoneInfo(current_desk().config.desk.time_zone))


def snooze_choices() -> list[tuple[Choice, datetime]]:
    """The choices that make sense now, each with its time."""
    now = _now()
    return [(choice, at) for choice in CHOICES if (at := choice.at(now)) is not None]


@screen.app_context_processor
def _names() -> dict[str, object]:
    return {"snooze_choices": snooze_choices}


def read_until(name: str, typed: str) -> datetime | None:
    """When the case comes back: a choice by name, «answer» (None), or the local time typed."""
    if name == "answer":
        return None
    for choice in CHOICES:
        if choice.name == name and (at := choice.at(_now())) is not None:
            return at
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=ZoneInfo(current_desk().config.desk.time_zone))
    except ValueError:
        raise Refused("snooze.time") from None


@screen.post("")
def put_off(case_id: int) -> Response:
    until = read_until(request.form.get("until", ""), request.form.get("at", ""))
    with current_desk().database.write.begin() as session:
        snooze(session, current_actor(), case_id, until, request.form.get("version", type=whole))
    rang()
    text = _("Put off until %(time)s", time=when(until)) if until else _("Put off until an answer")
    tell(text, "undo", seconds=8, undo=url_for("snoozes.bring_back", case_id=case_id))
    return done(case_id)


@screen.post("/end")
def bring_back(case_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        end_snooze(session, current_actor(), case_id)
    rang()
    return done(case_id)
