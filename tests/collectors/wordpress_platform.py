"""A WordPress in memory that answers as core does and refuses every parameter its schema does not have."""

import base64
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from benchmarks.limits import NoLimits
from collectors.wire import Wire
from collectors.wordpress import Settings, WordPress

EPOCH = 1_790_000_000
US, EDITOR_MAIL = 2, "desk@blog.example"
LISTING = {
    "context", "page", "per_page", "offset", "order", "orderby", "after", "before", "post", "parent",
    "parent_exclude", "include", "exclude", "search", "status", "type", "author", "author_exclude", "author_email",
}  # fmt: skip
WRITING = {"post", "parent", "content", "status"}
STATUSES = {
    "all": {"approved", "hold"},
    "approve": {"approved"},
    "hold": {"hold"},
    "spam": {"spam"},
    "trash": {"trash"},
}
STATED = {"approve": "approved", "hold": "hold", "spam": "spam", "trash": "trash"}
TOLD = {"approved": "approved", "hold": "unapproved", "spam": "spam", "trash": "trash"}
"""wp_get_comment_status(): set to the very same word, WordPress says that updating failed."""


@dataclass
class Comment:
    id: int
    post: int
    text: str
    parent: int = 0
    author: int = 0
    name: str = "Вера Полякова"
    mail: str = "vera@home.example"
    status: str = "approved"
    at: int = EPOCH


class Refused(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class WordPressPlatform:
    """A respx side effect. ``faults`` are given instead of answers, ``lost`` after the work was done."""

    def __init__(self) -> None:
        self.comments: dict[int, Comment] = {}
        self.posts: dict[int, str] = {12: "posts", 13: "posts", 14: "pages", 15: "lessons"}
        self.last_id = 400
        self.capabilities: dict[str, bool] = {"moderate_comments": True, "edit_posts": True}
        self.requests: list[httpx.Request] = []
        self.faults: list[httpx.Response | Exception] = []
        self.lost: list[httpx.Response | Exception] = []
        self.before: Callable[[httpx.Request], None] = lambda request: None
        self.unreadable: set[int] = set()

    def write(self, post: int, text: str, parent: int = 0, **more: Any) -> Comment:
        self.last_id += 1
        one = Comment(self.last_id, post, text, parent, at=EPOCH + self.last_id, **more)
        self.comments[one.id] = one
        return one

    def writes(self) -> list[Any]:
        return [json.loads(one.content) for one in self.requests if one.method == "POST"]

    # The wire

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.before(request)
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        path = request.url.params.get("rest_route") or request.url.path.removeprefix("/wp-json")
        parts = path.strip("/").split("/")
        try:
            assert parts[:2] == ["wp", "v2"], path
            answer = self._route(request, parts[2:])
        except Refused as error:
            body = {
                "code": error.code,
                "message": f"<strong>{error.code}</strong>",
                "data": {"status": error.status},
            }
            return httpx.Response(error.status, json=body)
        if self.lost and request.method != "GET":
            fault = self.lost.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        return answer

    def _route(self, request: httpx.Request, parts: list[str]) -> httpx.Response:
        match request.method, parts:
            case "GET", ["users", "me"]:
                return self._me(request)
            case "GET", ["comments"]:
                return self._list(request)
            case "GET", ["comments", number]:
                return httpx.Response(200, json=self._shown(self._standing(request, int(number)), request))
            case "POST", ["comments"]:
                return self._create(request)
            case "POST", ["comments", number]:
                return self._update(request, self._standing(request, int(number)))
            case "DELETE", ["comments", number]:
                return self._trash(request, self._standing(request, int(number)))
            case "GET", [kind] if kind in self.posts.values():
                return self._posts(request, kind)
        raise Refused(404, "rest_no_route")

    def _logged_in(self, request: httpx.Request) -> bool:
        pair = base64.b64encode(b"desk:app pass word").decode()
        return str(request.headers.get("Authorization")) == f"Basic {pair}"

    def _able(self, request: httpx.Request, right: str) -> bool:
        return self._logged_in(request) and bool(self.capabilities.get(right))

    def _forbidden(self, request: httpx.Request, code: str) -> Refused:
        return Refused(403 if self._logged_in(request) else 401, code)

    def _me(self, request: httpx.Request) -> httpx.Response:
        if not self._logged_in(request):
            raise Refused(401, "rest_not_logged_in")
        me: dict[str, Any] = {"id": US, "name": "Школа «Слово»", "slug": "desk"}
        if request.url.params.get("context") == "edit":
            me["capabilities"] = {"read": True, **self.capabilities}
        return httpx.Response(200, json=me)

    # Comments

    def _list(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        assert set(asked) - {"rest_route"} <= LISTING, asked
        for name in ("after", "before"):
            assert name not in asked or asked[name].endswith("Z"), "a date without a zone is the site's own"
        size, status = int(asked.get("per_page", 10)), asked.get("status", "approve")
        assert 1 <= size <= 100
        assert asked.get("type", "comment") == "comment"
        if status != "approve" and not self._able(request, "edit_posts"):
            raise self._forbidden(request, "rest_forbidden_param")
        edit = self._edits(request)
        found = [one for one in self.comments.values() if one.status in STATUSES[status]]
        for name in ("post", "parent", "include"):
            if name in asked:
                wanted = {int(one) for one in asked[name].split(",")}
                found = [one for one in found if getattr(one, "id" if name == "include" else name) in wanted]
        key: Callable[[Comment], int] = (
            (lambda one: one.id) if asked.get("orderby") == "id" else (lambda one: one.at)
        )
        found.sort(key=key, reverse=asked.get("order", "desc") == "desc")
        offset = int(asked["offset"]) if asked.get("offset", "0") != "0" else size * (int(asked.get("page", 1)) - 1)
        shown = [self._form(one, edit) for one in found[offset : offset + size] if one.id not in self.unreadable]
        headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(math.ceil(len(found) / size))}
        return httpx.Response(200, json=shown, headers=headers)

    def _edits(self, request: httpx.Request) -> bool:
        if request.url.params.get("context", "view") != "edit":
            return False
        if not self._able(request, "moderate_comments"):
            raise self._forbidden(request, "rest_forbidden_context")
        return True

    def _standing(self, request: httpx.Request, number: int) -> Comment:
        if number not in self.comments:
            raise Refused(404, "rest_comment_invalid_id")
        one = self.comments[number]
        if one.status != "approved" and not self._able(request, "moderate_comments"):
            raise self._forbidden(request, "rest_cannot_read")
        return one

    def _create(self, request: httpx.Request) -> httpx.Response:
        if not self._logged_in(request):
            raise Refused(401, "rest_comment_login_required")
        body = json.loads(request.content)
        assert set(body) <= WRITING, body
        assert isinstance(body["post"], int)
        assert isinstance(body["parent"], int)
        if body["post"] not in self.posts:
            raise Refused(403, "rest_comment_invalid_post_id")
        if not body["content"]:
            raise Refused(400, "rest_comment_content_invalid")
        if len(body["content"].encode()) > 65_525:
            raise Refused(400, "comment_content_column_length")
        same = (body["post"], body["parent"], US, body["content"])
        if any((one.post, one.parent, one.author, one.text) == same for one in self._kept()):
            raise Refused(409, "comment_duplicate")
        status = "approved" if self.capabilities.get("moderate_comments") else "hold"
        text = body["content"]
        one = self.write(
            body["post"], text, body["parent"], author=US, name="Школа", mail=EDITOR_MAIL, status=status
        )
        return httpx.Response(201, json=self._form(one, self._able(request, "moderate_comments")))

    def _kept(self) -> list[Comment]:
        return [one for one in self.comments.values() if one.status != "trash"]

    def _update(self, request: httpx.Request, one: Comment) -> httpx.Response:
        if not self._able(request, "moderate_comments"):
            raise self._forbidden(request, "rest_cannot_edit")
        body = json.loads(request.content)
        assert set(body) <= WRITING, body
        if "status" in body:
            if body["status"] == TOLD[one.status]:
                raise Refused(500, "rest_comment_failed_edit")
            one.status = STATED[body["status"]]
        one.text = body.get("content", one.text)
        return httpx.Response(200, json=self._form(one, True))

    def _trash(self, request: httpx.Request, one: Comment) -> httpx.Response:
        if not self._able(request, "moderate_comments"):
            raise self._forbidden(request, "rest_cannot_delete")
        if one.status == "trash":
            raise Refused(410, "rest_already_trashed")
        one.status = "trash"
        return httpx.Response(200, json=self._form(one, True))

    def _posts(self, request: httpx.Request, kind: str) -> httpx.Response:
        asked = request.url.params
        wanted = {int(one) for one in asked["include"].split(",")}
        found = [number for number, own in self.posts.items() if own == kind and number in wanted]
        shown = [
            {
                "id": number,
                "date_gmt": "2026-09-01T08:00:00",
                "link": f"https://blog.example/{kind}/{number}/",
                "type": kind.removesuffix("s"),
                "title": {"rendered": f"Запись&nbsp;{number} &#8212; о&nbsp;падежах"},
                "excerpt": {"rendered": "<p>Коротко о главном.</p>\n", "protected": False},
            }
            for number in found
        ]
        return httpx.Response(200, json=shown, headers={"X-WP-Total": str(len(shown)), "X-WP-TotalPages": "1"})

    def _shown(self, one: Comment, request: httpx.Request) -> dict[str, Any]:
        return self._form(one, self._edits(request))

    def _form(self, one: Comment, edit: bool) -> dict[str, Any]:
        at = datetime.fromtimestamp(one.at, UTC)
        kind = self.posts.get(one.post, "posts")
        form: dict[str, Any] = {
            "id": one.id,
            "post": one.post,
            "parent": one.parent,
            "author": one.author,
            "author_name": one.name,
            "author_url": "",
            "date": at.strftime("%Y-%m-%dT%H:%M:%S"),
            "date_gmt": at.strftime("%Y-%m-%dT%H:%M:%S"),
            "content": {"rendered": f"<p>{one.text}</p>\n"},
            "link": f"https://blog.example/{kind}/{one.post}/#comment-{one.id}",
            "status": one.status,
            "type": "comment",
            "author_avatar_urls": {"24": f"https://avatar.example/{len(self.requests)}"},
            "_links": {
                "up": [{"embeddable": True, "href": f"https://blog.example/wp-json/wp/v2/{kind}/{one.post}"}]
            },
        }
        if edit:
            form["content"]["raw"] = one.text
            form |= {"author_email": one.mail, "author_ip": "192.0.2.7"}
        return form


def channel(**given: Any) -> WordPress:
    values = {
        "base_url": "https://blog.example/wp-json/",
        "username": "desk",
        "password": "app pass word",
        **given,
    }
    return WordPress(Settings.model_validate(values), Wire(), NoLimits())
