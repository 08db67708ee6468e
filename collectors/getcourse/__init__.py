"""GetCourse, in only: notification letters, processes that call us, the export of people, orders and payments."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from collectors.base import (
    Capabilities,
    Channel,
    ChannelError,
    ChannelSettings,
    Check,
    Cursor,
    Incoming,
    Page,
    Raw,
    Record,
    Right,
    Walk,
)
from collectors.getcourse.events import Event, is_same, message_of
from collectors.getcourse.export import Export, moment, record_of
from collectors.getcourse.letters import event_of
from collectors.getcourse.settings import Settings as GetCourseSettings
from collectors.html import clean

__all__ = ["GetCourse", "Settings"]

Settings = GetCourseSettings

NAMES: Mapping[str, tuple[str, ...]] = {
    # our field: what a process may call it, as a school writes the address by hand; the first that is there counts
    "event": ("event", "type", "action", "kind"),
    "object_id": ("id", "object_id", "comment_id", "answer_id", "message_id"),
    "at": ("time", "at", "date", "created_at", "timestamp"),
    "name": ("name", "user_name", "fio", "username"),
    "first": ("first_name", "firstname"),
    "last": ("last_name", "lastname"),
    "email": ("email", "user_email", "mail"),
    "phone": ("phone", "user_phone", "tel"),
    "user_id": ("uid", "user_id", "user", "userid"),
    "text": ("text", "comment", "message", "question", "answer"),
    "lesson_id": ("lesson_id", "lessonid"),
    "lesson": ("lesson", "lesson_title", "lesson_name"),
    "ticket_id": ("ticket_id", "ticket", "conversation_id", "dialog_id"),
    "course": ("training", "course", "training_title"),
    "url": ("url", "link"),
}
_HOLE = re.compile(r"^\s*[{\[]+[\w.\s|-]+[}\]]+\s*$")
"""A variable that GetCourse did not fill in stays as it was written."""
MESSAGE_EVENTS = re.compile(r"comment|answer|lesson|ticket|support|form|question|message|help|коммент|вопрос|обращ")


class GetCourse(Channel):
    """One account; container is a lesson, a ticket or a person's requests. It is answered in GetCourse itself."""

    kind = "getcourse"
    title = "GetCourse"
    can = Capabilities(receive=True, grade="events", nested=False, poll_seconds=900, deep_seconds=24 * 3600)
    Settings: ClassVar[type[ChannelSettings]] = GetCourseSettings
    keeps_first: ClassVar[bool] = True  # a process that calls again tells nothing new
    calls_by_get: ClassVar[bool] = True
    reads_letters: ClassVar[bool] = True
    tells_twice: ClassVar[bool] = True
    settings: GetCourseSettings

    @cached_property
    def _export(self) -> Export:
        return Export(self.settings, self.wire, self.limiter)

    def check(self) -> Check:
        """Letters and processes need no key. A key is tried with a list that is short everywhere."""
        if self.settings.secret_key is None:
            return Check("", self.settings.account, (Right("export", False, without="export"),))
        self._export.ask("pl/api/account/fields", {})
        return Check("", self.settings.account, (Right("export", True, without="export"),))

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        """Fetches exports, where there is a key; messages come by letters and processes."""
        last = dict(cursor)
        if self.settings.secret_key is not None:
            for page in self._export.pages(walk, cursor):
                last = page.cursor
                yield page
        yield Page((), last, complete=True)

    def receive(self, payload: bytes, headers: Mapping[str, str]) -> list[Raw]:
        """One call of a process: a query, a form or JSON; the address is the only proof, any field may be missing.

        Events that hold no message (an order, a visit) are taken and not kept: the export tells of them, and what a
        call says is not acted upon.
        """
        lower = {name.lower(): value for name, value in headers.items()}
        told = _fields(payload, lower.get("content-type", ""))
        found = {ours: next((told[one] for one in names if told.get(one)), "") for ours, names in NAMES.items()}
        if not found["name"]:
            found["name"] = " ".join(part for part in (found["first"], found["last"]) if part)
        if not found["text"] or (found["event"] and not MESSAGE_EVENTS.search(found["event"].lower())):
            return []
        at = moment(found["at"]) or _unix(found["at"])
        found["at"] = (at or datetime.now(UTC)).isoformat()
        # De-duplicated by (event, object, time), and by everything said where there is no object.
        same = (found["event"], found["object_id"], at.isoformat() if at else "")
        names = same if found["object_id"] else (*same, found["email"], found["user_id"], found["text"])
        key = hashlib.sha256("\n".join(names).encode("utf-8", "replace")).hexdigest()[:32]
        body = json.dumps(found, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return [Raw("hook", "process", key, body.encode())]

    def parse(self, raw: Raw) -> list[Incoming]:
        if raw.kind != "hook":
            return []
        told = json.loads(raw.body)
        thing = _thing(told)
        place = told["lesson"] if thing == "lesson" else ""
        event = Event(
            thing=thing, text=told["text"], at=datetime.fromisoformat(told["at"]), road="hook",
            told=raw.external_id,
            name=told["name"][:120], email=told["email"].lower(), phone=told["phone"][:40], user_id=told["user_id"],
            object_id=told["object_id"], place_id=told["lesson_id"] if thing == "lesson" else told["ticket_id"],
            place=place[:200], course=told["course"][:200],
            url=told["url"] if told["url"].startswith("https://") else "",
        )  # fmt: skip
        return [message_of(event, self.settings)]

    @classmethod
    def from_letter(cls, settings: ChannelSettings, letter: Incoming) -> Incoming | None:
        assert isinstance(settings, GetCourseSettings)
        event = event_of(letter, settings)
        return message_of(event, settings) if event is not None else None

    @classmethod
    def is_same_event(cls, item: Incoming, text: str, context: Mapping[str, str]) -> bool:
        return is_same(item, text, context)

    @classmethod
    def records(cls, raw: Raw) -> list[Record]:
        return [] if raw.kind == "hook" else [record_of(raw)]


def _thing(told: Mapping[str, str]) -> str:
    event = told["event"].lower()
    if told["ticket_id"] or re.search("ticket|support|обращ", event):
        return "ticket"
    if told["lesson_id"] or told["lesson"] or re.search("lesson|answer|comment|коммент", event):
        return "lesson"
    return "form"


def _fields(payload: bytes, content_type: str) -> dict[str, str]:
    """What a process said, under lower-case names; raises ChannelError(invalid) for neither form nor JSON."""
    try:
        if content_type.partition(";")[0].strip().lower() == "application/json":
            told: Any = json.loads(payload)
        else:
            told = dict(parse_qsl(payload.decode("utf-8", "replace"), max_num_fields=100))
    except (ValueError, RecursionError):
        raise ChannelError("unreadable", code="invalid", permanent=True) from None
    if not isinstance(told, dict):
        raise ChannelError("unreadable", code="invalid", permanent=True)
    found = {}
    for name, value in told.items():
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            text = clean(str(value)).strip()[:10_000]
            found[str(name).lower()] = "" if _HOLE.match(text) else text
    return found


def _unix(text: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(text), UTC) if re.fullmatch(r"\d{9,11}", text) else None
    except (ValueError, OverflowError, OSError):
        return None
