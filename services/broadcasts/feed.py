"""The schedule as an iCalendar feed (RFC 5545) behind an address of each person's own."""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Broadcast, Staff, utc_now
from services.broadcasts.places import places_of
from services.errors import NotFound
from services.rights import Actor, actor_of

if TYPE_CHECKING:
    from icalendar import Event

BACK, AHEAD = timedelta(days=60), timedelta(days=400)
TOKEN_LETTERS = 32
GONE = ("moved", "cancelled")


def feed_token(key: bytes, staff: Staff) -> str:
    """The last part of a person's address; it ends with the person's sessions («Выйти везде»)."""
    sign = hmac.new(key, f"calendar:{staff.id}:{staff.session_key}".encode(), hashlib.sha256).hexdigest()
    return f"{staff.id}-{sign[:TOKEN_LETTERS]}"


def person_of(session: Session, key: bytes, token: str) -> Actor:
    """Whose address it is; raises NotFound for every address that was not given out, or whose person may not see
    broadcasts any more."""
    number = token.partition("-")[0]
    staff = (
        session.get(Staff, int(number)) if number.isascii() and number.isdecimal() and len(number) < 10 else None
    )
    if staff is None or not hmac.compare_digest(feed_token(key, staff).encode(), token.encode("utf-8", "replace")):
        raise NotFound("hook.unknown")
    actor = actor_of(staff)
    if not actor.may("broadcast.view"):
        raise NotFound("hook.unknown")
    return actor


def calendar_of(session: Session, url: str, name: str, now: datetime | None = None) -> bytes:
    """Two months back and a year ahead; ``url``: the address of the desk, ending with a slash."""
    # A quarter of a second that the first page need not wait for.
    from icalendar import Calendar

    now = now or utc_now()
    query = select(Broadcast).where(Broadcast.starts_at > now - BACK, Broadcast.starts_at < now + AHEAD)
    rows = list(session.scalars(query.order_by(Broadcast.starts_at, Broadcast.id)))
    places = places_of(session, [row.id for row in rows])
    people = {row.id: row.name for row in session.scalars(select(Staff))}
    calendar = Calendar()
    calendar.add("prodid", "-//Otklik//Broadcasts//RU")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", name)
    calendar.add("method", "PUBLISH")
    for row in rows:
        links = [place.url for place in places.get(row.id, ()) if place.url]
        calendar.add_component(_event(row, links, people.get(row.staff_id or 0, ""), url, now))
    return bytes(calendar.to_ical())


def _event(row: Broadcast, links: list[str], watcher: str, url: str, now: datetime) -> "Event":
    from icalendar import Alarm, Event

    event = Event()
    event.add("uid", f"broadcast-{row.id}@otklik")
    event.add("dtstamp", now)
    event.add("dtstart", row.started_at or row.starts_at)
    event.add("dtend", max(row.ended_at or row.ends_at, (row.started_at or row.starts_at) + timedelta(minutes=1)))
    event.add("summary", row.title)
    event.add("sequence", row.version)
    event.add("status", "CANCELLED" if row.state in GONE else "CONFIRMED")
    event.add("url", f"{url}broadcasts/{row.id}")
    if links:
        event.add("location", links[0])
    event.add("description", "\n".join(line for line in (row.speaker, watcher, *links, row.reason) if line))
    if row.state not in GONE:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", row.title)
        alarm.add("trigger", timedelta(minutes=-15))
        event.add_component(alarm)
    return event
