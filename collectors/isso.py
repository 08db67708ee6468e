"""Isso, in and out: the comments of single pages of a site, read without a key and answered under a name."""

import hashlib
import html
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import Field, field_validator

from collectors.base import (
    Act,
    ActKind,
    Capabilities,
    Channel,
    ChannelError,
    ChannelSettings,
    Check,
    Cursor,
    Incoming,
    Page,
    Person,
    Proof,
    Publication,
    Raw,
    Receipt,
    Right,
    Sent,
    SourceState,
    Verdict,
    Walk,
    network_error,
    normalise,
)
from collectors.html import clean, html_text, page_title

RATE = 5
"""Calls a second: Isso has no limit of its own for reading."""
BATCH = 100
PAGES = "pages"
"""Container of the pages' raws, so that no listing of a page's comments names them."""
SALT = b"Eech7co8Ohloopo9Ol6baimi"
"""Isso's default salt (isso.cfg, [hash]): with it the hash of our mail address is known beforehand."""
CLOCK_SLACK = timedelta(minutes=2)
FIELDS = ("id", "parent", "text", "author", "website", "mode", "created", "modified", "hash")
"""What parse() reads; votes change by themselves and stay out."""
STATES = {1: SourceState.PUBLISHED, 2: SourceState.HELD, 4: SourceState.DELETED}

ERRORS: tuple[tuple[int, str, str, bool, float | None], ...] = (
    # status, words in the answer, our code, permanent, pause in seconds; the first row that fits wins (db/spam.py).
    (400, "", "invalid", True, None),
    (403, "ratelimit exceeded", "rate", False, 60),
    (403, "edit time frame", "rate", False, 900),  # our own comment may be answered when it cannot be edited
    (403, "required but not provided", "settings", True, None),
    (403, "", "rights", True, None),
    (404, "", "gone", True, None),
    (405, "", "settings", True, None),
    (413, "", "invalid", True, None),
    (429, "", "rate", False, 60),
)


class Settings(ChannelSettings):
    """Where Isso stands, which pages are watched, and how we sign."""

    base_url: str = Field(
        title="Address of Isso",
        description="The address in data-isso of the page's script, for example https://comments.example.ru/",
    )
    site_url: str = Field(
        title="Address of the site",
        description="Where the pages are, for example https://example.ru: links to comments begin with it.",
    )
    uris: list[str] = Field(
        default_factory=list,
        title="Pages",
        description="One page a line, for example /blog/first/. Empty: every page with comments, "
        "if latest-enabled = true is set in the [general] part of isso.cfg.",
    )
    author: str = Field(title="Name of the school", description="Answers are signed with it.")
    email: str = Field(
        default="",
        title="Mail address of the answers",
        description="It is not shown; by it our own comments are recognised.",
    )
    own_hashes: list[str] = Field(
        default_factory=list,
        title="Signs of our comments",
        description="Only when isso.cfg sets a salt of its own: the values that «Check» shows beside our name.",
    )
    moderated: bool = Field(
        default=False,
        title="Comments wait for approval",
        description="Switch on when isso.cfg has [moderation] enabled = true: "
        "waiting comments are not listed, so it cannot be proven that an answer is missing.",
    )

    @field_validator("base_url")
    @classmethod
    def _end_with_slash(cls, value: str) -> str:
        return value.strip().rstrip("/") + "/"

    @field_validator("uris")
    @classmethod
    def _paths(cls, value: list[str]) -> list[str]:
        """Isso knows a page by its path; a whole address is taken for the path in it."""
        paths = [urlsplit(one.strip()).path or "/" if "://" in one else one.strip() for one in value]
        return [one for one in dict.fromkeys(paths) if one]


@dataclass(frozen=True)
class _Thread:
    """The comments of one page; ``whole`` when as many were read as Isso says there are."""

    comments: tuple[dict[str, Any], ...]
    whole: bool

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(str(one["id"]) for one in self.comments)

    @property
    def published(self) -> int:
        """The number that ``/count`` gives: placeholders of deleted comments are not in it."""
        return sum(one.get("mode") == 1 for one in self.comments)

    def top_of(self, comment_id: str) -> str | None:
        """The top-level comment over ``comment_id``; None when it does not stand there any more."""
        for one in self.comments:
            if str(one["id"]) == comment_id and one.get("mode") != 4:
                return str(one["parent"] or one["id"])
        return None


class Isso(Channel):
    """Pages of one Isso. It asks nobody for a key: our name and mail address are all that tells us from others.

    What was written can be changed for fifteen minutes only and with a cookie of that very answer, so the desk
    offers neither editing nor deleting here.
    """

    kind = "isso"
    title = "Isso"
    can = Capabilities(
        acts=frozenset({ActKind.REPLY, ActKind.MESSAGE, ActKind.LIKE}),
        list_own=True,
        nested=False,
        max_length=65_535,
        poll_seconds=60,
        deep_seconds=3600,
        settle_seconds=10,
    )
    Settings = Settings

    def check(self) -> Check:
        """Isso has no login: what can be told is whether it answers, and whether our comments are recognised."""
        self._get("config")
        uris = self.settings.uris or self._discover({})
        threads = [self._thread(uri) for uri in uris[:BATCH]]
        seen = {str(one.get("hash")) for thread in threads for one in thread.comments if self._is_signed(one)}
        known = bool(seen & self._own_hashes) if seen else None
        signs = f" · {', '.join(sorted(seen))}" if seen else ""
        rights = (Right("own_comments_known", known, "own"),)
        return Check(next(iter(seen & self._own_hashes), ""), self.settings.author + signs, rights)

    # In

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        """NEW reads the pages whose number of comments changed, DEEP and BACKFILL all; each in one answer.

        The cursor: ``counts`` (published comments by page), ``titled`` (pages told of), ``deep`` (pages left).
        """
        counts = dict(cursor.get("counts", {}))
        titled, titles = set(cursor.get("titled", [])), self._titles()
        uris = list(self.settings.uris) or self._discover(counts)
        if walk is Walk.NEW:
            due = [uri for uri, count in zip(uris, self._counts(uris), strict=True) if counts.get(uri) != count]
        else:
            due = list(cursor.get("deep") or uris)
        failure: ChannelError | None = None
        for number, uri in enumerate(due, 1):
            try:
                thread = self._thread(uri)
            except ChannelError as error:
                if error.code not in ("gone", "invalid", "server"):
                    raise
                failure = error  # the other pages do not wait for this one
                continue
            raws = [
                _kept("comment", uri, one["id"], {"comment": _picked(one), "uri": uri}) for one in thread.comments
            ]
            if uri not in titled or walk is not Walk.NEW:
                raws = [*titles.raws(uri, known=uri in titled), *raws]
                titled.add(uri)
            counts[uri] = thread.published
            state: Cursor = {"counts": dict(counts), "titled": sorted(titled)}
            if walk is not Walk.NEW and due[number:]:
                state["deep"] = due[number:]
            elif walk is Walk.NEW and cursor.get("deep"):
                state["deep"] = cursor["deep"]
            last = number == len(due) and failure is None
            yield Page(tuple(raws), state, complete=last, listed={uri: thread.ids} if thread.whole else {})
        if failure is not None:
            raise failure
        if not due:
            yield Page((), dict(cursor), complete=True)

    def _discover(self, counts: dict[str, int]) -> list[str]:
        """Every page with a comment, by ``/latest``, and those known before.

        ``/latest`` sorts all top-level comments before all replies and gives the end of that list: a limit below
        the number of all comments hides the newest top-level ones, so it is raised until everything came.
        """
        limit = max(BATCH, 2 * sum(counts.values()))
        while True:
            try:
                found = self._get("latest", limit=limit)
            except ChannelError as error:
                if error.code != "gone":
                    raise
                message = "no pages are named, and latest-enabled is off in isso.cfg"
                raise ChannelError(message, code="settings", permanent=True) from None
            if not isinstance(found, list):
                raise ChannelError("a list of comments was expected", code="server")
            if len(found) < limit:
                break
            limit *= 4
        uris = [str(one["uri"]) for one in found if isinstance(one, dict) and one.get("uri")]
        return list(dict.fromkeys([*counts, *uris]))

    def _counts(self, uris: list[str]) -> list[int]:
        counts: list[int] = []
        for begin in range(0, len(uris), BATCH):
            batch = uris[begin : begin + BATCH]
            found = self._call("POST", "count", json=batch)
            if not isinstance(found, list) or len(found) != len(batch):
                raise ChannelError("a list of numbers was expected", code="server")
            counts += found
        return counts

    def _thread(self, uri: str) -> _Thread:
        try:
            root = self._get("", uri=uri, plain=1)
        except ChannelError as error:
            if error.code != "gone":
                raise
            return _Thread((), whole=False)  # versions before 0.13 answer so for a page without comments
        try:
            top, whole = self._level(uri, None, root)
            comments = list(top)
            for one in top:
                nested, complete = self._level(uri, one["id"], one)
                comments += nested
                whole = whole and complete
            return _Thread(tuple(comments), whole)
        except (KeyError, TypeError, AttributeError):
            raise ChannelError("a thread was expected", code="server") from None

    def _level(self, uri: str, parent: int | None, node: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
        """All comments right under ``parent``: those that came with ``node``, and those it says are hidden."""
        items = {one["id"]: one for one in node.get("replies", [])}
        expected = len(items) + max(0, node.get("hidden_replies") or 0)
        under = {} if parent is None else {"parent": parent}
        while len(items) < expected:
            page = self._get("", uri=uri, plain=1, limit=BATCH, offset=len(items), **under)
            more = {one["id"]: one for one in page["replies"] if one["id"] not in items}
            if not more:
                break
            items |= more
        return list(items.values()), len(items) == expected

    def _titles(self) -> "_Titles":
        return _Titles(self._http, self.settings.site_url)

    # Understanding

    def parse(self, raw: Raw) -> list[Incoming]:
        if raw.kind != "comment":
            return []
        body = json.loads(raw.body)
        comment, own_id = body["comment"], str(body["comment"]["id"])
        deleted = comment["mode"] == 4
        parent = None if comment.get("parent") is None else str(comment["parent"])
        return [
            Incoming(
                container=raw.container,
                external_id=own_id,
                text=clean(comment["text"]),
                published_at=_moment(comment["created"]),
                author=None if deleted else self._author(comment),
                publication_external_id=raw.container,
                parent_external_id=parent,
                thread=parent or own_id,
                edited_at=_moment(comment["modified"]) if comment.get("modified") else None,
                url=self._url(raw.container, own_id),
                state=STATES.get(comment["mode"], SourceState.HIDDEN),
            )
        ]

    def publication(self, raw: Raw) -> Publication | None:
        if raw.kind != "page":
            return None
        title = json.loads(raw.body)["title"]
        uri = raw.external_id
        return Publication(uri, "article", clean(title) or uri, url=self._page(uri))

    def _author(self, comment: dict[str, Any]) -> Person:
        """Without a mail address the hash is that of a whole network (/24), so the name belongs to the identity."""
        name, sign = _name(comment), str(comment.get("hash") or "")
        external_id = f"{sign}:{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}" if name else sign
        return Person(external_id, name, url=comment.get("website") or None, is_us=sign in self._own_hashes)

    @cached_property
    def _own_hashes(self) -> frozenset[str]:
        email = html.escape(self.settings.email, quote=False).encode()
        default = {hashlib.pbkdf2_hmac("sha1", email, SALT, 1000, 6).hex()} if email else set()
        return frozenset({*default, *self.settings.own_hashes})

    def _is_signed(self, comment: dict[str, Any]) -> bool:
        return _name(comment) == str(self.settings.author)

    def _page(self, uri: str) -> str:
        return f"{self.settings.site_url.rstrip('/')}/{uri.lstrip('/')}"

    def _url(self, uri: str, comment_id: str) -> str:
        return f"{self._page(uri)}#isso-{comment_id}"

    # Out

    def act(self, act: Act) -> Receipt:
        """Writes under our name, or likes. The parent is looked at first: Isso puts a reply to nothing on top."""
        uri = act.target.container
        if act.kind is ActKind.LIKE:
            votes = self._call("POST", f"id/{_number(act.target.external_id)}/like", write=True, json={})
            if votes is None:  # Isso takes a like of nothing without a word
                raise ChannelError("the comment is not there any more", code="gone", permanent=True)
            return Receipt(act.target.external_id, container=uri)
        if act.kind not in self.can.acts:
            return super().act(act)
        body: dict[str, Any] = {"text": act.text, "author": self.settings.author, "parent": None}
        body["email"] = self.settings.email or None
        if act.kind is ActKind.REPLY:
            body["parent"] = _number(act.target.external_id)
            if self._thread(uri).top_of(str(body["parent"])) is None:
                raise ChannelError("the comment is not there any more", code="gone", permanent=True)
        else:
            body["title"] = act.target.subject or uri  # required when nobody has commented on the page yet
        written = self._call("POST", "new", write=True, params={"uri": uri}, json=body)
        try:
            own_id, at = str(int(written["id"])), _moment(written["created"])
            return Receipt(own_id, self._url(uri, own_id), at, visible=written["mode"] == 1, container=uri)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise ChannelError("no comment in the answer", code="server", sent=Sent.UNKNOWN) from None

    def lookup(self, act: Act) -> Proof:
        """Looks for our comment under the same top-level one; a site that moderates proves no absence."""
        if act.kind not in (ActKind.REPLY, ActKind.MESSAGE):
            return Proof(Verdict.UNKNOWN)
        target, thread = act.target, self._thread(act.target.container)
        top = None
        if act.kind is ActKind.REPLY:
            top = thread.top_of(str(target.external_id)) or target.thread or target.external_id
        for one in thread.comments:
            parent = None if one.get("parent") is None else str(one["parent"])
            at = _moment(one["created"])
            ours = self._is_signed(one) or str(one.get("hash")) in self._own_hashes
            recent = act.since is None or at >= act.since - CLOCK_SLACK
            own_id = str(one["id"])
            if own_id in act.taken or not (ours and recent and parent == top):
                continue
            if normalise(one["text"]) == normalise(act.text):
                return Proof(Verdict.SEEN, own_id, self._url(target.container, own_id), at)
        return Proof(Verdict.ABSENT if thread.whole and not self.settings.moderated else Verdict.UNKNOWN)

    # The wire

    @cached_property
    def _http(self) -> httpx.Client:
        return self.wire.client(self.settings.base_url, headers={"Accept": "application/json"})

    def close(self) -> None:
        if "_http" in self.__dict__:
            self._http.close()
            del self.__dict__["_http"]

    def _get(self, path: str, **params: Any) -> Any:
        return self._call("GET", path, params=params)

    def _call(self, method: str, path: str, *, write: bool = False, **more: Any) -> Any:
        self.limiter.wait(f"isso:{self._http.base_url.host}", rate=RATE)
        try:
            response = self._http.request(method, path, **more)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise network_error(error, write=write) from None
        if response.is_success:
            try:
                return response.json()
            except (ValueError, RecursionError):
                unknown = Sent.UNKNOWN if write else Sent.NO
                raise ChannelError("not an answer of Isso", code="server", sent=unknown) from None
        raise _error(response, write=write)


class _Titles:
    """Titles of pages, read from the site itself, since Isso keeps them to itself."""

    def __init__(self, http: httpx.Client, site_url: str) -> None:
        self._http, self._site, self._down = http, site_url.rstrip("/"), False

    def raws(self, uri: str, *, known: bool) -> list[Raw]:
        """A raw of the page; none when its title cannot be read now but was told before."""
        title = self._title(uri)
        return [] if known and not title else [_kept("page", PAGES, uri, {"title": title})]

    def _title(self, uri: str) -> str:
        if self._down or not self._site:
            return ""
        try:
            response = self._http.get(f"{self._site}/{uri.lstrip('/')}", headers={"Accept": "text/html"})
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            self._down = True  # a title is not worth a time-out for every page
            return ""
        return page_title(response.text) if response.is_success else ""


def _error(response: httpx.Response, *, write: bool) -> ChannelError:
    """Isso tells its reason in JSON or in HTML; a redirect means that the address is wrong."""
    status = response.status_code
    if response.is_redirect:
        return ChannelError(f"HTTP {status}: Isso is at another address", code="settings", permanent=True)
    try:
        told = str(response.json()["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        told = html_text(response.text[:10_000])
    row = next((row for row in ERRORS if row[0] == status and row[1] in told), None)
    if row is None:
        return ChannelError(f"HTTP {status}", code="server", sent=Sent.UNKNOWN if write else Sent.NO)
    pause = response.headers.get("Retry-After", "")
    retry = float(pause) if pause.isdecimal() and len(pause) < 10 else row[4]
    return ChannelError(clean(told)[:300] or f"HTTP {status}", code=row[2], permanent=row[3], retry_after=retry)


def _kept(kind: str, container: str, external_id: Any, body: Any) -> Raw:
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return Raw(kind, container, str(external_id), text.encode("utf-8", "surrogatepass"))


def _picked(comment: dict[str, Any]) -> dict[str, Any]:
    return {name: comment[name] for name in FIELDS if name in comment}


def _name(comment: dict[str, Any]) -> str:
    """Isso keeps names with ``&``, ``<`` and ``>`` escaped."""
    return clean(html.unescape(str(comment.get("author") or "")))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)


def _number(value: str | None) -> int:
    if value is None or not value.isdecimal():
        raise ChannelError("the target is not a comment of Isso", code="invalid", permanent=True)
    return int(value)
