"""An Isso in memory, for the faults and histories that the real one cannot be made to show."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.limits import NoLimits
from collectors.isso import Isso, Settings
from collectors.wire import Wire

EPOCH = 1_790_000_000.25
PAGES = ["/a/", "/b/"]
SCHOOL = "Школа «Слово»"
OUR_HASH = "0e4dc7bd4e30"


@dataclass
class Comment:
    id: int
    uri: str
    text: str
    parent: int | None = None
    author: str | None = "Вера Полякова"
    hash: str = "2af4e1a6c96a"
    mode: int = 1
    modified: float | None = None

    @property
    def created(self) -> float:
        return EPOCH + self.id


class IssoPlatform:
    """A respx side effect. ``faults`` are given instead of answers, ``lost`` after the work was done.

    ``most`` limits how many comments come in one answer, as a proxy or an older client setting would.
    """

    def __init__(self) -> None:
        self.comments: dict[int, Comment] = {}
        self.last_id = 0
        self.most = 1000
        self.moderated = False
        self.requests: list[httpx.Request] = []
        self.faults: list[httpx.Response | Exception] = []
        self.lost: list[httpx.Response | Exception] = []
        self.broken: set[str] = set()
        self.site_is_down = False
        self.stuck = False  # what is hidden stays hidden
        self.before: Callable[[httpx.Request], None] = lambda request: None

    def write(self, text: str, parent: int | None = None, uri: str = "/a/", **more: Any) -> Comment:
        self.last_id += 1
        if parent is not None:
            parent = self.comments[parent].parent or parent
        one = Comment(self.last_id, uri, text, parent, **more)
        self.comments[one.id] = one
        return one

    def delete(self, number: int) -> None:
        one = self.comments[number]
        if any(child.parent == number for child in self.comments.values()):
            one.text, one.author, one.mode = "", None, 4
            return
        del self.comments[number]
        top = self.comments.get(one.parent or 0)
        if top is not None and top.mode == 4:
            self.delete(top.id)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.before(request)
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        answer = self._route(request)
        if self.lost and request.url.path == "/new":
            fault = self.lost.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        return answer

    def page(self, request: httpx.Request) -> httpx.Response:
        """The site that the comments belong to."""
        if self.site_is_down:
            raise httpx.ConnectTimeout("down")
        return httpx.Response(200, html="<title>Страница</title>")

    def _route(self, request: httpx.Request) -> httpx.Response:
        match request.method, request.url.path:
            case "GET", "/":
                return self._fetch(request)
            case "POST", "/count":
                uris = json.loads(request.content)
                published = [one.uri for one in self.comments.values() if one.mode == 1]
                return httpx.Response(200, json=[published.count(uri) for uri in uris])
            case "POST", "/new":
                return self._new(request)
            case "GET", "/config":
                return httpx.Response(200, json={"config": {"reply-to-self": False}})
        return httpx.Response(404, text="<h1>Not Found</h1>")

    def _fetch(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        assert set(asked) <= {"uri", "plain", "limit", "nested_limit", "offset", "parent", "after", "sort"}
        assert asked["plain"] == "1"
        if asked["uri"] in self.broken:
            return httpx.Response(500, text="<h1>Internal Server Error</h1>")
        parent = int(asked["parent"]) if "parent" in asked else None
        limit = int(asked["limit"]) if "limit" in asked else None
        # Without a limit an offset is not looked at (db/comments.py).
        node = self._node(asked["uri"], parent, limit, int(asked.get("offset", 0)) if limit else 0)
        if parent is None:
            for one in node["replies"]:
                one |= self._node(asked["uri"], one["id"], None, 0, own_id=one["id"])
        return httpx.Response(200, json=node)

    def _node(
        self, uri: str, parent: int | None, limit: int | None, offset: int, own_id: int | None = None
    ) -> dict[str, Any]:
        here = [one for one in self.comments.values() if one.uri == uri and one.mode != 2]
        found = sorted((one for one in here if one.parent == parent), key=lambda one: one.created)
        shown = [] if limit and self.stuck else found[offset : offset + min(limit or self.most, self.most)]
        return {
            "id": parent if own_id is None else own_id,
            "total_replies": len(here) if parent is None else len(found),
            "hidden_replies": len(found) - len(shown) - offset,
            "replies": [self._form(one) for one in shown],
        }

    def _new(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["Content-Type"] == "application/json"
        body = json.loads(request.content)
        assert set(body) <= {"text", "author", "email", "website", "parent", "title", "notification"}
        parent = body["parent"] if body["parent"] in self.comments else None
        one = self.write(body["text"], parent, request.url.params["uri"], author=body["author"], hash=OUR_HASH)
        one.mode = 2 if self.moderated else 1
        return httpx.Response(202 if self.moderated else 201, json=self._form(one))

    def _form(self, one: Comment) -> dict[str, Any]:
        return {
            "id": one.id,
            "parent": one.parent,
            "text": one.text,
            "author": one.author,
            "website": None,
            "mode": one.mode,
            "created": one.created,
            "modified": one.modified,
            "hash": one.hash,
            "likes": len(self.requests),
            "dislikes": 0,
            "notification": 0,
        }


def channel(**given: Any) -> Isso:
    values = {
        "base_url": "https://isso.example",
        "site_url": "https://blog.example/",
        "uris": PAGES,
        "author": SCHOOL,
        "own_hashes": [OUR_HASH],
        **given,
    }
    return Isso(Settings.model_validate(values), Wire(), NoLimits())
