"""One event of GetCourse, told by a letter or by a process: how it becomes a message."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from collectors.base import Incoming, Person, Publication, Visibility
from collectors.getcourse.settings import Settings

THINGS: Mapping[str, str] = {"lesson": "lesson", "ticket": "dialogue", "form": "dialogue"}
"""What people write to in GetCourse → kind of the publication."""
PATHS: Mapping[str, str] = {
    "lesson": "/pl/teach/control/lesson/view?id={}",
    "person": "/user/control/user/update/id/{}",
}
"""Pages of an account (platforms.md §9)."""


@dataclass(frozen=True, slots=True)
class Event:
    """What a letter and a process say of one event; everything but the text may be missing.

    ``object_id``: of the comment, the ticket's message or the request itself. ``road``: letter · hook; ``told``:
    the letter's or the event's own id, so that the same one come again is known.
    """

    thing: str
    text: str
    at: datetime
    road: str
    told: str
    name: str = ""
    email: str = ""
    phone: str = ""
    user_id: str = ""
    object_id: str = ""
    place_id: str = ""  # of the lesson or the ticket
    place: str = ""  # its title
    course: str = ""
    url: str = ""


def short(*parts: str) -> str:
    """A stable id out of texts."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:24]


def mark_of(text: str) -> str:
    """Text as a letter and a process of one event are compared: letters and digits only, the first 400."""
    return re.sub(r"[\W_]+", "", text.lower())[:400]


def message_of(event: Event, settings: Settings) -> Incoming:
    """The message an event tells of. Its identity is the object's id where GetCourse names it."""
    person = f"mail:{event.email}" if event.email else f"user:{event.user_id}" if event.user_id else ""
    place = event.place_id or (short(event.place) if event.place else "")
    container = f"{event.thing}:{place or person or 'unknown'}"
    title = event.place or {"lesson": "Урок", "ticket": "Обращение", "form": "Форма помощи"}[event.thing]
    if event.course and event.course != title:
        title = f"{event.course} · {title}"
    context = {
        event.road: event.told, "mark": mark_of(event.text), "object": event.object_id, "email": event.email,
        "phone": event.phone, "user": event.user_id,
    }  # fmt: skip
    return Incoming(
        container=container,
        external_id=event.object_id or f"{event.road}:{short(event.told)}",
        text=event.text,
        published_at=event.at,
        author=_author(event, person, settings),
        publication=Publication(container, THINGS[event.thing], title, url=_page(event, settings)),
        publication_external_id=container,
        thread=container if event.thing == "ticket" else None,
        url=event.url or _page(event, settings),
        visibility=Visibility.PUBLIC if event.thing == "lesson" else Visibility.PRIVATE,
        context={name: value for name, value in context.items() if value},
    )


def _author(event: Event, person: str, settings: Settings) -> Person | None:
    if not person and not event.name:
        return None
    url = settings.site + PATHS["person"].format(event.user_id) if event.user_id else None
    key = person or f"name:{short(event.name)}"
    return Person(key, event.name or event.email or "", url=url, is_us=event.email in settings.own_addresses)


def _page(event: Event, settings: Settings) -> str | None:
    if event.thing == "lesson" and event.place_id:
        return settings.site + PATHS["lesson"].format(event.place_id)
    if event.user_id:
        return settings.site + PATHS["person"].format(event.user_id)
    return None


def is_same(item: Incoming, text: str, context: Mapping[str, str]) -> bool:
    """Whether a stored message tells of ``item``'s event: told by the same letter or process, or by the other road
    with the same words of the same person; a letter may show only the beginning."""
    road = "letter" if "letter" in item.context else "hook"
    if context.get(road):
        return context[road] == item.context[road]
    ours, theirs = item.context.get("object"), context.get("object")
    if ours and theirs:
        return ours == theirs
    shared = [name for name in ("email", "user") if item.context.get(name) and context.get(name)]
    if not any(item.context[name] == context[name] for name in shared):
        return False
    shorter, longer = sorted((item.context.get("mark", ""), context.get("mark") or mark_of(text)), key=len)
    return bool(shorter) and (shorter == longer or (len(shorter) >= 40 and longer.startswith(shorter)))
