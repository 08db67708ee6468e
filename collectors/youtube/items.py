"""YouTube's comments as kept raws, and kept raws as messages."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from collectors.base import Attachment, Incoming, Person, Publication, Raw, SourceState
from collectors.html import clean

STATES = {
    "published": SourceState.PUBLISHED,
    "heldForReview": SourceState.HELD,
    "likelySpam": SourceState.SPAM,
    "rejected": SourceState.HIDDEN,
}
"""moderationStatus → state; the first three are also the listings that a walk reads, in this order."""

# likeCount, viewerRating, canRate and the picture's address change without the comment changing.
KEPT = ("authorChannelId", "authorDisplayName", "parentId", "publishedAt", "updatedAt")


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread as read: its comments (top first), and whether their number agrees with YouTube's own."""

    id: str
    container: str
    comments: tuple[dict[str, Any], ...]
    whole: bool


def is_comment(item: object) -> bool:
    """Whether ``item`` has what identity and state need; all else is for parse_comment() to find out."""
    return isinstance(item, dict) and isinstance(item.get("id"), str) and isinstance(item.get("snippet"), dict)


def thread_mark(thread: Any) -> str:
    """Changes when a thread gains or loses replies or a shown comment is edited; "" for what is no thread."""
    try:
        told = [thread["id"], thread["snippet"].get("totalReplyCount", 0)]
        inline = (thread.get("replies") or {}).get("comments") or []
        for comment in [thread["snippet"]["topLevelComment"], *sorted(inline, key=lambda one: str(one["id"]))]:
            own = comment["snippet"]
            told.append([comment["id"], own.get("updatedAt"), own.get("moderationStatus")])
    except (KeyError, TypeError, AttributeError):
        return ""
    return hashlib.blake2s(json.dumps(told).encode(), digest_size=6).hexdigest()


def thread_time(thread: Any) -> str:
    """When its first comment was written, in a form that sorts as the times do; "" when it is not said."""
    try:
        return moment(thread["snippet"]["topLevelComment"]["snippet"]["publishedAt"]).isoformat()
    except (KeyError, TypeError, AttributeError, ValueError):
        return ""


def comment_raw(
    comment: Mapping[str, Any], thread: Thread, video: Mapping[str, Any] | None, channel_id: str
) -> Raw:
    """Everything that parse_comment() needs of one comment and nothing that changes by itself."""
    snippet = comment["snippet"]
    kept = {name: snippet[name] for name in KEPT if snippet.get(name) is not None}
    # Only its author is sure to be told what was typed; the displayed text may have titles for links.
    typed = snippet.get("textOriginal")
    kept |= {"textOriginal": typed} if typed else {"textDisplay": snippet.get("textDisplay") or ""}
    kept["moderationStatus"] = snippet.get("moderationStatus") or "published"
    if snippet.get("imageUrl"):
        kept["hasImage"] = True
    author = (snippet.get("authorChannelId") or {}).get("value")
    body = {
        "comment": {"id": comment["id"], "snippet": kept},
        "thread": thread.id,
        "channel": channel_id,
        "us": author == channel_id,
        "video": video,
    }
    return Raw("comment", thread.container, str(comment["id"]), canonical(body))


def broken_raw(container: str, item: object) -> Raw:
    """What has not the form of a comment is kept too; parsing it fails for it alone."""
    body = canonical({"broken": item})
    return Raw("broken", container, hashlib.sha256(body).hexdigest()[:16], body)


def video_about(video: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a video that stand beside each of its comments."""
    snippet = video["snippet"]
    pictures = snippet.get("thumbnails") or {}
    picture = (pictures.get("medium") or pictures.get("default") or {}).get("url")
    about = {"id": video["id"], "title": snippet.get("title") or "", "publishedAt": snippet.get("publishedAt")}
    return about | ({"picture": str(picture).partition("?")[0]} if picture else {})


def canonical(body: object) -> bytes:
    """The one JSON form of ``body``; a lone surrogate cannot be written in UTF-8 and is left out."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", "ignore")


def parse_comment(raw: Raw, site: str) -> Iterator[Incoming]:
    """The message of one raw; raises KeyError, TypeError or ValueError for a broken one."""
    body = json.loads(raw.body)
    if raw.kind != "comment":
        raise ValueError(f"a raw of the kind {raw.kind!r} is not a YouTube comment")
    comment, video = body["comment"], body["video"]
    snippet = comment["snippet"]
    written = moment(snippet["publishedAt"])
    edited = moment(snippet["updatedAt"]) if snippet.get("updatedAt") else written
    pictures = (Attachment("photo"),) if snippet.get("hasImage") else ()
    yield Incoming(
        container=raw.container,
        external_id=raw.external_id,
        text=clean(snippet.get("textOriginal") or snippet.get("textDisplay") or ""),
        published_at=written,
        edited_at=edited if edited > written else None,
        author=_author(snippet, site, bool(body["us"])),
        publication=_publication(video, site) if video else None,
        publication_external_id=raw.container,
        parent_external_id=snippet.get("parentId"),
        thread=body["thread"],
        url=permalink(site, body["channel"], raw.container, raw.external_id),
        state=STATES[snippet["moderationStatus"]],
        attachments=pictures,
        context={"channel": body["channel"]},
    )


def _author(snippet: Mapping[str, Any], site: str, is_us: bool) -> Person | None:
    name = clean(snippet.get("authorDisplayName") or "")
    id_ = (snippet.get("authorChannelId") or {}).get("value")
    if id_:
        return Person(id_, name or id_, url=f"{site}/channel/{id_}", is_us=is_us)
    # A closed account keeps its name for a while but has no channel any more.
    return Person(f"name:{name}", name) if name else None


def _publication(video: Mapping[str, Any], site: str) -> Publication:
    return Publication(
        external_id=video["id"],
        kind="video",
        title=clean(video["title"]),
        url=f"{site}/watch?v={video['id']}",
        picture=video.get("picture"),
        published_at=moment(video["publishedAt"]) if video.get("publishedAt") else None,
    )


def permalink(site: str, channel_id: str, container: str, comment_id: str) -> str:
    """The address of a comment on the site; the API has none (platforms.md §1.7)."""
    if container == channel_id:
        return f"{site}/channel/{channel_id}/discussion?lc={comment_id}"
    return f"{site}/watch?v={container}&lc={comment_id}"


def moment(text: str) -> datetime:
    """An RFC 3339 time as an aware UTC one."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
