"""VK's comments and messages as kept raws, and kept raws as messages of the desk."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from collectors.base import Attachment, Incoming, Person, Publication, Raw, SourceState, Visibility
from collectors.html import clean

TITLE = 120
RAW_KINDS = {"wall": "wall_comment", "video": "video_comment", "photo": "photo_comment"}
PUBLICATION_KINDS = {"wall": "post", "video": "video", "photo": "photo"}
_CONTAINER = re.compile(r"(wall|video|photo)(-?\d+)_(\d+)|peer(-?\d+)")
_MENTION = re.compile(r"^\s*\[(?:id|club|public)\d+\|[^\]]*\]\s*,?\s*")

# Likes, views, access keys and signed picture addresses change without the message changing.
KEPT_OF_COMMENT = ("id", "from_id", "date", "text", "deleted", "reply_to_comment", "parents_stack")
KEPT_OF_MESSAGE = ("id", "conversation_message_id", "from_id", "date", "text", "update_time", "out", "deleted")

ATTACHMENTS = {
    "photo": "photo",
    "posted_photo": "photo",
    "graffiti": "photo",
    "video": "video",
    "audio": "audio",
    "audio_message": "voice",
    "sticker": "sticker",
    "doc": "document",
}
"""VK's word → ours; what is not here is a link."""


@dataclass(frozen=True, slots=True)
class Place:
    """A post, video or photo; ``count`` is VK's number of its comments, None where it is not told."""

    kind: str
    owner: int
    id: int
    count: int | None
    about: dict[str, Any]

    @property
    def container(self) -> str:
        return f"{self.kind}{self.owner}_{self.id}"


def container_parts(container: str) -> tuple[str, int, int]:
    """(kind, owner, id); for a dialogue ("peer", peer, 0). Raises ValueError for anything else."""
    found = _CONTAINER.fullmatch(container)
    if not found:
        raise ValueError(f"{container!r} is no place on VK")
    if found[4]:
        return "peer", int(found[4]), 0
    return found[1], int(found[2]), int(found[3])


def place(kind: str, owner: int, item: Mapping[str, Any]) -> Place:
    """A post, video or photo of a listing with the few words that stand beside each of its comments."""
    count = item.get("comments")
    if isinstance(count, dict):
        count = count.get("count")
    about: dict[str, Any] = {"id": item["id"], "date": item.get("date")}
    title = str(item.get("title") or item.get("text") or "").strip()
    about["title"] = title.split("\n")[0][:TITLE]
    about["text"] = title if "title" not in item else str(item.get("description") or "")
    return Place(kind, owner, int(item["id"]), count if isinstance(count, int) else None, about)


def message_id(message: Mapping[str, Any]) -> str:
    """The identity of a private message; in chats a bot is given no id but the number within the chat."""
    id_ = message.get("id")
    return str(id_) if id_ else f"c{message['conversation_message_id']}"


def comment_raw(item: Mapping[str, Any], where: Place, root: int | None, name: str | None, group_id: int) -> Raw:
    """A comment under a post, video or photo; ``root`` is the first comment of its thread, None for one itself."""
    body = {
        "comment": _kept(item, KEPT_OF_COMMENT),
        "root": root,
        "name": name,
        "us": item.get("from_id") == -group_id,
        "place": where.about,
    }
    return Raw(RAW_KINDS[where.kind], where.container, str(item["id"]), canonical(body))


def message_raw(item: Mapping[str, Any], peer: Mapping[str, Any], name: str | None, group_id: int) -> Raw:
    """A private message; ``peer`` is the dialogue: {"id", "title"}."""
    kept = _kept(item, KEPT_OF_MESSAGE)
    answered = item.get("reply_message")
    if isinstance(answered, dict) and (answered.get("id") or answered.get("conversation_message_id")):
        kept["reply"] = message_id(answered)
    forwarded = [one.get("text") or "" for one in item.get("fwd_messages") or [] if isinstance(one, dict)]
    body = {
        "message": kept
        | ({"forwarded": forwarded} if forwarded else {})
        | ({"action": True} if item.get("action") else {}),
        "name": name,
        "us": item.get("out") == 1 or item.get("from_id") == -group_id,
        "peer": dict(peer),
        "group": group_id,
    }
    return Raw("message", f"peer{peer['id']}", message_id(item), canonical(body))


def _kept(item: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    kept = {name: item[name] for name in names if item.get(name) not in (None, "", [], False, 0)}
    attached = [_attached(one) for one in item.get("attachments") or [] if isinstance(one, dict)]
    return kept | ({"attachments": attached} if attached else {})


def _attached(one: Mapping[str, Any]) -> dict[str, Any]:
    """The lasting part of an attachment: what it is, whose, and its name; a link's own address."""
    kind = str(one.get("type") or "")
    thing = one.get(kind)
    told: dict[str, Any] = {"type": kind}
    if isinstance(thing, dict):
        told |= {name: thing[name] for name in ("owner_id", "to_id", "id", "title") if thing.get(name)}
        if kind == "link" and thing.get("url"):
            told["url"] = thing["url"]
    return told


def broken_raw(container: str, item: object, external_id: str) -> Raw:
    """What has not the form of a comment is kept too; parsing it fails for it alone."""
    return Raw("broken", container, external_id, canonical({"broken": item}))


def canonical(body: object) -> bytes:
    """The one JSON form of ``body``; a lone surrogate cannot be written in UTF-8 and is left out."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", "ignore")


def bare(text: str) -> str:
    """``text`` without the name that VK puts before an answer: «[id1|Анна], …»."""
    return _MENTION.sub("", text)


def parse_raw(raw: Raw, site: str) -> Iterator[Incoming]:
    """The message of one raw; raises KeyError, TypeError or ValueError for a broken one."""
    body = json.loads(raw.body)
    if raw.kind == "message":
        yield _parse_message(raw, body, site)
    elif raw.kind in RAW_KINDS.values():
        yield _parse_comment(raw, body, site)
    else:
        raise ValueError(f"a raw of the kind {raw.kind!r} is not VK's")


def _parse_comment(raw: Raw, body: dict[str, Any], site: str) -> Incoming:
    comment, root, about = body["comment"], body["root"], body["place"]
    kind, _, _ = container_parts(raw.container)
    where = f"{site}/{raw.container}"
    parent = comment.get("reply_to_comment") or root
    return Incoming(
        container=raw.container,
        external_id=raw.external_id,
        text=clean(comment.get("text") or ""),
        published_at=moment(comment["date"]),
        author=_author(comment.get("from_id"), body["name"], bool(body["us"]), site),
        publication=Publication(
            external_id=raw.container,
            kind=PUBLICATION_KINDS[kind],
            title=clean(about["title"]),
            url=where,
            text=clean(about["text"]),
            published_at=moment(about["date"]) if about.get("date") else None,
        ),
        publication_external_id=raw.container,
        parent_external_id=str(parent) if parent else None,
        # Photos have no threads, but an answer there still names the comment it answers.
        thread=str(root or comment.get("reply_to_comment") or comment["id"]),
        url=permalink(site, raw.container, raw.external_id, str(root) if root else None),
        state=SourceState.DELETED if comment.get("deleted") else SourceState.PUBLISHED,
        attachments=tuple(_attachment(one, site) for one in comment.get("attachments", ())),
    )


def _parse_message(raw: Raw, body: dict[str, Any], site: str) -> Incoming:
    message, peer = body["message"], body["peer"]
    where = f"{site}/gim{body['group']}?sel={peer['id']}"
    forwarded = (Attachment("link", name=clean(text)[:TITLE]) for text in message.get("forwarded", ()))
    number = message.get("conversation_message_id")
    return Incoming(
        container=raw.container,
        external_id=raw.external_id,
        text=clean(message.get("text") or ""),
        published_at=moment(message["date"]),
        edited_at=moment(message["update_time"]) if message.get("update_time") else None,
        author=_author(message.get("from_id"), body["name"], bool(body["us"]), site),
        publication=Publication(raw.container, "dialogue", clean(peer["title"]), url=where),
        publication_external_id=raw.container,
        parent_external_id=message.get("reply"),
        thread=raw.external_id,
        url=where,
        visibility=Visibility.PRIVATE,
        state=SourceState.DELETED if message.get("deleted") else SourceState.PUBLISHED,
        attachments=(*(_attachment(one, site) for one in message.get("attachments", ())), *forwarded),
        automatic=bool(message.get("action")),
        context={"cmid": str(number)} if number else {},
    )


def _author(from_id: int | None, name: str | None, is_us: bool, site: str) -> Person | None:
    """None for the placeholder of a deleted comment; a negative number is a community."""
    if not from_id:
        return None
    page = f"id{from_id}" if from_id > 0 else f"club{-from_id}"
    return Person(str(from_id), clean(name or page), url=f"{site}/{page}", is_us=is_us)


def _attachment(one: Mapping[str, Any], site: str) -> Attachment:
    kind = one["type"]
    owner = one.get("owner_id") or one.get("to_id")
    url = one.get("url") or (f"{site}/{kind}{owner}_{one['id']}" if owner and one.get("id") else None)
    return Attachment(ATTACHMENTS.get(kind, "link"), name=clean(str(one.get("title") or "")), url=url)


def permalink(site: str, container: str, id_: str, root: str | None) -> str:
    """The address of a comment on the site; the API has none (platforms.md §3.7)."""
    if not container.startswith("wall"):
        return f"{site}/{container}"
    return f"{site}/{container}?reply={id_}" + (f"&thread={root}" if root else "")


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
