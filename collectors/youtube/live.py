"""The chat of a running broadcast: read on from where the last reading ended, as often as the quota bears."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from collectors.base import (
    Act,
    ActKind,
    ChannelError,
    Cursor,
    Incoming,
    Page,
    Person,
    Publication,
    Raw,
    SourceState,
)
from collectors.html import clean
from collectors.youtube.items import canonical, moment

LIVE = "live"
PREFIX = "live-"
MOST = 2000
LOOK_SECONDS = 300
"""Pause between two looks for broadcasts: one unit each."""
LEAST_SECONDS = 10
"""Five units a call: ten seconds make 1,800 units an hour."""
ROUNDS = 5
SPOKEN = ("textMessageEvent", "superChatEvent", "superStickerEvent")
REMOVALS = {
    "messageDeletedEvent": ("messageDeletedDetails", "deletedMessageId"),
    "messageRetractedEvent": ("messageRetractedDetails", "retractedMessageId"),
}
OVER = ("liveChatEnded", "liveChatNotFound", "liveChatDisabled")
NO_CHAT = frozenset({"closed", "gone", "rights", "unsupported"})


class Live:
    """cursor: live = {looked, chats: {chat: {video, title, token, due}}}; times in Unix seconds."""

    def __init__(self, api: Any, cursor: Cursor) -> None:
        self.api, self.cursor = api, cursor
        self.state: dict[str, Any] = cursor.setdefault(LIVE, {"looked": 0, "chats": {}})

    def pages(self) -> Iterator[Page]:
        now = time.time()
        if now - self.state["looked"] >= LOOK_SECONDS:
            self._look()
            self.state["looked"] = int(now)
        for chat in list(self.state["chats"]):
            yield from self._read(chat)

    def _look(self) -> None:
        asked: dict[str, Any] = {"part": "id,snippet", "broadcastStatus": "active", "maxResults": 50}
        for one in self.api.call(lambda tube: tube.liveBroadcasts().list(**asked)).get("items") or []:
            chat = (one.get("snippet") or {}).get("liveChatId")
            if chat:
                title = str(one["snippet"].get("title") or "")
                self.state["chats"].setdefault(chat, {"video": one["id"], "title": title, "token": None, "due": 0})

    def _read(self, chat: str) -> Iterator[Page]:
        """What was said since the last call; the token is YouTube's memory of where we are."""
        at = self.state["chats"][chat]
        for _ in range(ROUNDS):
            if time.time() < at["due"]:
                return
            asked: dict[str, Any] = {"liveChatId": chat, "part": "id,snippet,authorDetails", "maxResults": MOST}
            if at["token"]:
                asked["pageToken"] = at["token"]
            try:
                answer = self.api.call(lambda tube: tube.liveChatMessages().list(**asked))  # noqa: B023
            except ChannelError as error:
                if not any(word in error.message for word in OVER) and error.code not in NO_CHAT:
                    raise
                answer = {"offlineAt": "ended"}
            items = [one for one in answer.get("items") or [] if isinstance(one, dict)]
            pause = max(LEAST_SECONDS, int(answer.get("pollingIntervalMillis") or 0) / 1000)
            at.update(token=answer.get("nextPageToken") or at["token"], due=int(time.time() + pause))
            ended = bool(answer.get("offlineAt")) or any(_type(one) == "chatEndedEvent" for one in items)
            if ended:
                del self.state["chats"][chat]
            raws = {raw.external_id: raw for one in items for raw in self._raws(one, chat, at)}
            yield Page(tuple(raws.values()), json.loads(json.dumps(self.cursor)))
            if ended or len(items) < MOST:
                return

    def _raws(self, item: Mapping[str, Any], chat: str, at: Mapping[str, Any]) -> Iterator[Raw]:
        snippet, kind = item.get("snippet") or {}, _type(item)
        place = {"chat": chat, "video": at["video"], "title": at["title"], "channel": self.api.settings.channel_id}
        container = f"{PREFIX}{at['video']}"
        if kind in SPOKEN and item.get("id"):
            kept = {name: snippet.get(name) for name in ("type", "publishedAt", "displayMessage")}
            told = item.get("authorDetails") or {}
            who = {name: told.get(name) for name in ("channelId", "displayName", "isChatOwner", "isChatModerator")}
            yield Raw(LIVE, container, str(item["id"]), canonical({"message": kept, "author": who, **place}))
        elif kind in REMOVALS:
            inner, field = REMOVALS[kind]
            gone = (snippet.get(inner) or {}).get(field)
            if gone:
                body = {"gone": snippet.get("publishedAt"), **place}
                yield Raw("live_gone", container, str(gone), canonical(body))


def _type(item: Mapping[str, Any]) -> str:
    return str((item.get("snippet") or {}).get("type") or "")


def parse_live(raw: Raw, site: str) -> Iterator[Incoming]:
    """A message of a chat is kept and found, and opens no case by itself."""
    body = json.loads(raw.body)
    place = Publication(
        raw.container, "broadcast", clean(body["title"]), url=f"{site}/watch?v={body['video']}"
    )  # fmt: skip
    context = {"chat": body["chat"]}
    if raw.kind == "live_gone":
        yield Incoming(
            raw.container, raw.external_id, "", moment(body["gone"]), None, place, raw.container,
            state=SourceState.DELETED, context=context, quiet=True,
        )  # fmt: skip
        return
    said, who = body["message"], body["author"]
    name = clean(who.get("displayName") or "")
    us = bool(who.get("isChatOwner")) or who["channelId"] == body["channel"]
    yield Incoming(
        container=raw.container, external_id=raw.external_id, text=clean(said.get("displayMessage") or ""),
        published_at=moment(said["publishedAt"]),
        author=Person(who["channelId"], name, f"{site}/channel/{who['channelId']}", is_us=us),
        publication=place, publication_external_id=raw.container, thread=raw.external_id,
        url=f"{site}/watch?v={body['video']}", context=context, quiet=True,
    )  # fmt: skip


def live_call(act: Act) -> Any:
    """The request of an act in a chat; raises ChannelError for what a chat does not know."""
    chat = act.target.context.get("chat") or ""
    match act.kind:
        case ActKind.REPLY | ActKind.MESSAGE:
            name = f"@{act.target.author_name} " if act.kind is ActKind.REPLY and act.target.author_name else ""
            told = {"messageText": f"{name}{act.text}".replace("@@", "@")[:200]}
            body = {"snippet": {"liveChatId": chat, "type": "textMessageEvent", "textMessageDetails": told}}
            return lambda tube: tube.liveChatMessages().insert(part="snippet", body=body)
        case ActKind.DELETE:
            return lambda tube: tube.liveChatMessages().delete(id=act.target.external_id)
        case ActKind.BAN:
            banned = {"channelId": act.target.author_external_id}
            inner = {"liveChatId": chat, "type": "permanent", "bannedUserDetails": banned}
            return lambda tube: tube.liveChatBans().insert(part="snippet", body={"snippet": inner})
    raise ChannelError(f"a live chat has no {act.kind}", code="unsupported", permanent=True)
