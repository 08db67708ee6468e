"""The holding reply (day.md §1.6): a text approved beforehand with the day by which the author hears from us."""

from collections.abc import Mapping
from datetime import date, datetime, time
from types import MappingProxyType
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Setting, utc_now
from services.calendars import Calendar, next_working_day
from services.terms import policy_of

NAME = "holding"
TEXT = "Взяли ваш вопрос в работу, вернёмся с ответом до {until}."
"""The department may keep another text in the setting of this name; ``{until}`` becomes the day and the hour."""
CLOSES = time(17, 0)
NO_CHANGES: Mapping[date, str] = MappingProxyType({})
_DAYS = ("понедельника", "вторника", "среды", "четверга", "пятницы", "субботы", "воскресенья")


def promised_until(now: datetime, zone: str, changes: Mapping[date, str] = NO_CHANGES) -> datetime:
    """The end of the next working day by the desk's clock; ``changes``: the school's own days, see Calendar."""
    calendar = Calendar(time(9), CLOSES, zone=zone, changes=changes)
    day = next_working_day(calendar, calendar.local_day(now))
    return datetime.combine(day, CLOSES, ZoneInfo(zone))


def holding_text(session: Session, zone: str, now: datetime | None = None) -> str:
    """The text as it goes to the author."""
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    until = promised_until(now or utc_now(), zone, policy_of(session).changes)
    said = f"{_DAYS[until.weekday()]}, {until:%H:%M}"
    return str(row.value.get("text", TEXT) if row else TEXT).replace("{until}", said)
