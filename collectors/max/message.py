"""MAX messages understood: an update into a raw, a raw into a message, a channel's post into a publication."""

import json
from datetime import UTC, datetime
from typing import Any

from collectors.base import Attachment, Incoming, Person, Publication, Raw, SourceState, Visibility
from collectors.html import clean

CHATS = "chats"
"""Container of the raws that tell of chats, so that no listing of messages names them."""
KEPT = ("sender", "recipient", "timestamp", "body", "link", "url")
SENDER = ("user_id", "first_name", "last_name", "name", "username", "is_bot")
FILES = {
    "image": "photo",
    "video": "video",
    "audio": "audio",
    "file": "document",
    "sticker": "sticker",
    "share": "link",
}


def is_id(value: Any) -> bool:
    """Ids are signed 64-bit integers."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def is_mid(value: Any) -> bool:
    """Ids of messages are short words of ASCII; anything else fits no column and is not MAX's."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and 0 < len(value) <= 200


def moment(milliseconds: Any) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def kept(kind: str, container: Any, external_id: Any, body: Any) -> Raw:
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return Raw(kind, str(container), str(external_id), text.encode("utf-8", "surrogatepass"))


def mid_of(message: dict[str, Any]) -> str | None:
    """The id of a message; None for one that has no body, of which nothing could be kept."""
    mid = (message.get("body") or {}).get("mid")
    return mid if is_mid(mid) else None


def message_raw(message: dict[str, Any], *, us: bool, edited: int | None = None) -> Raw:
    """The raw of a message; raises KeyError or TypeError for what has not its shape."""
    chat, mid = message["recipient"]["chat_id"], message["body"]["mid"]
    if not is_id(chat) or not is_mid(mid):
        raise TypeError("not a message")
    body: dict[str, Any] = {"message": _trimmed(message), "us": us}
    if edited is not None:
        body["edited"] = edited
    kind = "post" if message["recipient"].get("chat_type") == "channel" else "message"
    return kept(kind, chat, mid, body)


def _trimmed(message: dict[str, Any]) -> dict[str, Any]:
    """Without the counts of views, signed tokens and the like, which differ from one reading to the next."""
    found = {name: message[name] for name in KEPT if message.get(name) is not None}
    if isinstance(found.get("sender"), dict):
        found["sender"] = {name: found["sender"][name] for name in SENDER if name in found["sender"]}
    if isinstance(link := found.get("link"), dict):
        found["link"] = {name: link[name] for name in ("type", "message") if name in link}
    return found


def incoming(raw: Raw) -> Incoming | None:
    """The message in a raw of kind message or removed; None for one with nothing in it."""
    told = json.loads(raw.body)
    message, removed = told.get("message"), told.get("removed")
    if message is None:
        # What was never seen leaves a mark, so that a late event does not make it news.
        return Incoming(raw.container, raw.external_id, "", moment(removed), None, state=SourceState.DELETED)
    body, link = message["body"], message.get("link") or {}
    inner = link.get("message") or {}
    forwarded = inner if link.get("type") == "forward" else {}
    files = [*(body.get("attachments") or []), *(forwarded.get("attachments") or [])]
    text = clean("\n".join(filter(None, [body.get("text"), forwarded.get("text"), *map(_spoken, files)])))
    attachments = tuple(_file(one) for one in files if one.get("type") in FILES)
    if not text and not attachments:
        return None
    private = message["recipient"].get("chat_type") == "dialog"
    parent = str(inner["mid"]) if link.get("type") == "reply" and inner.get("mid") else None
    author = _author(message.get("sender"), us=told["us"])
    return Incoming(
        container=raw.container,
        external_id=raw.external_id,
        text=text,
        published_at=moment(message["timestamp"]),
        author=author,
        publication=_dialogue(raw.container, author) if private else None,
        publication_external_id=raw.container,
        parent_external_id=parent,
        thread=raw.external_id if parent is None else None,
        edited_at=moment(told["edited"]) if "edited" in told else None,
        url=message.get("url"),
        visibility=Visibility.PRIVATE if private else Visibility.PUBLIC,
        state=SourceState.DELETED if removed else SourceState.PUBLISHED,
        attachments=attachments,
        automatic=author is not None and not author.is_us and bool((message.get("sender") or {}).get("is_bot")),
    )


def start_raw(update: dict[str, Any]) -> Raw | None:
    """The raw of a press on «Начать»; None where no link brought a word. Raises TypeError for a strange shape."""
    chat, who, at = update["chat_id"], update["user"], int(update["timestamp"])
    if not is_id(chat) or not is_id(who["user_id"]):
        raise TypeError("not a start")
    if not isinstance(word := update.get("payload"), str) or not word:
        return None
    body = {"user": {name: who[name] for name in SENDER if name in who}, "payload": word[:500], "timestamp": at}
    return kept("start", chat, f"start.{at}.{who['user_id']}", body)


def started(raw: Raw) -> Incoming:
    """A press on «Начать» that brought a word; it says nothing, and so it is no message."""
    told = json.loads(raw.body)
    return Incoming(
        container=raw.container,
        external_id=raw.external_id,
        text="",
        published_at=moment(told["timestamp"]),
        author=_author(told["user"], us=False),
        publication_external_id=raw.container,
        visibility=Visibility.PRIVATE,
        start=clean(told["payload"]),
    )


def _dialogue(container: str, author: Person | None) -> Publication | None:
    """A dialogue is named after the person in it; our own words do not name it."""
    return None if author is None or author.is_us else Publication(container, "dialogue", author.name)


def _author(sender: dict[str, Any] | None, *, us: bool) -> Person | None:
    if not sender:
        return None
    name = " ".join(str(sender[key]) for key in ("first_name", "last_name") if sender.get(key))
    return Person(str(sender["user_id"]), clean(name or str(sender.get("name") or "")), is_us=us)


def _spoken(file: dict[str, Any]) -> str:
    """What has no text of its own, told in words that a person can answer to."""
    payload = file.get("payload") or {}
    if file.get("type") == "location":
        return f"{file['latitude']}, {file['longitude']}"
    if file.get("type") == "contact":
        who = payload.get("max_info") or payload.get("tam_info") or {}
        lines = str(payload.get("vcf_info") or "").splitlines()
        phones = [line.rpartition(":")[2] for line in lines if line.upper().startswith("TEL")]
        return " ".join([*(str(who[key]) for key in ("first_name", "last_name") if who.get(key)), *phones])
    return ""


def _file(file: dict[str, Any]) -> Attachment:
    payload = file.get("payload") or {}
    name = file.get("filename") or file.get("title") or ""
    return Attachment(FILES[file["type"]], clean(str(name))[:255], url=payload.get("url"))


def publication(raw: Raw) -> Publication | None:
    """A group as its list told of it, or a post of a channel."""
    if raw.kind == "chat":
        chat = json.loads(raw.body)
        title = clean(str(chat.get("title") or "")) or raw.external_id
        return Publication(raw.external_id, "dialogue", title, url=chat.get("link"))
    if raw.kind == "post":
        message = json.loads(raw.body)["message"]
        text = clean(message["body"].get("text") or "")
        title = next((line.strip() for line in text.splitlines() if line.strip()), "")[:100]
        at = moment(message["timestamp"])
        return Publication(raw.external_id, "post", title, url=message.get("url"), text=text, published_at=at)
    return None
