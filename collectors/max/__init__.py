"""MAX, in and out: a bot reads dialogues and groups as they come, re-reads their history, and answers in them."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from collectors.asked import asked_once
from collectors.base import (
    Act,
    ActKind,
    Attachment,
    Capabilities,
    Channel,
    ChannelError,
    Check,
    Cursor,
    Incoming,
    Limiter,
    Page,
    Proof,
    Publication,
    Raw,
    Receipt,
    Right,
    Sent,
    Verdict,
    Walk,
    normalise,
)
from collectors.html import clean
from collectors.max.api import Api, Settings
from collectors.max.message import (
    CHATS,
    incoming,
    is_id,
    is_mid,
    kept,
    message_raw,
    mid_of,
    moment,
    publication,
    start_raw,
    started,
)
from collectors.wire import Wire

__all__ = ["Max", "Settings"]

LIMIT = 100
LONG_POLL = 25
HOOK_HEADER = "x-max-bot-api-secret"
TYPES = "message_created,message_edited,message_removed,bot_removed,bot_started"
OVERLAP = 48 * 3600 * 1000
"""Milliseconds before the newest known message that a deep walk reads again, for edits whose event was lost."""
KEPT = 8 * 3600
"""Seconds for which MAX repeats an event to a web hook; how long it keeps one for polling it does not tell."""
CLOCK_SLACK = timedelta(minutes=2)
CLOSED = ("closed", "rights", "gone")
"""What one chat may answer without harm to the others."""


class Max(Channel):
    """A bot in dialogues and groups. Events come by long poll or web hook; the history of a chat can be read again,
    so what was lost between two events is found by the deep walk and an answer can be proven."""

    kind = "max"
    title = "MAX"
    can = Capabilities(
        acts=frozenset({ActKind.REPLY, ActKind.MESSAGE, ActKind.EDIT, ActKind.DELETE}),
        list_own=True,
        listen=True,
        receive=True,
        removal_is_final=True,
        unlisted=True,
        max_length=4000,
        poll_seconds=10,
        deep_seconds=3600,
        settle_seconds=15,
        bot=True,
    )
    Settings = Settings

    def __init__(self, settings: Any, wire: Wire, limiter: Limiter) -> None:
        super().__init__(settings, wire, limiter)
        self._api = Api(settings, wire, limiter)

    @classmethod
    def start_address(cls, settings: Any, name: str, word: str) -> str:
        return f"{settings.site_url.rstrip('/')}/{name}?start={word}"

    def fetch(self, file: Attachment, limit: int) -> bytes:
        if file.url is None:
            raise ChannelError("the file has no address", code="invalid", permanent=True)
        return self._api.download(file.url, limit)

    def close(self) -> None:
        self._api.close()

    @asked_once
    def _me(self) -> int:
        found = self._api.get("me").get("user_id")
        if not is_id(found):
            raise ChannelError("/me names no user", code="server")
        return int(found)  # type: ignore[arg-type]

    def check(self) -> Check:
        """Who the bot is, and whether some other program has its updates."""
        me = self._api.get("me")
        hooks = self._api.get("subscriptions").get("subscriptions") or []
        ours = not hooks or self.settings.webhook_secret is not None
        name = clean(str(me.get("username") or me.get("first_name") or ""))
        return Check(str(me.get("user_id")), f"@{name}", (Right("no_foreign_webhook", ours, "collect"),))

    # In

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        """NEW fetches what waits; DEEP reads the latest two days of every chat again, BACKFILL all of it.

        The cursor: ``marker`` of the updates, ``chats`` (id → time of the newest message read), ``last`` (id → the
        newest message met), ``left`` (chats that a deep walk has yet to read), ``seen`` (Unix seconds of the last
        word from MAX about events), ``hooked`` (they came by our web hook then). An update is confirmed by the call
        after it, once its page was stored.
        """
        if walk is not Walk.NEW:
            yield from self._histories(walk, dict(cursor))
            return
        while True:
            try:
                page = self._fetch(cursor, wait=0)
            except ChannelError as error:
                if error.code != "conflict" or self.settings.webhook_secret is None:
                    raise
                # Our own web hook brings them.
                now = time.time()
                gap, since = _silence(cursor, now)
                told = {**cursor, "seen": now, "hooked": True}
                page = Page((), told, complete=True, gap=gap, gap_since=since)
            yield page
            if page.complete:
                return
            cursor = page.cursor

    def listen(self, cursor: Cursor, stop: Event) -> Iterator[Page]:
        """Long polls until ``stop``, with the same cursor as walk()."""
        while not stop.is_set():
            page = self._fetch(cursor, wait=LONG_POLL)
            yield page
            cursor = page.cursor

    def acquaint(self, cursor: Cursor, dialogues: Iterable[str]) -> Cursor:
        """A web hook moves no cursor: what it told of is read whole at the first deep walk that hears of it."""
        if cursor.get("left") is not None:
            return cursor  # a walk that goes on where it stopped; the next one takes them in
        told = {one: 0 for one in dialogues if one.lstrip("-").isdecimal()}
        return {**cursor, "chats": {**told, **cursor.get("chats", {})}}

    def receive(self, payload: bytes, headers: Mapping[str, str]) -> list[Raw]:
        """One update of a web hook; raises ChannelError(auth) unless the secret header is ours."""
        secret = self.settings.webhook_secret.get_secret_value() if self.settings.webhook_secret else ""
        given = next((value for name, value in headers.items() if name.lower() == HOOK_HEADER), "")
        if not secret:
            raise ChannelError("no web hook secret is set", code="settings", permanent=True)
        if not hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode()):
            raise ChannelError("wrong web hook secret", code="auth", permanent=True)
        try:
            update = json.loads(payload)
        except (ValueError, RecursionError):
            raise ChannelError("the web hook body is not JSON", code="invalid", permanent=True) from None
        if not isinstance(update, dict) or not isinstance(update.get("update_type"), str):
            raise ChannelError("the web hook body is not an update", code="invalid", permanent=True)
        return list(self._raws([update]))

    def _fetch(self, cursor: Cursor, wait: int) -> Page:
        params: dict[str, Any] = {"limit": LIMIT, "timeout": wait, "types": TYPES}
        if is_id(cursor.get("marker")):
            params["marker"] = cursor["marker"]
        asked_at = time.time()
        answer = self._api.get("updates", wait=wait, **params)
        updates = answer.get("updates")
        if not isinstance(updates, list):
            raise ChannelError("/updates answered with no list", code="server")
        state, chats = {**cursor, "seen": time.time()}, dict(cursor.get("chats", {}))
        if is_id(answer.get("marker")):
            state["marker"] = answer["marker"]
        raws, last = self._raws(updates), dict(cursor.get("last", {}))
        for raw in raws:
            if raw.kind in ("message", "start"):
                # A deep walk begins here; the time itself is its own to move, once the history was read.
                chats.setdefault(raw.container, 0)
            if raw.kind == "message":
                last[raw.container] = raw.external_id
        gone = [
            one.get("chat_id")
            for one in updates
            if isinstance(one, dict) and one.get("update_type") == "bot_removed"
        ]
        told, since = self._lost(cursor, asked_at)
        gap = (
            "; ".join([*filter(None, [told]), *(f"the bot was removed from chat {chat}" for chat in gone)]) or None
        )
        return Page(
            raws, {**state, "chats": chats, "last": last, "hooked": False}, complete=len(updates) < LIMIT, gap=gap,
            gap_since=since,
        )  # fmt: skip

    def _lost(self, cursor: Cursor, now: float) -> tuple[str | None, datetime | None]:
        """Like _silence(), and of a web hook that none of us has given up: MAX ends one that nothing answers."""
        if not cursor.get("hooked") or self.settings.webhook_secret is None:
            return _silence(cursor, now)
        since = datetime.fromtimestamp(min(cursor["seen"], now - KEPT), UTC)
        return "MAX has ended the web hook: nobody had answered it for 8 hours", since

    def _raws(self, updates: list[Any]) -> tuple[Raw, ...]:
        """The raws of updates; of several states of one message the latest, whatever their order."""
        found: dict[tuple[str, str, str], Raw] = {}
        edits: dict[tuple[str, str, str], int] = {}
        for update in updates:
            try:
                raw = self._raw(update, found)
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
                text = json.dumps(update, sort_keys=True)
                raw = kept("update", "?", hashlib.sha256(text.encode()).hexdigest(), update)
            if raw is None:
                continue
            key = (raw.kind, raw.container, raw.external_id)
            edited = isinstance(update, dict) and update.get("update_type") == "message_edited"
            at = int(update["timestamp"]) if edited and is_id(update.get("timestamp")) else 0
            if at >= edits.get(key, 0):
                found[key], edits[key] = raw, at
        return tuple(found.values())

    def _raw(self, update: dict[str, Any], found: Mapping[tuple[str, str, str], Raw]) -> Raw | None:
        match update["update_type"]:
            case "message_created":
                return message_raw(update["message"], us=self._is_us(update["message"]))
            case "message_edited":
                message = update["message"]
                return message_raw(message, us=self._is_us(message), edited=int(update["timestamp"]))
            case "message_removed":
                chat, mid = update["chat_id"], update["message_id"]
                if not is_id(chat) or not is_mid(mid):
                    raise TypeError("not a removal")
                before = found.get(("message", str(chat), mid))
                body = json.loads(before.body) if before is not None else {}
                return kept("removed", chat, mid, {**body, "removed": int(update["timestamp"])})
            case "bot_started":
                return start_raw(update)
        return None

    def _is_us(self, message: dict[str, Any]) -> bool:
        """A bot in a dialogue with the bot is the bot; in a group there may be others."""
        sender = message.get("sender") or {}
        if sender.get("user_id") in self.settings.our_ids:
            return True
        if sender.get("is_bot") is not True:
            return False
        return message["recipient"].get("chat_type") == "dialog" or sender.get("user_id") == self._me

    def _histories(self, walk: Walk, state: Cursor) -> Iterator[Page]:
        chats: dict[str, int] = dict(state.get("chats", {}))
        raws: tuple[Raw, ...] = ()
        if state.get("left") is None:
            raws = tuple(self._chats())
            for raw in raws:
                chats.setdefault(raw.external_id, 0)
            state = {**state, "chats": chats, "left": sorted(chats)}
        left = list(state["left"])
        yield Page(raws, dict(state), complete=False)
        while left:
            chat = left[0]
            floor = 0 if walk is Walk.BACKFILL else max(0, chats.get(chat, 0) - OVERLAP)
            read: set[str] = set()
            newest, ended = chats.get(chat, 0), False
            try:
                for messages, end in self._history(chat, floor):
                    ended = end
                    found = [message_raw(one, us=self._is_us(one)) for one in messages]
                    read |= {raw.external_id for raw in found}
                    newest = max([newest, *(int(one["timestamp"]) for one in messages)])
                    if found and len(found) == len(read):  # newest first
                        state = {**state, "last": {**state.get("last", {}), chat: found[0].external_id}}
                    yield Page(tuple(found), dict(state))
                is_whole = ended and (bool(read) or self._is_emptied(state, chat))
            except ChannelError as error:
                if error.code not in CLOSED:
                    raise
                is_whole = False
            except (KeyError, TypeError, ValueError):
                raise ChannelError("/messages answered with something else", code="server") from None
            chats[chat] = newest
            left.pop(0)
            state = {**state, "chats": dict(chats), "left": list(left)}
            yield Page((), dict(state), listed={chat: frozenset(read)} if is_whole else {})
        state.pop("left", None)
        yield Page((), state, complete=True)

    def _is_emptied(self, state: Cursor, chat: str) -> bool:
        """A history without a word is believed when the newest message we met there is not found by its own id
        either: a removal is final, and a chat that we only do not see may look empty too."""
        mid = state.get("last", {}).get(chat)
        if mid is None:
            return False
        try:
            return bool(self._api.get("messages", message_ids=mid)["messages"] == [])
        except ChannelError as error:
            if error.code != "gone":
                raise
            return True

    def _chats(self) -> Iterator[Raw]:
        """The groups and channels that the bot is in; dialogues are not listed, they become known by writing."""
        marker: dict[str, Any] = {}
        while True:
            answer = self._api.get("chats", count=LIMIT, **marker)
            for chat in answer.get("chats") or []:
                if isinstance(chat, dict) and is_id(chat.get("chat_id")) and chat.get("type") != "channel":
                    told = {name: chat[name] for name in ("title", "link") if chat.get(name)}
                    yield kept("chat", CHATS, chat["chat_id"], told)
            following = answer.get("marker")
            if not is_id(following) or {"marker": following} == marker:
                return
            marker = {"marker": following}

    def _history(self, chat: str, floor: int) -> Iterator[tuple[list[dict[str, Any]], bool]]:
        """(messages, whether nothing older is there) newest first, down to ``floor`` in milliseconds.

        ``from`` is the upper bound in time. Whether it is included is not told, so each page overlaps the one
        before, and steps back by a millisecond when it brought nothing new.
        """
        upper: dict[str, int] = {}
        seen: set[str] = set()
        while True:
            page = self._api.get("messages", chat_id=chat, count=LIMIT, **upper)["messages"]
            if not page:
                yield [], True
                return
            fresh = {mid: one for one in page if (mid := mid_of(one)) is not None and mid not in seen}
            seen |= set(fresh)
            oldest = min(int(one["timestamp"]) for one in page)
            if fresh:
                yield list(fresh.values()), False
            if oldest < floor:
                return
            upper = {"from": oldest + 1 if fresh else upper.get("from", oldest + 1) - 1}

    # Understanding

    def parse(self, raw: Raw) -> list[Incoming]:
        if raw.kind == "update":
            raise ValueError("an update of unknown shape")
        if raw.kind == "start":
            return [started(raw)]
        found = incoming(raw) if raw.kind in ("message", "removed") else None
        return [] if found is None else [found]

    def publication(self, raw: Raw) -> Publication | None:
        return publication(raw)

    # Out

    def act(self, act: Act) -> Receipt:
        target = act.target
        if act.kind in (ActKind.REPLY, ActKind.MESSAGE):
            return self._send(act)
        if act.kind not in self.can.acts:
            return super().act(act)
        params = {"message_id": _mid(target.external_id)}
        if act.kind is ActKind.EDIT:
            answer = self._api.call("PUT", "messages", params=params, body={"text": act.text}, write=True)
        else:
            try:
                answer = self._api.call("DELETE", "messages", params=params, write=True)
            except ChannelError as error:
                if error.code != "gone":
                    raise
                answer = {"success": True}  # what was to be deleted is not there any more
        if answer.get("success") is not True:
            raise ChannelError("no success in the answer", code="server", sent=Sent.UNKNOWN)
        return Receipt(target.external_id, container=target.container)

    def _send(self, act: Act) -> Receipt:
        body: dict[str, Any] = {"text": act.text, "notify": True}
        if act.kind is ActKind.REPLY:
            body["link"] = {"type": "reply", "mid": _mid(act.target.external_id)}
        answer = self._api.call("POST", "messages", params={"chat_id": _chat(act)}, body=body, write=True)
        try:
            message = answer["message"]
            mid, at = message["body"]["mid"], moment(message["timestamp"])
            return Receipt(str(mid), message.get("url"), at, container=act.target.container)
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError, OSError):
            raise ChannelError("no message in the answer", code="server", sent=Sent.UNKNOWN) from None

    def lookup(self, act: Act) -> Proof:
        """Reads the chat back to the first attempt; absent only when it was read as far as that."""
        if act.kind not in (ActKind.REPLY, ActKind.MESSAGE):
            return Proof(Verdict.UNKNOWN)
        since = act.since - CLOCK_SLACK if act.since is not None else None
        parent = act.target.external_id if act.kind is ActKind.REPLY else None
        try:
            for messages, _ended in self._history(str(_chat(act)), int(since.timestamp() * 1000) if since else 0):
                for one in messages:
                    at, link = moment(one["timestamp"]), one.get("link") or {}
                    answered = (link.get("message") or {}).get("mid") if link.get("type") == "reply" else None
                    text = str(one["body"].get("text") or "")
                    recent = since is None or at >= since
                    mine = (one.get("sender") or {}).get("user_id") == self._me and mid_of(one) not in act.taken
                    if mine and recent and answered == parent and normalise(text) == normalise(act.text):
                        return Proof(Verdict.SEEN, str(one["body"]["mid"]), one.get("url"), at)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ChannelError("/messages answered with something else", code="server") from None
        return Proof(Verdict.ABSENT)


def _mid(value: str | None) -> str:
    if not value:
        raise ChannelError("the target is not a message of MAX", code="invalid", permanent=True)
    return value


def _chat(act: Act) -> int:
    try:
        return int(act.target.container)
    except ValueError:
        raise ChannelError("the target is not a chat of MAX", code="invalid", permanent=True) from None


def _silence(cursor: Cursor, now: float) -> tuple[str | None, datetime | None]:
    """Words about hours whose events may be lost, and from when on; None where there are none.

    What the deep walk cannot find again is a dialogue that began then, and a removal or an edit of what is older
    than it reads.
    """
    seen = cursor.get("seen")
    if not isinstance(seen, int | float) or now - seen <= KEPT:
        return None, None
    since, until = datetime.fromtimestamp(seen, UTC), datetime.fromtimestamp(now, UTC)
    start, end = (at.isoformat(timespec="seconds") for at in (since, until))
    return f"no contact from {start} to {end}: MAX keeps events for 8 hours", since
