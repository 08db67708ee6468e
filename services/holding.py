"""The holding reply (day.md §1.6): a text approved beforehand with the day by which the author hears from us.

The day is the owing department's own, else the end of the desk's next working day; it stays a clock of the case.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Case, Clock, Setting, utc_now
from services.calendars import Calendar, next_working_day
from services.terms import policy_of

NAME = "holding"
TEXT = "Взяли ваш вопрос в работу, вернёмся с ответом до {until}."
"""The department may keep another text in the setting of this name; ``{until}`` becomes the day and the hour."""
CLOSES = time(17, 0)
NO_CHANGES: Mapping[date, str] = MappingProxyType({})
_DAYS = ("понедельника", "вторника", "среды", "четверга", "пятницы", "субботы", "воскресенья")
_MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня",
    "июля", "августа", "сентября", "октября", "ноября", "декабря",
)  # fmt: skip
_DAY = rf"({'|'.join(_DAYS)}|\d{{1,2}} ({'|'.join(_MONTHS)})), \d\d:\d\d"
WEEK = timedelta(days=6)
"""Within it the day of the week says enough; after it the date is named."""


@dataclass(frozen=True, slots=True)
class Holding:
    """The text as it goes to the author, and the moment it promises."""

    text: str
    until: datetime


def promised_until(now: datetime, zone: str, changes: Mapping[date, str] = NO_CHANGES) -> datetime:
    """The end of the next working day by the desk's clock; ``changes``: the school's own days, see Calendar."""
    calendar = Calendar(time(9), CLOSES, zone=zone, changes=changes)
    day = next_working_day(calendar, calendar.local_day(now))
    return datetime.combine(day, CLOSES, ZoneInfo(zone))


def holding_reply(session: Session, zone: str, case: Case | None = None, now: datetime | None = None) -> Holding:
    """What the holding reply of ``case`` says; one that was late when asked promises by the desk's clock."""
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    now = now or utc_now()
    until = _owed_until(session, case, now, zone) or promised_until(now, zone, policy_of(session).changes)
    text = str(row.value.get("text", TEXT) if row else TEXT).replace("{until}", _said(until, now))
    return Holding(text, until)


def is_approved_text(session: Session, text: str) -> bool:
    """Whether ``text`` is the approved one with some day in it: such a reply waits for nobody's agreement."""
    return _approved(session).fullmatch(text.strip()) is not None


def without_approved_text(session: Session, text: str) -> str:
    """What else ``text`` says: the holding reply's own promise is a clock of the case already."""
    return _approved(session).sub("", text)


def _approved(session: Session) -> re.Pattern[str]:
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    approved = re.escape(str(row.value.get("text", TEXT) if row else TEXT))
    return re.compile(approved.replace(re.escape("{until}"), _DAY))


def _owed_until(session: Session, case: Case | None, now: datetime, zone: str) -> datetime | None:
    """When the last department that owes an answer is due, up to the whole hour."""
    if case is None:
        return None
    due = session.scalar(
        select(func.max(Clock.due_at)).where(
            Clock.case_id == case.id, Clock.kind == "department", Clock.done_at.is_(None)
        )
    )
    if due is None or due <= now:
        return None
    there = due.astimezone(ZoneInfo(zone))
    whole = there.replace(minute=0, second=0, microsecond=0)
    return whole if whole == there else whole + timedelta(hours=1)


def _said(until: datetime, now: datetime) -> str:
    """«четверга, 17:00», or «4 декабря, 17:00» when it is further away than a week reaches."""
    day = _DAYS[until.weekday()] if until - now <= WEEK else f"{until.day} {_MONTHS[until.month - 1]}"
    return f"{day}, {until:%H:%M}"
