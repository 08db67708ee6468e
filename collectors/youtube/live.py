"""Broadcasts of a channel and the chat of a running one: read on from YouTube's own token, one call at a time."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from collectors.airing import Airing, ChatPage
from collectors.base import Act, ActKind, ChannelError, Cursor, Incoming, Person, Publication, Raw, SourceState
from collectors.html import clean
from collectors.youtube.items import canonical, moment

LIVE = "live"
PREFIX = "live-"
MOST = 2000
LONGEST = 200
"""Characters of a message, the name of whom it answers included."""
USUAL_PAUSE = 5.0
"""Where an answer does not say how long to wait."""
AIR_STATES = {"complete": "over", "revoked": "over", "live": "live", "liveStarting": "live"}
"""lifeCycleStatus → ours; all others (created, ready, testing) are still to come."""
SPOKEN = ("textMessageEvent", "superChatEvent", "superStickerEvent")
REMOVALS = {
    "messageDeletedEvent": ("messageDeletedDetails", "deletedMessageId"),
    "messageRetractedEvent": ("messageRetractedDetails", "retractedMessageId"),
}
OVER = ("liveChatEnded", "liveChatNotFound", "liveChatDisabled")
NO_CHAT = frozenset({"closed", "gone", "rights", "unsupported"})


def find_airings(api: Any, known: Sequence[str]) -> list[Airing]:
    """Two units, and one more when something is on air or known."""
    found: dict[str, dict[str, Any]] = {}
    for status in ("active", "upcoming"):
        asked = {"part": "id,snippet,status", "broadcastStatus": status, "broadcastType": "all", "maxResults": 50}
        answer = api.call(lambda tube: tube.liveBroadcasts().list(**asked), purpose="live")  # noqa: B023
        found.update({one["id"]: {**one, "active": status == "active"} for one in answer.get("items") or []})
    wanted = list(dict.fromkeys([*known, *(key for key, one in found.items() if one["active"])]))[:50]
    details: dict[str, dict[str, Any]] = {}
    if wanted:
        ids = ",".join(wanted)
        answer = api.call(
            lambda tube: tube.videos().list(part="snippet,liveStreamingDetails", id=ids), purpose="live"
        )
        details = {one["id"]: one for one in answer.get("items") or []}
    site = api.settings.site_url
    names = dict.fromkeys([*found, *details])
    return [_airing(name, found.get(name, {}), details.get(name, {}), site) for name in names]


def _airing(video: str, one: Mapping[str, Any], detail: Mapping[str, Any], site: str) -> Airing:
    snippet = one.get("snippet") or {}
    told = detail.get("liveStreamingDetails") or {}
    ended = _moment(told.get("actualEndTime") or snippet.get("actualEndTime"))
    started = _moment(told.get("actualStartTime") or snippet.get("actualStartTime"))
    state = AIR_STATES.get(str((one.get("status") or {}).get("lifeCycleStatus") or ""), "planned")
    if ended is not None:
        state = "over"
    elif one.get("active") or (started is not None and not one):
        state = "live"
    viewers = str(told.get("concurrentViewers") or "")
    return Airing(
        video, clean(snippet.get("title") or (detail.get("snippet") or {}).get("title") or ""), state,
        f"{PREFIX}{video}", f"{site}/watch?v={video}", told.get("activeLiveChatId") or snippet.get("liveChatId"),
        _moment(snippet.get("scheduledStartTime") or told.get("scheduledStartTime")),
        _moment(snippet.get("scheduledEndTime") or told.get("scheduledEndTime")), started, ended,
        int(viewers) if viewers.isdigit() else None,
    )  # fmt: skip


def _moment(value: Any) -> datetime | None:
    try:
        return moment(str(value)) if value else None
    except ValueError:
        return None


def read_chat(api: Any, airing: Airing, cursor: Cursor) -> ChatPage:
    """What was said since the last call: five units. cursor: {token}, YouTube's memory of where we are."""
    asked: dict[str, Any] = {"liveChatId": airing.chat, "part": "id,snippet,authorDetails", "maxResults": MOST}
    if cursor.get("token"):
        asked["pageToken"] = cursor["token"]
    try:
        answer = api.call(lambda tube: tube.liveChatMessages().list(**asked), purpose="live")
    except ChannelError as error:
        if any(word in error.message for word in OVER) or error.code in NO_CHAT:
            return ChatPage((), cursor, USUAL_PAUSE, ended=True)
        if error.code == "invalid" and cursor.get("token"):
            return ChatPage((), {}, USUAL_PAUSE)  # the token is forgotten: what is read again is known
        raise
    items = [one for one in answer.get("items") or [] if isinstance(one, dict)]
    told = answer.get("pollingIntervalMillis")
    pause = int(told) / 1000 if str(told or "").isdigit() else USUAL_PAUSE
    raws = {raw.external_id: raw for one in items for raw in _raws(one, airing, api.settings.channel_id)}
    ended = bool(answer.get("offlineAt")) or any(_type(one) == "chatEndedEvent" for one in items)
    token = answer.get("nextPageToken") or cursor.get("token")
    return ChatPage(tuple(raws.values()), {"token": token} if token else {}, pause, ended)


def _raws(item: Mapping[str, Any], airing: Airing, channel: str) -> Iterator[Raw]:
    snippet, kind = item.get("snippet") or {}, _type(item)
    place = {"chat": airing.chat, "video": airing.external_id, "title": airing.title, "channel": channel}
    container = airing.publication
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
    context = {"chat": body["chat"], "limit": str(LONGEST)}
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
            told = {"messageText": f"{name}{act.text}".replace("@@", "@")[:LONGEST]}
            body = {"snippet": {"liveChatId": chat, "type": "textMessageEvent", "textMessageDetails": told}}
            return lambda tube: tube.liveChatMessages().insert(part="snippet", body=body)
        case ActKind.DELETE:
            return lambda tube: tube.liveChatMessages().delete(id=act.target.external_id)
        case ActKind.BAN:
            banned = {"channelId": act.target.author_external_id}
            inner = {"liveChatId": chat, "type": "permanent", "bannedUserDetails": banned}
            return lambda tube: tube.liveChatBans().insert(part="snippet", body={"snippet": inner})
    raise ChannelError(f"a live chat has no {act.kind}", code="unsupported", permanent=True)
