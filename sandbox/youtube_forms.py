"""How YouTube writes its resources: the JSON of channels, videos, threads and comments."""

import hashlib
import html
import re
from dataclasses import dataclass
from typing import Any

from sandbox import keys
from sandbox.ground import utc
from sandbox.store import Item, Publication, Store

Answer = dict[str, Any]
STATUS = {"published": "published", "held": "heldForReview", "spam": "likelySpam", "hidden": "rejected"}
_LINK = re.compile(r"https?://[^\s<]+")


def page(
    kind: str, items: list[Answer], size: int, next_page: str | None = None, total: int | None = None
) -> Answer:
    """One page of a listing; for comments ``totalResults`` counts only this page, as on the real platform."""
    answer: Answer = {"kind": f"youtube#{kind}", "etag": _etag(kind, *(item["etag"] for item in items))}
    if next_page is not None:
        answer["nextPageToken"] = next_page
    answer["pageInfo"] = {"totalResults": len(items) if total is None else total, "resultsPerPage": size}
    answer["items"] = items
    return answer


def channel(db: Store, parts: list[str]) -> Answer:
    everything: Answer = {
        "snippet": {
            "title": keys.SCHOOL,
            "description": "Онлайн-школа языков и экзаменов. Учебная площадка: все люди и события выдуманы.",
            "customUrl": "@lingva-park",
            "publishedAt": "2021-03-01T09:00:00Z",
            "thumbnails": {},
        },
        "contentDetails": {"relatedPlaylists": {"likes": "", "uploads": keys.YOUTUBE_UPLOADS}},
        "statistics": {
            "viewCount": "184302",
            "subscriberCount": "5120",
            "hiddenSubscriberCount": False,
            "videoCount": str(len(db.publications("youtube", "video"))),
        },
        "status": {"privacyStatus": "public", "isLinked": True},
    }
    return _resource("channel", keys.YOUTUBE_CHANNEL, everything, parts)


def video(db: Store, video_: Publication, parts: list[str]) -> Answer:
    statistics = {"viewCount": "2048", "likeCount": "96", "favoriteCount": "0"}
    if video_.open:
        sql = "SELECT count(*) FROM items WHERE platform = 'youtube' AND publication = ? AND state = 'published'"
        statistics["commentCount"] = str(db.scalar(sql, (video_.id,)))
    everything: Answer = {
        "snippet": {
            "publishedAt": utc(video_.at),
            "channelId": keys.YOUTUBE_CHANNEL,
            "title": video_.title,
            "description": video_.text,
            "thumbnails": {},
            "channelTitle": keys.SCHOOL,
            "categoryId": "27",
            "liveBroadcastContent": "none",
            "defaultAudioLanguage": "ru",
        },
        "contentDetails": {"duration": "PT11M42S", "dimension": "2d", "definition": "hd", "caption": "false"},
        "status": {"uploadStatus": "processed", "privacyStatus": "public", "embeddable": True},
        "statistics": statistics,
    }
    return _resource("video", video_.id, everything, parts)


def playlist_item(video_: Publication, position: int, parts: list[str]) -> Answer:
    everything: Answer = {
        "snippet": {
            "publishedAt": utc(video_.at),
            "channelId": keys.YOUTUBE_CHANNEL,
            "title": video_.title,
            "description": video_.text,
            "thumbnails": {},
            "channelTitle": keys.SCHOOL,
            "playlistId": keys.YOUTUBE_UPLOADS,
            "position": position,
            "resourceId": {"kind": "youtube#video", "videoId": video_.id},
            "videoOwnerChannelTitle": keys.SCHOOL,
            "videoOwnerChannelId": keys.YOUTUBE_CHANNEL,
        },
        "contentDetails": {"videoId": video_.id, "videoPublishedAt": utc(video_.at)},
        "status": {"privacyStatus": "public"},
    }
    return _resource("playlistItem", _etag("playlistItem", video_.id), everything, parts)


@dataclass(frozen=True, slots=True)
class Form:
    """Writes comments for one reader; ``state`` is the listing's moderation filter, None when asked by id."""

    db: Store
    plain: bool
    by_owner: bool
    state: str | None
    shown_replies: int = 0

    def comment(self, item: Item, parts: list[str]) -> Answer:
        return _resource("comment", item.id, {"snippet": self._snippet(item)}, parts)

    def thread(self, top: Item, parts: list[str]) -> Answer:
        """A thread with at most a few of its replies, the oldest ones, and the true number of all."""
        where = "platform = 'youtube' AND root = ? AND state = ?"
        replies = self.db.items(where, (top.id, "published"))
        shown = replies if self.state in (None, "published") else self.db.items(where, (top.id, self.state))
        everything: Answer = {
            "snippet": {
                "channelId": keys.YOUTUBE_CHANNEL,
                "videoId": top.publication,
                "topLevelComment": self.comment(top, ["snippet"]),
                "canReply": self.by_owner,
                "totalReplyCount": len(replies),
                "isPublic": top.state == "published",
            }
        }
        if shown:
            some = shown[: self.shown_replies]
            everything["replies"] = {"comments": [self.comment(reply, ["snippet"]) for reply in some]}
        return _resource("commentThread", top.id, everything, parts)

    def _snippet(self, item: Item) -> Answer:
        author = self.db.person("youtube", item.author)
        snippet: Answer = {
            "channelId": keys.YOUTUBE_CHANNEL,
            "videoId": item.publication,
            "textDisplay": item.text if self.plain else as_html(item.text),
            "authorDisplayName": author.name,
            "authorProfileImageUrl": "https://yt3.ggpht.example/avatar=s48-c-k-c0x00ffffff-no-rj",
            "authorChannelUrl": f"http://www.youtube.com/@{author.handle}",
            "authorChannelId": {"value": author.id},
            "canRate": True,
            "viewerRating": "none",
            "likeCount": item.likes,
            "publishedAt": utc(item.at),
            "updatedAt": utc(item.edited or item.at),
        }
        if item.root is not None:
            snippet["parentId"] = item.root
        if self.by_owner and item.author == keys.YOUTUBE_CHANNEL:
            # The original text is only guaranteed to the comment's author, so nobody else gets it here.
            snippet["textOriginal"] = item.text
        if self.by_owner and self.state is not None:
            snippet["moderationStatus"] = STATUS[item.state]
        return snippet


def as_html(text: str) -> str:
    linked = _LINK.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', html.escape(text, quote=True))
    return linked.replace("\n", "<br>")


def _resource(kind: str, id_: str, everything: Answer, parts: list[str]) -> Answer:
    shown = {part: everything[part] for part in parts if part in everything}
    return {"kind": f"youtube#{kind}", "etag": _etag(id_, repr(shown)), "id": id_, **shown}


def _etag(*values: str) -> str:
    return hashlib.sha256("\n".join(values).encode()).hexdigest()[:27]
