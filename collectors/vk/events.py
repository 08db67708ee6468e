"""VK's events, by Callback API and by Bots Long Poll: the same comments and messages that polling finds, sooner."""

import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from collectors.base import ChannelError, Cursor, Incoming, Page, Raw, SourceState
from collectors.html import clean
from collectors.vk.items import RAW_KINDS, canonical, comment_raw, message_raw, moment, parse_raw, place
from collectors.vk.reader import MALFORMED, Reader

EVENT = "_event"
GONE = "gone"
STANDS = ("new", "edit", "restore")
PLACES = {
    "wall_reply": ("wall", "post_id"),
    "video_comment": ("video", "video_id"),
    "photo_comment": ("photo", "photo_id"),
}
"""First words of an event's name → kind of place, and the field that names it."""
MESSAGES = ("message_new", "message_reply", "message_edit")
ROUNDS = 50
"""Answers of the long poll that one walk takes at most."""


def told_event(payload: bytes, group_id: int) -> dict[str, Any]:
    """The body of a Callback; raises ChannelError(invalid) for what is no event of this community."""
    try:
        event = json.loads(payload)
    except (ValueError, RecursionError):
        raise ChannelError("the web hook body is not JSON", code="invalid", permanent=True) from None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise ChannelError("the web hook body is not an event", code="invalid", permanent=True)
    if event.get("group_id") != group_id:
        raise ChannelError("an event of another community", code="auth", permanent=True)
    return event


def prove(event: Mapping[str, Any], secret: str) -> None:
    """There is no signature: the secret in the body is all (platforms.md §3.3)."""
    if not secret:
        raise ChannelError("no secret of the Callback API is set", code="settings", permanent=True)
    given = event.get("secret")
    told = given if isinstance(given, str) else ""
    if not hmac.compare_digest(told.encode("utf-8", "replace"), secret.encode()):
        raise ChannelError("wrong secret of the Callback API", code="auth", permanent=True)


def event_raws(event: Mapping[str, Any], reader: Reader) -> list[Raw]:
    """The raw of one event; a kind of its own beside that of polling, as it knows neither post nor thread title.

    Identity is the comment's: the same event by two routes, and what polling finds, are one message.
    """
    name, _, what = str(event["type"]).rpartition("_")
    try:
        if name in PLACES:
            return [_comment(event["object"], *PLACES[name], what, reader)]
        if event["type"] in MESSAGES:
            told = event["object"]
            return [_message(told.get("message", told), reader)]
    except MALFORMED:
        return [Raw("broken", "events", str(event.get("event_id") or "?"), canonical({"broken": dict(event)}))]
    return []


def _comment(item: Mapping[str, Any], kind: str, field: str, what: str, reader: Reader) -> Raw:
    where = place(kind, int(item["owner_id"]), {"id": int(item[field])})
    if what == "delete":
        at = int(datetime.now(UTC).timestamp())
        return Raw(GONE, where.container, str(int(item["id"])), canonical({"gone": at}))
    if what not in STANDS:
        raise ValueError(what)
    stack = item.get("parents_stack") or []
    name = reader.name_of(int(item["from_id"]))
    raw = comment_raw(item, where, int(stack[0]) if stack else None, name, reader.group)
    return replace(raw, kind=RAW_KINDS[kind] + EVENT)


def _message(item: Mapping[str, Any], reader: Reader) -> Raw:
    peer = {"id": int(item["peer_id"]), "title": ""}
    raw = message_raw(item, peer, reader.name_of(int(item["from_id"])), reader.group)
    return replace(raw, kind="message" + EVENT)


def parse_event(raw: Raw, site: str) -> Iterator[Incoming]:
    """As polling's raw is understood, but what an event does not know must not replace what is known."""
    if raw.kind == GONE:
        at = moment(json.loads(raw.body)["gone"])
        yield Incoming(raw.container, raw.external_id, "", at, None, state=SourceState.DELETED)
        return
    name = json.loads(raw.body)["name"]
    for one in parse_raw(replace(raw, kind=raw.kind.removesuffix(EVENT)), site):
        author = replace(one.author, name=clean(name or "")) if one.author else None
        yield replace(one, author=author)


class LongPoll:
    """Bots Long Poll as a part of the cheap walk: what waits is taken at once, nobody sits and listens.

    cursor: events = {key, server, ts}. What VK has lost is a gap only where polling cannot read it again.
    """

    def __init__(self, reader: Reader, cursor: Cursor) -> None:
        self.reader, self.cursor = reader, cursor

    def pages(self) -> Iterator[Page]:
        at = self.cursor.get("events")
        if not at:
            self.cursor["events"] = self._server()  # what was before is polling's to find
            yield self._page([], None)
            return
        for _ in range(ROUNDS):
            answer = self.reader.api.poll(at["server"], act="a_check", key=at["key"], ts=at["ts"], wait=0)
            gap = None
            match answer.get("failed"):
                case 1:
                    at = {**at, "ts": str(answer["ts"])}
                    gap = "VK has lost a part of the events"
                case 2:
                    at = {**self._server(), "ts": at["ts"]}
                case 3:
                    at, gap = self._server(), "VK has lost the events"
                case _:
                    at = {**at, "ts": str(answer["ts"])}
            updates = [one for one in answer.get("updates") or [] if isinstance(one, dict) and one.get("type")]
            raws = [raw for one in updates for raw in event_raws(one, self.reader)]
            self.cursor["events"] = at
            yield self._page(raws, None if self.reader.api.can("wall.getComments") else gap)
            if not updates and answer.get("failed") is None:
                return

    def _server(self) -> dict[str, Any]:
        told = self.reader.api.call("groups.getLongPollServer", group_id=self.reader.group)
        try:
            return {"key": str(told["key"]), "server": str(told["server"]), "ts": str(told["ts"])}
        except MALFORMED:
            raise ChannelError("no server of the long poll in the answer", code="server") from None

    def _page(self, raws: list[Raw], gap: str | None) -> Page:
        latest = {(raw.container, raw.external_id): raw for raw in raws}  # of several states the last counts
        return Page(tuple(latest.values()), json.loads(json.dumps(self.cursor)), gap=gap)
