"""A YouTube in memory for tests: it holds every request against Google's published discovery document."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs

import httpx

from benchmarks.limits import NoLimits
from collectors.wire import Wire
from collectors.youtube import Settings, YouTube

US = "UCschoolschoolschoolsch1"
BASE = "https://tube.example/"
EPOCH = int(datetime(2026, 11, 2, 9, tzinfo=UTC).timestamp())
DOCUMENT = json.loads(
    files("googleapiclient").joinpath("discovery_cache/documents/youtube.v3.json").read_text(encoding="utf-8")
)
METHODS: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    (method["httpMethod"], method["path"].removeprefix("youtube/v3/")): (f"{group}.{name}", method)
    for group in (
        "channels",
        "videos",
        "comments",
        "commentThreads",
        "liveBroadcasts",
        "liveChatMessages",
        "liveChatBans",
    )
    for name, method in DOCUMENT["resources"][group]["methods"].items()
}
COST = {"insert": 50, "update": 50, "delete": 50, "setModerationStatus": 50}
OWNER_ONLY = {"insert", "update", "delete", "setModerationStatus"}


def channel(base: str = BASE, wire: Wire | None = None, **more: Any) -> YouTube:
    """The real channel, pointed at ``base``."""
    told = {
        "channel_id": US,
        "base_url": base,
        "token_url": f"{base}token",
        "site_url": "https://site.example",
        "client_id": "client",
        "client_secret": "secret",
        "refresh_token": "refresh",
    }
    return YouTube(Settings.model_validate({**told, **more}), wire or Wire(), NoLimits())


def stamp(seconds: int) -> str:
    return datetime.fromtimestamp(EPOCH + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Comment:
    id: str
    video: str
    author: str
    text: str
    at: int
    top: str | None = None
    edited: int | None = None
    state: str = "published"
    likes: int = 0


class Refused(Exception):
    def __init__(self, status: int, reason: str, message: str = "refused") -> None:
        super().__init__(reason)
        self.answer = httpx.Response(
            status, json={"error": {"code": status, "message": message, "errors": [{"reason": reason}]}}
        )


@dataclass
class YouTubePlatform:
    """``before`` runs before each request is answered and may change what stands there or raise Refused."""

    shown_replies: int = 5
    biggest_page: int = 100
    offsets: bool = False  # page tokens count items instead of naming the last one
    states_told: bool = True
    comments: dict[str, Comment] = field(default_factory=dict)
    videos: dict[str, str] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    log: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    before: Callable[[str, dict[str, str]], None] | None = None
    units: int = 0
    access: str = "access-1"
    tokens_given: int = 0
    forbidden_states: set[str] = field(default_factory=set)
    canned: dict[str, Any] = field(default_factory=dict)  # method → what it answers instead
    _written: int = 0

    def write(
        self, video: str, text: str, top: str | None = None, author: str = "UCviewer", **more: Any
    ) -> Comment:
        self._written += 1
        self.videos.setdefault(video, f"Видео {video}")
        id_ = f"{top}.r{self._written}" if top else f"Ug{self._written:04}"
        comment = Comment(id_, video, author, text, more.pop("at", self._written), top, **more)
        self.comments[id_] = comment
        return comment

    def remove(self, id_: str) -> None:
        for one in [c.id for c in self.comments.values() if c.id == id_ or c.top == id_]:
            del self.comments[one]

    # HTTP

    def __call__(self, request: httpx.Request) -> httpx.Response:
        try:
            if request.url.path == "/token":
                return self._token(request)
            return self._answer(request)
        except Refused as refused:
            return refused.answer

    def _token(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        if form.get("refresh_token") != "refresh" or form.get("client_secret") != "secret":
            told = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
            return httpx.Response(400, json=told)
        self.tokens_given += 1
        return httpx.Response(200, json={"access_token": self.access, "expires_in": 3599, "token_type": "Bearer"})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        name, method = METHODS[request.method, request.url.path.removeprefix("/youtube/v3/")]
        told = _checked(method, request)
        owner = request.headers.get("authorization") == f"Bearer {self.access}"
        if not owner and request.url.params.get("key") != "key":
            raise Refused(401, "authError", "Invalid Credentials")
        if not owner and name.partition(".")[2] in OWNER_ONLY:
            raise Refused(401, "required", "Login Required")
        body = json.loads(request.content) if request.content else None
        self.log.append((name, told, body))
        self.units += COST.get(name.partition(".")[2], 1)
        if self.before:
            self.before(name, told)
        if name in self.canned:
            return httpx.Response(200, content=json.dumps(self.canned[name]))
        answer = getattr(self, f"_{name.replace('.', '_').lower()}")(told, body, owner)
        return httpx.Response(204) if answer is None else httpx.Response(200, content=json.dumps(answer))

    def _page(self, items: list[Comment], told: dict[str, str], form: Callable[[Comment], Any]) -> dict[str, Any]:
        size, token = min(int(told.get("maxResults", 20)), self.biggest_page), told.get("pageToken")
        start = 0
        if token:
            at, id_, shown = json.loads(base64.b64decode(token))
            keys = [(one.at, one.id) for one in items]
            start = shown if self.offsets else sum(key >= (at, id_) for key in keys)
        page = items[start : start + size]
        answer = {"items": [form(one) for one in page], "pageInfo": {"resultsPerPage": size}}
        if start + size < len(items):
            last = json.dumps([page[-1].at, page[-1].id, start + size]).encode()
            answer["nextPageToken"] = base64.b64encode(last).decode()
        return answer

    # Methods

    def _channels_list(self, told: dict[str, str], body: Any, owner: bool) -> Any:
        known = told.get("mine") == "true" or told.get("id") == US
        return {"items": [{"id": US, "snippet": {"title": "Школа"}}]} if known else {}

    def _videos_list(self, told: dict[str, str], body: Any, owner: bool) -> Any:
        asked = told["id"].split(",")
        assert len(asked) <= 50
        pictures = {"medium": {"url": "https://i.example/p.jpg?sig=1"}}
        snippets = {
            one: {"title": self.videos[one], "publishedAt": stamp(0), "thumbnails": pictures}
            for one in asked
            if one in self.videos
        }
        return {"items": [{"id": one, "snippet": snippet} for one, snippet in snippets.items()]}

    def _commentthreads_list(self, told: dict[str, str], body: Any, owner: bool) -> Any:
        state = told.get("moderationStatus", "published")
        if state != "published" and (not owner or state in self.forbidden_states):
            raise Refused(403, "forbidden")
        video = told.get("videoId")
        if video in self.closed:
            raise Refused(403, "commentsDisabled")
        if video and video not in self.videos:
            raise Refused(404, "videoNotFound")
        tops = [one for one in self.comments.values() if one.top is None and (not video or one.video == video)]
        if state == "published":
            tops = [one for one in tops if one.state == state]
        else:
            tops = [one for one in tops if state in {one.state, *(r.state for r in self._replies(one.id))}]
        tops.sort(key=lambda one: (one.at, one.id), reverse=True)
        return self._page(tops, told, lambda one: self._thread(one, state, owner))

    def _replies(self, top: str, state: str | None = None) -> list[Comment]:
        found = [one for one in self.comments.values() if one.top == top and state in (None, one.state)]
        return sorted(found, key=lambda one: (one.at, one.id), reverse=True)

    def _thread(self, top: Comment, state: str, owner: bool) -> dict[str, Any]:
        replies, shown = self._replies(top.id, "published"), self._replies(top.id, state)[: self.shown_replies]
        snippet = {
            "videoId": top.video,
            "channelId": US,
            "totalReplyCount": len(replies),
            "topLevelComment": self._comment(top, owner),
        }
        thread: dict[str, Any] = {"id": top.id, "snippet": snippet}
        if shown:
            thread["replies"] = {"comments": [self._comment(one, owner) for one in shown]}
        return thread

    def _comment(self, one: Comment, owner: bool) -> dict[str, Any]:
        one.likes += 1  # a reading changes what is not the comment's own
        snippet: dict[str, Any] = {
            "authorDisplayName": f"@{one.author}",
            "authorChannelId": {"value": one.author},
            "authorProfileImageUrl": f"https://i.example/{one.likes}.jpg",
            "textDisplay": one.text,
            "publishedAt": stamp(one.at),
            "updatedAt": stamp(one.edited or one.at),
            "likeCount": one.likes,
        }
        if one.top:
            snippet["parentId"] = one.top
        if owner and self.states_told:
            snippet["moderationStatus"] = one.state
        return {"id": one.id, "snippet": snippet}

    def _comments_list(self, told: dict[str, str], body: Any, owner: bool) -> Any:
        if "id" in told:
            found = [self.comments[one] for one in told["id"].split(",") if one in self.comments]
            return {"items": [self._comment(one, owner) for one in found]}
        if told["parentId"] not in self.comments:
            raise Refused(404, "commentNotFound")
        return self._page(self._replies(told["parentId"], "published"), told, lambda one: self._comment(one, owner))

    def _comments_insert(self, told: dict[str, str], body: Any, owner: bool) -> Any:
        snippet = body["snippet"]
        parent = self.comments.get(snippet["parentId"])
        if parent is None:
            raise Refused(404, "parentCommentNotFound")
        if parent.top is not None:
            raise Refused(400, "operationNotSupported")
        return self._comment(self.write(parent.video, snippet["textOriginal"], parent.id, US), owner)

    def _commentthreads_insert(self, told: dict[str, str], body: Any, owner: bool) -> Any:
        snippet = body["snippet"]
        assert snippet["channelId"] == US
        text = snippet["topLevelComment"]["snippet"]["textOriginal"]
        return self._thread(self.write(snippet["videoId"], text, None, US), "published", owner)

    def _comments_update(self, told: dict[str, str], body: Any, owner: bool) -> Any:
        one = self.comments[body["id"]]
        one.text, one.edited = body["snippet"]["textOriginal"], one.at + 1000
        return self._comment(one, owner)

    def _comments_delete(self, told: dict[str, str], body: Any, owner: bool) -> None:
        if told["id"] not in self.comments:
            raise Refused(404, "commentNotFound")
        self.remove(told["id"])

    def _comments_setmoderationstatus(self, told: dict[str, str], body: Any, owner: bool) -> None:
        assert told.get("banAuthor") is None or told["moderationStatus"] == "rejected"
        self.comments[told["id"]].state = told["moderationStatus"]


def _checked(method: dict[str, Any], request: httpx.Request) -> dict[str, str]:
    """The parameters of a request, each of which must be in the document with its type, range and words."""
    told = {name: value for name, value in request.url.params.multi_items() if name not in ("key", "alt")}
    for name, value in told.items():
        rule = method["parameters"][name]
        assert "enum" not in rule or value in rule["enum"], (name, value)
        if rule["type"] == "integer":
            assert int(rule.get("minimum", 0)) <= int(value) <= int(rule.get("maximum", 2**31)), (name, value)
    for name, rule in method["parameters"].items():
        assert not rule.get("required") or name in told, name
    filters = [name for name in ("videoId", "allThreadsRelatedToChannelId", "channelId", "id") if name in told]
    if method["id"] == "youtube.commentThreads.list":
        assert len(filters) == 1, filters
    return told
