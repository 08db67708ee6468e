"""The holding reply (day.md §1.6): a text approved beforehand with the day by which the author hears from us."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Setting, utc_now
from services.calendars import Calendar, next_working_day

NAME = "holding"
TEXT = "Взяли ваш вопрос в работу, вернёмся с ответом до {until}."
"""The department may keep another text in the setting of this name; ``{until}`` becomes the day and the hour."""
CLOSES = time(17, 0)
_DAYS = ("понедельника", "вторника", "среды", "четверга", "пятницы", "субботы", "воскресенья")


def promised_until(now: datetime, zone: str) -> datetime:
    """The end of the next working day of the production calendar, by the desk's clock."""
    calendar = Calendar(time(9), CLOSES, zone=zone)
    day = next_working_day(calendar, calendar.local_day(now))
    return datetime.combine(day, CLOSES, ZoneInfo(zone))


def holding_text(session: Session, zone: str, now: datetime | None = None) -> str:
    """The text as it goes to the author."""
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    until = promised_until(now or utc_now(), zone)
    said = f"{_DAYS[until.weekday()]}, {until:%H:%M}"
    return str(row.value.get("text", TEXT) if row else TEXT).replace("{until}", said)
