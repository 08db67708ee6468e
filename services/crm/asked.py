"""What a client has given already, so that nobody asks for it again, and what a reply of ours promises them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Case, Client, Message, Task, utc_now
from services.calendars import Calendar, add_working_days, end_of_day
from services.crm.clients import contacts_of
from services.crm.identities import authors_of, client_of_author
from services.holding import without_approved_text
from services.lint import mails_in, orders_in, phones_in
from services.terms import policy_of

LOOKED_AT = 60


def given_by(session: Session, case: Case) -> frozenset[str]:
    """Of phone · mail · name · order: what stands in the card or in what the author wrote, in any channel."""
    if case.author_id is None:
        return frozenset()
    client = client_of_author(session, case.author_id)
    authors = [case.author_id]
    found: set[str] = set()
    if client is not None:
        found |= {one.kind for one in contacts_of(session, client.id)} & {"phone", "mail"}
        found |= {"name"} if client.last_name and client.first_name else set()
        authors = [author.id for _link, author in authors_of(session, client.id)]
    query = select(Message.text).where(Message.author_id.in_(authors), Message.direction == "in")
    for text in session.scalars(query.order_by(Message.published_at.desc()).limit(LOOKED_AT)):
        found |= {kind for kind, look in _LOOKS.items() if kind not in found and look(text)}
    return frozenset(found)


_LOOKS = {"phone": phones_in, "mail": mails_in, "order": orders_in}

_WE = (
    r"верн[её]м(?:ся)?|ответим|пришл[её]м|отправим|вышлем|свяжемся|сообщим|перезвоним|позвоним|сделаем|откроем"
    r"|продлим|исправим|починим|проверим|напишем|подготовим|оформим|переч[ие]слим|компенсируем"
)
_MONTHS = ("январ", "феврал", "март", "апрел", "ма", "июн", "июл", "август", "сентябр", "октябр", "ноябр", "декабр")
_DAYS = ("понедельник", "вторник", "сред", "четверг", "пятниц", "суббот", "воскресень")
_UNTIL = re.compile(
    r"(?:до|к|не\s+позднее|не\s+позже|в|во)\s+(?P<day>\d{1,2})(?:-?(?:го|му))?\s*(?P<month>[а-я]+)?"
    r"|(?P<number>\d{2})\.(?P<num_month>\d{2})(?:\.\d{4})?"
    r"|(?:до|к|во?)\s+(?P<weekday>понедельник|вторник|сред|четверг|пятниц|суббот|воскресень)\w*"
    r"|(?P<near>сегодня|завтра|послезавтра)"
    r"|в\s+течение\s+(?:(?P<count>\d{1,2})\s+)?(?P<working>рабоч\w+\s+)?(?P<unit>час|дн|дня|сут|недел)\w*",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?\n]+")


@dataclass(frozen=True, slots=True)
class Promised:
    """``text`` is the sentence that promises, ``due_at`` the last moment that keeps it."""

    text: str
    due_at: datetime


def promises_in(session: Session, text: str, now: datetime | None = None) -> list[Promised]:
    """«Вернём деньги до 5 декабря», «ответим завтра»: sentences in which we promise something by a time."""
    calendar = policy_of(session).calendars["desk"]
    return list(_promises(calendar, text[:20_000], now or utc_now()))


def promises_not_followed(session: Session, case: Case, text: str) -> list[Promised]:
    """Those of a text that nobody follows yet; that of the holding reply is followed by itself."""
    followed = set(
        session.scalars(
            select(Task.text).where(Task.case_id == case.id, Task.kind == "promise", Task.state == "open")
        )
    )
    return [one for one in promises_in(session, without_approved_text(session, text)) if one.text not in followed]


def _promises(calendar: Calendar, text: str, now: datetime) -> Iterator[Promised]:
    # «до 05.12.» ends no sentence.
    text = re.sub(r"(\d{2})\.(\d{2})\.(\d{4})", r"\1.\2", text)
    joined = re.sub(r"(?<=\d)\.(?=\d)", "\u2024", text)
    for sentence in _SENTENCE.findall(joined):
        sentence = sentence.replace("\u2024", ".").strip()
        if not re.search(rf"(?i)\b(?:{_WE})\b", sentence):
            continue
        for match in _UNTIL.finditer(sentence):
            due = _moment(calendar, match, now)
            if due is not None and due > now:
                yield Promised(sentence[:300], due)
                break


def _moment(calendar: Calendar, match: re.Match[str], now: datetime) -> datetime | None:
    today = now.astimezone(ZoneInfo(calendar.zone)).date()
    if match["unit"]:
        return _within(calendar, match, now, today)
    day: date | None = None
    if match["near"]:
        day = today + timedelta(days=("сегодня", "завтра", "послезавтра").index(match["near"].lower()))
    elif match["weekday"]:
        wanted = _DAYS.index(match["weekday"].lower())
        day = today + timedelta(days=(wanted - today.weekday()) % 7 or 7)
    elif match["number"]:
        day = _day_of(today, int(match["number"]), int(match["num_month"]))
    elif match["day"]:
        word = (match["month"] or "").lower()
        month = next(
            (n for n, stem in enumerate(_MONTHS, 1) if word and re.match(rf"{stem}(?:я|а|е|ь|т)", word)), 0
        )
        dated = month or not word or re.search(r"\d-?(?:го|му)", match[0])
        day = _day_of(today, int(match["day"]), month) if dated else None
    return _close(calendar, day) if day is not None else None


def _within(calendar: Calendar, match: re.Match[str], now: datetime, today: date) -> datetime:
    count = int(match["count"] or 1)
    unit = match["unit"].lower()
    if unit == "час":
        return now + timedelta(hours=count)
    if unit == "недел":
        return _close(calendar, today + timedelta(days=7 * count))
    day = add_working_days(calendar, today, count) if match["working"] else today + timedelta(days=count)
    return _close(calendar, day)


def _day_of(today: date, number: int, month: int) -> date | None:
    """The next such day; without a month of this month or the next one."""
    months = [month] if month else [today.month, today.month % 12 + 1]
    for year in (today.year, today.year + 1):
        for one in months:
            try:
                day = date(year, one, number)
            except ValueError:
                continue
            if day >= today:
                return day
    return None


def _close(calendar: Calendar, day: date) -> datetime:
    span = calendar.span(day)
    return span[1] if span else end_of_day(calendar, day)


def client_of_case(session: Session, case: Case) -> Client | None:
    """The card of the author of a case."""
    return client_of_author(session, case.author_id)
