"""A webinar room, in only: what its program sends to the hook of the place; recordings of chats stand here too."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, SecretStr

from collectors.base import (
    Capabilities,
    Channel,
    ChannelError,
    ChannelSettings,
    Check,
    Cursor,
    Incoming,
    Page,
    Person,
    Publication,
    Raw,
    Walk,
)
from collectors.html import clean

__all__ = ["Room", "Settings"]

SECRET_HEADER = "x-webhook-secret"  # noqa: S105
SIGNATURE_HEADER = "x-signature"
PREFIX = "room-"
MOST = 500
LONGEST_TEXT, LONGEST_NAME = 2000, 120
NAMES: Mapping[str, tuple[str, ...]] = {
    # our field: what rooms call it, the first that is there counts
    "id": ("id", "message_id", "uid"),
    "author": ("author", "user", "username", "name", "nick"),
    "author_id": ("author_id", "user_id", "uid_user"),
    "text": ("text", "message", "content", "body"),
    "at": ("at", "time", "timestamp", "created_at", "date"),
    "staff": ("is_moderator", "moderator", "is_staff", "staff", "is_host"),
}


class Settings(ChannelSettings):
    """How the room proves that it is the room."""

    secret: SecretStr | None = Field(
        default=None,
        title="Secret of the room",
        description="The room sends it in the header X-Webhook-Secret, or signs the body with it: "
        "X-Signature, HMAC-SHA256 in hex. Empty: the address alone is the proof.",
    )


class Room(Channel):
    """Rooms of one service; a broadcast in it is a ``room``, its messages arrive one or many at a time."""

    kind = "room"
    title = "Webinar room"
    can = Capabilities(
        receive=True, grade="events", nested=False, poll_seconds=24 * 3600, deep_seconds=30 * 24 * 3600
    )
    Settings = Settings

    def check(self) -> Check:
        """Nobody is asked: the room calls us."""
        return Check("", self.title)

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        yield Page((), dict(cursor), complete=True)

    def receive(self, payload: bytes, headers: Mapping[str, str]) -> list[Raw]:
        """``{"room": id, "title": …, "messages": [{id, author, text, at}, …]}``, or one message with its room."""
        self._prove(payload, {name.lower(): value for name, value in headers.items()})
        try:
            told = json.loads(payload)
        except (ValueError, RecursionError):
            raise ChannelError("unreadable", code="invalid", permanent=True) from None
        room = str(told.get("room") or told.get("webinar") or "") if isinstance(told, dict) else ""
        if not room or len(room) > LONGEST_NAME:
            raise ChannelError("room", code="invalid", permanent=True)
        messages = told.get("messages", [told])
        if not isinstance(messages, list) or len(messages) > MOST:
            raise ChannelError("messages", code="invalid", permanent=True)
        title = clean(str(told.get("title") or room))[:LONGEST_NAME]
        found = (self._raw(room, title, one, dated=True) for one in messages if isinstance(one, dict))
        return list({raw.external_id: raw for raw in found if raw is not None}.values())

    def _prove(self, payload: bytes, headers: Mapping[str, str]) -> None:
        """Signed, or with the secret itself; both are compared in constant time."""
        secret = self.settings.secret.get_secret_value() if self.settings.secret else ""
        if not secret:
            return
        sign = hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()
        signed = headers.get(SIGNATURE_HEADER, "").removeprefix("sha256=").lower()
        named = headers.get(SECRET_HEADER, "")
        good = hmac.compare_digest(signed.encode("utf-8", "replace"), sign.encode())
        if not good and not hmac.compare_digest(named.encode("utf-8", "replace"), secret.encode()):
            raise ChannelError("secret", code="auth", permanent=True)

    def _raw(self, room: str, title: str, given: Mapping[str, Any], *, dated: bool = False) -> Raw | None:
        """``dated``: the same room next week is another publication, and so another broadcast."""
        one = {name: next((given[key] for key in keys if key in given), None) for name, keys in NAMES.items()}
        text = clean(str(one["text"] or "")).strip()[:LONGEST_TEXT]
        if not text:
            return None
        author = clean(str(one["author"] or "")).strip()[:LONGEST_NAME]
        at = _moment(one["at"])
        body = {
            "room": room, "title": title, "author": author, "author_id": str(one["author_id"] or author),
            "text": text, "at": at.isoformat(), "staff": one["staff"] in (True, 1, "1", "true"),
        }  # fmt: skip
        told = f"{at.isoformat()}\n{author}\n{text}"
        identity = str(one["id"] or hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:32])
        text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        day = f".{at.astimezone(UTC):%Y-%m-%d}" if dated else ""
        return Raw("said", f"{PREFIX}{room}{day}", identity[:200], text.encode("utf-8", "replace"))

    def parse(self, raw: Raw) -> list[Incoming]:
        body = json.loads(raw.body)
        return [
            Incoming(
                container=raw.container, external_id=raw.external_id, text=body["text"],
                published_at=datetime.fromisoformat(body["at"]),
                author=Person(f"{body['room']}:{body['author_id']}", body["author"], is_us=body["staff"]),
                publication=Publication(raw.container, "broadcast", body["title"]),
                publication_external_id=raw.container, thread=raw.external_id, quiet=True,
            )
        ]  # fmt: skip


def _moment(value: Any) -> datetime:
    """ISO 8601 or Unix seconds (milliseconds too); a time without a zone is UTC, without any it is now."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        found = datetime.fromisoformat(str(value))
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC).replace(microsecond=0)
