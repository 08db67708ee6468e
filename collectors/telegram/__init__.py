"""Telegram, in and out: a bot reads comments, groups and dialogues as they come, and answers in them."""

import hmac
import json
import time
from collections.abc import Iterator, Mapping
from threading import Event
from typing import Any

from collectors.base import (
    Act,
    ActKind,
    Attachment,
    Capabilities,
    Channel,
    ChannelError,
    Check,
    Cursor,
    FileLimits,
    Incoming,
    Limiter,
    Page,
    Publication,
    Raw,
    Receipt,
    Right,
    Sent,
    Walk,
)
from collectors.files import MEGABYTE
from collectors.telegram.api import Api, Moved, is_id, seconds_between
from collectors.telegram.message import Reader, moment
from collectors.telegram.settings import Settings
from collectors.telegram.updates import ALLOWED, State, Updates
from collectors.wire import Wire

__all__ = ["Settings", "Telegram"]

LIMIT = 100
LONG_POLL = 25
"""Seconds that one long poll waits; stopping takes no longer than this."""
HOOK_HEADER = "x-telegram-bot-api-secret-token"

SENDING = {"photo": "sendPhoto", "video": "sendVideo", "audio": "sendAudio", "document": "sendDocument"}
"""Kind of a file → the method that sends it with a caption."""
DONE_ALREADY = {ActKind.DELETE: "message to delete not found", ActKind.EDIT: "message is not modified"}
"""Refusals that mean that what was asked for is already so."""


class Telegram(Channel):
    """A bot in a discussion group, in other groups and in dialogues.

    Telegram shows a bot no history and does not tell it of deletions, so nothing can be re-read and lookup() proves
    nothing; what the bot sends does not come back either, and the receipt is all there will ever be.
    """

    kind = "telegram"
    title = "Telegram"
    can = Capabilities(
        acts=frozenset({ActKind.REPLY, ActKind.MESSAGE, ActKind.EDIT, ActKind.DELETE, ActKind.BAN, ActKind.LIKE}),
        listen=True,
        grade="events",
        receive=True,
        max_length=4096,
        count="utf16",
        place_context=frozenset({"topic", "direct_topic"}),
        rate_scope="container",  # 20 a minute in a group, one a second in a chat
        poll_seconds=10,
        deep_seconds=24 * 3600,
        # A group of media would be several messages, of which an edit or a removal touches one: hence one file.
        files=FileLimits(
            {"photo": 10 * MEGABYTE, "video": 20 * MEGABYTE, "audio": 20 * MEGABYTE, "document": 20 * MEGABYTE},
            text=1024,
            edits=True,
        ),
        bot=True,
    )
    Settings = Settings

    def __init__(self, settings: Any, wire: Wire, limiter: Limiter) -> None:
        super().__init__(settings, wire, limiter)
        self._api = Api(settings, wire, limiter)
        self._reader = Reader(settings.site_url)

    @classmethod
    def seconds_between(cls, container: str) -> float:
        return seconds_between(int(container) if container.lstrip("-").isdecimal() else -1)

    @classmethod
    def start_address(cls, settings: Any, name: str, word: str) -> str:
        return f"{settings.site_url.rstrip('/')}/{name}?start={word}"

    def fetch(self, file: Attachment, limit: int) -> bytes:
        if file.ref is None:
            raise ChannelError("the file has no id", code="invalid", permanent=True)
        return self._api.download(file.ref, limit)

    def close(self) -> None:
        self._api.close()

    def check(self) -> Check:
        """Asks getMe, getWebhookInfo and, for one watched group, the bot's standing in it."""
        me = self._api.call("getMe", {})
        hook = self._api.call("getWebhookInfo", {})
        # A web hook stops getUpdates; it is meant to be there only when its secret is known here.
        rights = [
            Right("no_foreign_webhook", not hook.get("url") or self.settings.webhook_secret is not None, "collect")
        ]
        standing: dict[str, Any] = {}
        if self.settings.chat_id is not None:
            chat = self._api.call("getChat", {"chat_id": self.settings.chat_id})
            standing = self._api.call("getChatMember", {"chat_id": self.settings.chat_id, "user_id": me["id"]})
            member = standing.get("status") in ("administrator", "creator", "member", "restricted")
            rights.append(Right("member_of_group", member, "collect"))
            rights.append(Right("group_of_channel", "linked_chat_id" in chat, "publications"))
            for name, without in (("can_delete_messages", "delete"), ("can_restrict_members", "ban")):
                rights.append(Right(name, bool(standing.get(name)), without))
        # An administrator sees everything whatever the privacy mode says.
        all_messages = bool(me.get("can_read_all_group_messages")) or standing.get("status") == "administrator"
        rights.append(Right("can_read_all_group_messages", all_messages, "collect"))
        return Check(str(me["id"]), f"@{me.get('username') or me.get('first_name')}", tuple(rights))

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        """Fetches what waits. An update is confirmed by the call after it, so only once its page was stored."""
        if walk is not Walk.NEW:
            yield Page((), dict(cursor), complete=True)
            return
        while True:
            page = self._fetch(cursor, wait=0)
            yield page
            if page.complete:
                return
            cursor = page.cursor

    def listen(self, cursor: Cursor, stop: Event) -> Iterator[Page]:
        """Long polls until ``stop``; the same cursor as walk(), and never both at once (Telegram answers 409)."""
        while not stop.is_set():
            page = self._fetch(cursor, wait=LONG_POLL)
            yield page
            cursor = page.cursor

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
        if not isinstance(update, dict) or not is_id(update.get("update_id")):
            raise ChannelError("the web hook body is not an update", code="invalid", permanent=True)
        raw = Updates(self.settings, State(self.settings.bot_id)).raw(update)
        return [] if raw is None else [raw]

    def _fetch(self, cursor: Cursor, wait: int) -> Page:
        state = State.of(cursor, self.settings.bot_id)
        if state.ours is None:
            state.ours = self._linked()
        asked_at = time.time()
        params: dict[str, Any] = {"limit": LIMIT, "timeout": wait, "allowed_updates": ALLOWED}
        offset = state.offset_at(asked_at)
        if offset is not None:
            params["offset"] = offset
        found = self._api.call("getUpdates", params, wait=wait)
        if not isinstance(found, list) or not all(
            isinstance(one, dict) and is_id(one.get("update_id")) for one in found
        ):
            raise ChannelError("getUpdates answered with something else", code="server")
        updates, gaps = Updates(self.settings, state), state.silence(asked_at)
        raws: dict[tuple[str, str, str], Raw] = {}
        for update in found:
            gaps += updates.removal(update)
            raw = updates.raw(update)
            if raw is not None:
                raws[raw.kind, raw.container, raw.external_id] = raw  # the last state of a message in a page wins
        state.seen = time.time()
        if found:
            state.offset, state.last = max(one["update_id"] for one in found) + 1, state.seen
        gap = "; ".join(gaps) or None
        return Page(tuple(raws.values()), state.cursor(), complete=len(found) < LIMIT, gap=gap)

    def _linked(self) -> list[int]:
        """The channel whose posts are commented on in the watched group: it is us who write in its name."""
        if self.settings.chat_id is None:
            return []
        try:
            chat = self._api.call("getChat", {"chat_id": self.settings.chat_id})
        except ChannelError as error:
            if error.code not in ("gone", "rights", "closed"):
                raise
            return []  # check() tells of a group that cannot be reached; dialogues go on
        linked = chat.get("linked_chat_id") if isinstance(chat, dict) else None
        return [int(linked)] if linked is not None and is_id(linked) else []

    def parse(self, raw: Raw) -> list[Incoming]:
        """A message with something in it; service notices and posts give nothing."""
        if raw.kind == "update":
            raise ValueError("an update of unknown shape")
        if raw.kind != "message":
            return []
        body = json.loads(raw.body)
        message = self._reader.incoming(body["message"], us=bool(body["us"]))
        return [] if message is None else [message]

    def publication(self, raw: Raw) -> Publication | None:
        """The channel post behind an automatic forward, or a post of a channel the bot is in."""
        if raw.kind not in ("post", "channel_post"):
            return None
        return self._reader.post(json.loads(raw.body)["message"])

    def act(self, act: Act) -> Receipt:
        """Sends or changes; an upgraded group is followed unless a message is named, as ids begin anew there."""
        method, params = _request(act)
        file = act.files[0] if method in SENDING.values() else None
        self._api.wait_for_chat(params["chat_id"])
        try:
            result = self._api.call(method, params, write=True, file=file)
        except Moved as moved:
            if "message_id" in params or "reply_parameters" in params:
                raise
            params["chat_id"] = moved.chat
            result = self._api.call(method, params, write=True, file=file)
        except ChannelError as error:
            if DONE_ALREADY.get(act.kind, "\0") not in error.message.lower():
                raise
            result = True
        container = str(params["chat_id"])
        if result is True and act.kind not in (ActKind.REPLY, ActKind.MESSAGE):
            return Receipt(act.target.external_id, container=container)
        try:
            at = moment(result.get("edit_date") or result["date"])
            return Receipt(str(result["message_id"]), self._reader.url(result), at, container=container)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise ChannelError(f"{method} answered with no message", code="server", sent=Sent.UNKNOWN) from None


def _request(act: Act) -> tuple[str, dict[str, Any]]:
    """Method and parameters of an act (core.telegram.org/bots/api); texts go out without a parse mode."""
    target = act.target
    try:
        chat = {"chat_id": int(target.container)}
        if act.kind in (ActKind.REPLY, ActKind.MESSAGE):
            if act.files:
                return SENDING[act.files[0].kind], {**chat, "caption": act.text, **_place(act)}
            return "sendMessage", {**chat, "text": act.text, **_place(act)}
        if act.kind is ActKind.BAN:
            who = int(target.author_external_id or "")
            if who < 0:  # somebody who writes in the name of a channel
                return "banChatSenderChat", {**chat, "sender_chat_id": who}
            return "banChatMember", {**chat, "user_id": who}
        message = {**chat, "message_id": int(target.external_id or "")}
        match act.kind:
            case ActKind.EDIT:
                if act.files:
                    return "editMessageCaption", {**message, "caption": act.text}
                return "editMessageText", {**message, "text": act.text}
            case ActKind.DELETE:
                return "deleteMessage", message
            case ActKind.LIKE:
                return "setMessageReaction", {**message, "reaction": [{"type": "emoji", "emoji": "👍"}]}
    except ValueError:
        raise ChannelError("the target is not a Telegram message", code="invalid", permanent=True) from None
    raise ChannelError(f"telegram cannot {act.kind}", code="unsupported", permanent=True)


def _place(act: Act) -> dict[str, Any]:
    """Under what a new message stands; a message to a post answers its automatic forward."""
    target = act.target
    place: dict[str, Any] = {}
    if topic := target.context.get("direct_topic"):
        place["direct_messages_topic_id"] = int(topic)
    if topic := target.context.get("topic"):
        place["message_thread_id"] = int(topic)
    answered = int(target.external_id or "") if act.kind is ActKind.REPLY else None
    chat, _, root = (target.publication_external_id or "").partition(":")
    if answered is None and root and chat == target.container and not place:
        answered = int(root)
    if answered is not None:
        # Were the parent gone, the reply would stand under nothing: the platform is asked to refuse it then.
        place["reply_parameters"] = {"message_id": answered, "allow_sending_without_reply": False}
    return place
