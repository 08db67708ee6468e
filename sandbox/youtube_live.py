"""YouTube's live broadcasts on loopback: what is on air, its chat by token and pause, writing into it, its end."""

import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Any

from flask import request

from sandbox import keys
from sandbox.ground import store, utc
from sandbox.youtube_forms import Answer
from sandbox.youtube_request import Refused, owner_only, page_size, parts

POLLING_MS = 2000
HASTE = 0.8
"""Whoever asks sooner than so much of the demanded pause is refused."""
HISTORY = 200
"""The first call gives so many of the latest messages; what is older can never be had."""
LONGEST = 200
VIEWERS = 311
DOMAIN = "youtube.liveChat"


@dataclass(frozen=True, slots=True)
class Live:
    """A broadcast; times in Unix seconds, ``ends`` None while nobody knows."""

    id: str
    title: str
    chat: str
    starts: float
    ends: float | None
    over: float | None

    @property
    def status(self) -> str:
        now = time.time()
        if self.over is not None and self.over <= now:
            return "complete"
        return "live" if self.starts <= now else "ready"


def begin(title: str, starts: float, ends: float | None = None, key: str | None = None) -> Live:
    """A broadcast of the school's channel; with the same ``key`` it is the same one."""
    digest = hashlib.sha256(f"live:{key or secrets.token_hex(8)}".encode()).hexdigest()
    live = Live(f"lv{digest[:9]}", title, f"chat-{digest[:16]}", starts, ends, None)
    store().execute(
        "INSERT OR IGNORE INTO lives (id, title, chat, starts, ends) VALUES (?, ?, ?, ?, ?)",
        (live.id, title, live.chat, starts, ends),
    )
    return live


def say(live: Live, author: str, text: str, at: float | None = None, ours: bool = False, kind: str = "text") -> str:
    """One message of the chat; one of a later time is not seen before it."""
    id_ = "LCC." + secrets.token_urlsafe(18)
    who = keys.YOUTUBE_CHANNEL if ours else "UC" + hashlib.sha256(author.encode()).hexdigest()[:22]
    store().execute(
        "INSERT INTO live_lines (chat, id, who, name, text, at, ours, kind) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (live.chat, id_, who, author, text, at if at is not None else time.time(), int(ours), kind),
    )
    return id_


def finish(live: Live, at: float | None = None) -> None:
    say(live, keys.SCHOOL, "", at, True, "ended")
    store().execute("UPDATE lives SET over = ? WHERE id = ?", (at if at is not None else time.time(), live.id))


def resume(live: Live) -> None:
    """The stream that dropped is there again, under the same address."""
    store().execute("UPDATE lives SET over = NULL WHERE id = ?", (live.id,))
    store().execute("DELETE FROM live_lines WHERE chat = ? AND kind = 'ended'", (live.chat,))


def lives() -> list[Live]:
    found = store().rows("SELECT id, title, chat, starts, ends, over FROM lives ORDER BY starts")
    return [Live(**dict(row)) for row in found]


def live_of(name: str, value: str) -> Live:
    found = next((one for one in lives() if value in (one.id, one.chat)), None)
    if found is None:
        raise Refused(404, "liveChatNotFound", f"The live chat of {name} cannot be found.", DOMAIN)
    return found


# The platform's own interface


def broadcasts_list() -> Answer:
    owner_only()
    wanted = parts()
    status = request.args.get("broadcastStatus", "all")
    states = {"active": ("live",), "upcoming": ("ready",), "completed": ("complete",)}.get(
        status, ("live", "ready", "complete")
    )
    items = [_broadcast(one, wanted) for one in lives() if one.status in states]
    return {"kind": "youtube#liveBroadcastListResponse", "pageInfo": {"totalResults": len(items)}, "items": items}


def _broadcast(live: Live, wanted: list[str]) -> Answer:
    snippet = {
        "channelId": keys.YOUTUBE_CHANNEL, "title": live.title, "liveChatId": live.chat,
        "scheduledStartTime": utc(live.starts), "isDefaultBroadcast": False,
    }  # fmt: skip
    if live.ends is not None:
        snippet["scheduledEndTime"] = utc(live.ends)
    everything = {"snippet": snippet, "status": {"lifeCycleStatus": live.status, "privacyStatus": "public"}}
    return {"kind": "youtube#liveBroadcast", "id": live.id, **{p: everything[p] for p in wanted if p in everything}}


def details(ids: list[str]) -> list[Answer]:
    """For videos.list: what the player page of a broadcast knows."""
    found = []
    for live in lives():
        if live.id not in ids:
            continue
        told: dict[str, Any] = {"scheduledStartTime": utc(live.starts)}
        if live.status != "ready":
            told["actualStartTime"] = utc(live.starts)
        if live.status == "live":
            told |= {"activeLiveChatId": live.chat, "concurrentViewers": str(VIEWERS)}
        if live.status == "complete" and live.over is not None:
            told["actualEndTime"] = utc(live.over)
        snippet = {"title": live.title, "channelId": keys.YOUTUBE_CHANNEL, "publishedAt": utc(live.starts)}
        body = {"id": live.id, "liveStreamingDetails": told, "snippet": snippet}
        found.append(
            {"kind": "youtube#video", "etag": hashlib.sha256(repr(body).encode()).hexdigest()[:27], **body}
        )
    return found


def messages_list() -> Answer:
    owner_only()
    parts()
    live = live_of("liveChatId", request.args.get("liveChatId", ""))
    size = page_size(500, 200, 2000)
    token = request.args.get("pageToken")
    _no_haste(live)
    now = time.time()
    if token is None:
        shown = "SELECT * FROM live_lines WHERE chat = ? AND at <= ? ORDER BY at DESC, seq DESC LIMIT ?"
        rows = store().rows(shown, (live.chat, now, HISTORY))[::-1]
        if live.status == "complete" and not rows:
            raise Refused(403, "liveChatEnded", "The live chat is no longer live.", DOMAIN)
    else:
        at, seq = _place(token)
        later = "chat = ? AND at <= ? AND (at > ? OR (at = ? AND seq > ?))"
        found = f"SELECT * FROM live_lines WHERE {later} ORDER BY at, seq LIMIT ?"  # noqa: S608
        rows = store().rows(found, (live.chat, now, at, at, seq, size))
    last = f"{rows[-1]['at']!r}:{rows[-1]['seq']}" if rows else token or "0.0:0"
    answer: Answer = {
        "kind": "youtube#liveChatMessageListResponse", "nextPageToken": last,
        "pollingIntervalMillis": POLLING_MS, "pageInfo": {"totalResults": len(rows), "resultsPerPage": size},
        "items": [_message(live, row) for row in rows],
    }  # fmt: skip
    if live.status == "complete" and live.over is not None:
        answer["offlineAt"] = utc(live.over)
    return answer


def _place(token: str) -> tuple[float, int]:
    at, _, seq = token.partition(":")
    try:
        return float(at), int(seq)
    except ValueError:
        raise Refused(400, "invalidPageToken", "The page token is not valid.", DOMAIN) from None


def _no_haste(live: Live) -> None:
    name, now = f"youtube:polled:{live.chat}", time.time()
    before = float(store().meta(name) or 0)
    if now - before < POLLING_MS / 1000 * HASTE:
        message = "The request was sent too quickly after the previous request."
        raise Refused(403, "rateLimitExceeded", message, DOMAIN)
    with store().writing():
        store().set_meta(name, str(now))


def _message(live: Live, row: Any) -> Answer:
    snippet: dict[str, Any] = {
        "liveChatId": live.chat,
        "publishedAt": utc(row["at"]),
        "authorChannelId": row["who"],
    }
    if row["kind"] == "ended":
        snippet["type"] = "chatEndedEvent"
    elif row["kind"] == "gone":
        snippet |= {"type": "messageDeletedEvent", "messageDeletedDetails": {"deletedMessageId": row["text"]}}
    else:
        snippet |= {
            "type": "textMessageEvent", "hasDisplayContent": True, "displayMessage": row["text"],
            "textMessageDetails": {"messageText": row["text"]},
        }  # fmt: skip
    who = {
        "channelId": row["who"], "displayName": row["name"], "isChatOwner": bool(row["ours"]),
        "isChatModerator": False, "isVerified": False,
    }  # fmt: skip
    return {"kind": "youtube#liveChatMessage", "id": row["id"], "snippet": snippet, "authorDetails": who}


def messages_insert() -> Answer:
    owner_only()
    parts()
    snippet = (request.get_json(silent=True) or {}).get("snippet") or {}
    text = str((snippet.get("textMessageDetails") or {}).get("messageText") or "")
    live = live_of("liveChatId", str(snippet.get("liveChatId") or ""))
    if live.status == "complete":
        raise Refused(403, "liveChatEnded", "The live chat is no longer live.", DOMAIN)
    if not text.strip() or len(text) > LONGEST:
        raise Refused(400, "messageTextInvalid", "The message text is not valid.", DOMAIN)
    id_ = say(live, keys.SCHOOL, text, ours=True)
    row = store().rows("SELECT * FROM live_lines WHERE id = ?", (id_,))[0]
    return _message(live, row)


def messages_delete() -> None:
    owner_only()
    found = store().rows("SELECT * FROM live_lines WHERE id = ? AND kind = 'text'", (request.args.get("id"),))
    if not found:
        raise Refused(404, "liveChatMessageNotFound", "The message cannot be found.", DOMAIN)
    say(live_of("liveChatId", found[0]["chat"]), keys.SCHOOL, found[0]["id"], ours=True, kind="gone")


def bans_insert() -> Answer:
    owner_only()
    snippet = (request.get_json(silent=True) or {}).get("snippet") or {}
    live_of("liveChatId", str(snippet.get("liveChatId") or ""))
    return {"kind": "youtube#liveChatBan", "id": secrets.token_urlsafe(12), "snippet": snippet}
