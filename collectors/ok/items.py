"""What Odnoklassniki sends, understood: comments of discussions, messages of the group, and whom they are from."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from collectors.base import Attachment, Incoming, Person, Publication, Raw, SourceState, Visibility
from collectors.html import clean

MOSCOW = timezone(timedelta(hours=3))
"""Times without a zone are of Moscow, which has kept this one since 2014."""
DISCUSSIONS = "discussions"
"""Container of the raws that tell of discussions, so that no listing of comments names them."""
COMMENT = (
    "id",
    "text",
    "date",
    "date_ms",
    "author_id",
    "author_type",
    "reply_to_comment_id",
    "type",
    "attachments",
)
"""What parse() reads; likes change by themselves and stay out."""
PAGES = {"GROUP_TOPIC": "topic", "GROUP_PHOTO": "photo", "GROUP_MOVIE": "video"}


def kept(kind: str, container: str, external_id: Any, body: Any) -> Raw:
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return Raw(kind, container, str(external_id), text.encode("utf-8", "surrogatepass"))


def moment(told: dict[str, Any]) -> datetime:
    if told.get("date_ms") is not None:
        return datetime.fromtimestamp(int(told["date_ms"]) / 1000, UTC)
    at = datetime.fromisoformat(str(told["date"]))
    return (at if at.tzinfo else at.replace(tzinfo=MOSCOW)).astimezone(UTC)


def page(site: str, group: str, container: str) -> str:
    """Address of a discussion; of kinds whose address is not known, of the group."""
    kind, _, number = container.partition(":")
    place = PAGES.get(kind)
    return f"{site.rstrip('/')}/group/{group}" + (f"/{place}/{number}" if place else "")


def comment(raw: Raw, url: str) -> Incoming:
    body = json.loads(raw.body)
    told, who = body["comment"], body["author"]
    removed = str(told.get("type", "")).upper().startswith(("REMOVED", "DELETED"))
    parent = str(told["reply_to_comment_id"]) if told.get("reply_to_comment_id") else None
    return Incoming(
        container=raw.container,
        external_id=raw.external_id,
        text=clean(str(told.get("text") or "")),
        published_at=moment(told),
        author=Person(str(told["author_id"]), clean(str(who.get("name") or "")), who.get("url"), is_us=body["us"]),
        publication_external_id=raw.container,
        parent_external_id=parent,
        thread=raw.external_id if parent is None else None,
        url=url,
        state=SourceState.DELETED if removed else SourceState.PUBLISHED,
        attachments=_files(told.get("attachments")),
    )


def message(raw: Raw) -> Incoming | None:
    """A message of the group; None for one with nothing in it."""
    body = json.loads(raw.body)
    told, sender = body["message"], body["message"].get("sender") or {}
    inner = told["message"]
    text, files = clean(str(inner.get("text") or "")), _files(inner.get("attachments"))
    if not text and not files:
        return None
    name = clean(str(sender.get("name") or ""))
    return Incoming(
        container=raw.container,
        external_id=raw.external_id,
        text=text,
        published_at=datetime.fromtimestamp(int(told["timestamp"]) / 1000, UTC),
        author=Person(str(sender["user_id"]), name, is_us=body["us"]),
        publication=None if body["us"] else Publication(raw.container, "dialogue", name),
        publication_external_id=raw.container,
        parent_external_id=str(inner["reply_to"]) if isinstance(inner.get("reply_to"), str) else None,
        thread=raw.external_id,
        visibility=Visibility.PRIVATE,
        attachments=files,
    )


def _files(told: Any) -> tuple[Attachment, ...]:
    """Files by kind only: their addresses are signed and live a short while."""
    kinds = {
        "IMAGE": "photo",
        "PHOTO": "photo",
        "VIDEO": "video",
        "MOVIE": "video",
        "AUDIO": "audio",
        "FILE": "document",
    }
    items = told if isinstance(told, list) else []
    names = (str(one.get("type", "")).upper() for one in items if isinstance(one, dict))
    return tuple(Attachment(kinds.get(name, "link")) for name in names)


def discussion(raw: Raw, url: str) -> Publication:
    told = json.loads(raw.body)
    text = clean(str(told.get("title") or told.get("message") or ""))
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    kind = {"GROUP_PHOTO": "photo", "GROUP_MOVIE": "video"}.get(raw.external_id.partition(":")[0], "post")
    return Publication(raw.external_id, kind, first[:100], url=url, text=text)
