"""Updates into raws: what is watched, what is ours, what was lost, and what a walk must remember of it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from collectors.base import Cursor, Raw
from collectors.telegram.api import is_id
from collectors.telegram.settings import Settings

KEPT = 24 * 3600
"""Telegram keeps updates that nobody fetched for a day at most: a longer silence of ours is a gap."""
RENUMBERED = 6 * 24 * 3600
"""After a week without updates ids may start anew at random, so an older offset must not be sent."""
CARRIERS = ("message", "edited_message", "channel_post", "edited_channel_post")
ALLOWED = [*CARRIERS, "my_chat_member"]


@dataclass
class State:
    """A walk's memory as it stands in the cursor; times are Unix seconds."""

    bot: int
    offset: int | None = None
    last: float = 0  # when an update came
    seen: float = 0  # when Telegram answered
    ours: list[int] | None = None  # channels that post into the watched groups; None: not asked yet
    moved: dict[str, int] | None = None  # groups that became supergroups: old id, new id

    @classmethod
    def of(cls, cursor: Cursor, bot: int) -> "State":
        """Another bot has updates of its own: nothing of the old cursor holds for it."""
        if cursor.get("bot") != bot:
            return cls(bot)
        return cls(**{key: value for key, value in cursor.items() if key in cls.__dataclass_fields__})

    def cursor(self) -> Cursor:
        return {
            "bot": self.bot,
            "offset": self.offset,
            "last": self.last,
            "seen": self.seen,
            "ours": self.ours,
            "moved": self.moved,
        }

    def offset_at(self, now: float) -> int | None:
        """The offset to confirm with, unless it is too old to mean anything."""
        return self.offset if now - self.last < RENUMBERED else None

    def silence(self, now: float) -> list[str]:
        """Words about the hours that Telegram did not keep for us."""
        if not self.seen or now - self.seen <= KEPT:
            return []
        start, end = (datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds") for at in (self.seen, now))
        return [f"no contact from {start} to {end}: Telegram keeps updates for 24 hours"]


class Updates:
    """Sorts the updates of one source; learns from them which channels are ours and where groups have moved."""

    def __init__(self, settings: Settings, state: State) -> None:
        self.settings, self.state = settings, state

    def raw(self, update: dict[str, Any]) -> Raw | None:
        """The raw of an update, or None for what is not watched. One of unknown shape is kept to be looked at."""
        name = next((one for one in CARRIERS if one in update), None)
        if name is None:
            return None
        try:
            return self._raw(update[name])
        except (KeyError, TypeError, AttributeError):
            return _kept("update", "?", update["update_id"], update)

    def _raw(self, message: dict[str, Any]) -> Raw | None:
        chat, message_id = message["chat"], message["message_id"]
        if not (is_id(chat["id"]) and is_id(message_id)):
            raise TypeError
        if not self.wants(chat):
            return None
        self._learn(message)
        kind = "message"
        if chat.get("type") == "channel":
            kind = "channel_post"
        elif message.get("is_automatic_forward"):
            kind = "post"
        return _kept(kind, chat["id"], message_id, {"message": _trimmed(message), "us": self._is_us(message)})

    def wants(self, chat: dict[str, Any]) -> bool:
        """Dialogues are always wanted: a second reader of the same bot could not fetch them (409)."""
        watched = self.settings.chat_id
        if watched is None or chat.get("type") == "private":
            return True
        return chat.get("id") in {watched, (self.state.moved or {}).get(str(watched)), *(self.state.ours or ())}

    def removal(self, update: dict[str, Any]) -> list[str]:
        """Words about a group that the bot was put out of: what is written there is lost from now on."""
        change = update.get("my_chat_member")
        chat = change.get("chat") if isinstance(change, dict) else None
        member = change.get("new_chat_member") if isinstance(change, dict) else None
        if not isinstance(chat, dict) or not isinstance(member, dict):
            return []
        out = member.get("status") in ("left", "kicked") and chat.get("type") != "private"
        return [f"the bot was removed from chat {chat.get('id')}"] if out and self.wants(chat) else []

    def _learn(self, message: dict[str, Any]) -> None:
        sender, chat = message.get("sender_chat"), message["chat"]
        if message.get("is_automatic_forward") and isinstance(sender, dict) and is_id(sender.get("id")):
            self.state.ours = sorted({*(self.state.ours or ()), sender["id"]})
        if is_id(message.get("migrate_to_chat_id")):
            self.state.moved = {**(self.state.moved or {}), str(chat["id"]): message["migrate_to_chat_id"]}

    def _is_us(self, message: dict[str, Any]) -> bool:
        """Ours are the bot, an anonymous administrator (the group itself), the channel, and the ids set as ours."""
        ours = {self.settings.bot_id, *self.settings.our_ids}
        sender, person = message.get("sender_chat"), message.get("from")
        if not isinstance(sender, dict):
            return isinstance(person, dict) and person.get("id") in ours
        root = message.get("reply_to_message")
        root = root if isinstance(root, dict) and root.get("is_automatic_forward") else {}
        posting = root.get("sender_chat") or {}
        return sender.get("id") in {*ours, message["chat"]["id"], posting.get("id"), *(self.state.ours or ())}


def _kept(kind: str, container: Any, external_id: Any, body: Any) -> Raw:
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    # JSON may carry half of a surrogate pair; the raw keeps it as it came, parse() takes it out.
    return Raw(kind, str(container), str(external_id), text.encode("utf-8", "surrogatepass"))


def _trimmed(message: dict[str, Any]) -> dict[str, Any]:
    """A message without what is no part of it: of the answered one only its id stays, of a commented post all."""
    kept = {key: value for key, value in message.items() if key not in ("pinned_message", "reply_markup")}
    reply = message.get("reply_to_message")
    if isinstance(reply, dict):
        names = ["message_id", "forum_topic_created", "is_automatic_forward"]
        if reply.get("is_automatic_forward"):
            names += ["date", "text", "caption", "sender_chat", "forward_origin"]
        kept["reply_to_message"] = {key: reply[key] for key in names if key in reply}
    return kept
