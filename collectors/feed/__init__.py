"""Any RSS or Atom feed of comments, in only: what a site publishes of itself, kept as long as it stands there."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import urldefrag, urlsplit

import httpx
from pydantic import Field, field_validator

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
    network_error,
)
from collectors.feed.document import Document, Fields, identity, known_ids, read_document, read_time
from collectors.html import clean, html_text

__all__ = ["Feed", "Settings"]

BODY_CAP = 8 * 1024 * 1024
RATE = 2
MOST_PAGES = 200
"""Pages of one feed that are followed in one walk (RFC 5005)."""
KNOWN = 2000
"""Identities of the last reading that are remembered, to see whether the two readings overlap."""
TYPES = "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"

ERRORS: dict[int, tuple[str, bool]] = {
    # status: our code, permanent (the words of RFC 9110)
    401: ("auth", True),
    403: ("rights", True),
    404: ("gone", True),
    410: ("gone", True),
    429: ("rate", False),
    503: ("server", False),
}


class Settings(ChannelSettings):
    """Which feeds are read, and whose words in them are our own."""

    urls: list[str] = Field(
        min_length=1,
        title="Addresses of the feeds",
        description="One a line, for example https://example.ru/comments/feed/",
    )
    own_names: list[str] = Field(
        default_factory=list,
        title="Our names",
        description="One a line: under which names the school itself writes there. "
        "Their comments are not taken for questions.",
    )

    @field_validator("urls")
    @classmethod
    def _addresses(cls, value: list[str]) -> list[str]:
        found = [one.strip() for one in value if one.strip()]
        if not found or any(
            urlsplit(one).scheme not in ("http", "https") or not urlsplit(one).hostname for one in found
        ):
            raise ValueError("an address like https://example.ru/ is needed")
        return list(dict.fromkeys(found))


@dataclass
class _State:
    """What is remembered of one feed; ``seen`` holds the time of finding for entries that tell no time."""

    etag: str = ""
    modified: str = ""
    known: tuple[str, ...] = ()
    seen: dict[str, str] | None = None

    def as_json(self) -> dict[str, Any]:
        return {"etag": self.etag, "modified": self.modified, "known": list(self.known), "seen": self.seen or {}}


class Feed(Channel):
    """Feeds of one site. A feed shows its newest entries only and takes nothing: what it says of an old comment is
    never more than «it stands no longer among the newest», so nothing is taken for deleted."""

    kind = "feed"
    title = "RSS"
    can = Capabilities(grade="events", poll_seconds=120, deep_seconds=6 * 3600)
    Settings = Settings

    def check(self) -> Check:
        """Reads each feed once; raises the first failure."""
        titles = [self._fetch(url, None)[0].title or url for url in self.settings.urls]
        return Check("", clean(" · ".join(titles))[:200])

    def walk(self, walk: Walk, cursor: Cursor) -> Iterator[Page]:
        """NEW asks whether a feed changed (ETag, Last-Modified), DEEP and BACKFILL read it whatever it says.

        The cursor: for each feed its marks and the identities of its last reading. They move only when the pages
        down to those identities were read, so that a kill in between loses nothing.
        """
        held = cursor.get("feeds", {})
        states: dict[str, Any] = {url: held[url] for url in self.settings.urls if url in held}
        failure: ChannelError | None = None
        for number, url in enumerate(self.settings.urls, 1):
            state = _State(**states.get(url, {}))
            try:
                for page in self._feed(url, state, walk):
                    states[url] = state.as_json()
                    last = number == len(self.settings.urls) and failure is None and page.complete
                    yield Page(page.raws, {"feeds": dict(states)}, complete=last, gap=page.gap)
            except ChannelError as error:
                failure = error  # the other feeds do not wait for this one
        if failure is not None:
            raise failure

    def _feed(self, url: str, state: _State, walk: Walk) -> Iterator[Page]:
        """Pages of one feed; ``state`` is changed with the last of them."""
        before, marks = frozenset(state.known), (state.etag, state.modified) if walk is Walk.NEW else None
        fresh = (state.etag, state.modified)
        at, visited, found, seen, met = url, {url}, list[str](), dict[str, str](), False
        while True:
            document, etag, modified = self._fetch(at, marks if at == url else None)
            if document is None:
                yield Page((), {}, complete=True)
                return
            fresh = (etag, modified) if at == url else fresh
            ids, raws = list(known_ids(document.entries)), _raws(url, document, state, seen)
            found += ids
            met = met or not before.isdisjoint(ids)
            following = _same_site(url, document.next)
            enough = walk is not Walk.BACKFILL and (met or not before)
            if enough or following is None or following in visited or len(visited) >= MOST_PAGES:
                break
            visited.add(following)
            at = following
            yield Page(raws, {})
        lost = bool(before and found and not met)
        state.etag, state.modified = fresh
        state.known, state.seen = tuple(dict.fromkeys(found))[:KNOWN] or state.known, seen
        gap = "more comments came between two readings than the feed shows" if lost else None
        yield Page(raws, {}, complete=True, gap=gap)

    # Understanding

    def parse(self, raw: Raw) -> list[Incoming]:
        body = json.loads(raw.body)
        entry: Fields = body["entry"]
        published = read_time(entry.get("published")) or read_time(entry.get("updated"))
        at = published or datetime.fromisoformat(body["seen"])
        updated = read_time(entry.get("updated"))
        parent = body.get("parent")
        place = self._place(raw, body)
        return [
            Incoming(
                container=raw.container,
                external_id=raw.external_id,
                text=_read(entry, "content") or _read(entry, "summary") or _read(entry, "title"),
                published_at=at,
                author=self._author(raw, entry),
                publication=place,
                publication_external_id=place.external_id,
                parent_external_id=parent,
                thread=parent or raw.external_id,
                edited_at=updated if updated is not None and updated > at else None,
                url=_web(entry.get("link")),
            )
        ]

    def _place(self, raw: Raw, body: dict[str, Any]) -> Publication:
        """The article: what the comment answers, or the page that the comment's own address lies on."""
        entry, feed = body["entry"], body["feed"]
        named = "" if body.get("parent") else entry.get("reply_href", "")
        page = urldefrag(named or entry.get("link", "") or feed["link"] or raw.container)[0]
        title = html_text(feed["title"]) or page
        key = page if len(page) <= 255 else hashlib.sha256(page.encode("utf-8", "replace")).hexdigest()
        return Publication(key, "article", title, url=_web(page))

    def _author(self, raw: Raw, entry: Fields) -> Person:
        """A feed knows people by name; without one, nothing says that two entries are of one person."""
        name = html_text(entry.get("creator") or entry.get("author") or "")
        url = _web(entry.get("author_url"))
        host = urlsplit(raw.container).hostname or ""
        said = f"{name.casefold()}\n{url or ''}" if name else f"\n{raw.container}\n{raw.external_id}"
        key = hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:24]
        ours = {one.strip().casefold() for one in self.settings.own_names}
        return Person(f"{host}:{key}", name, url=url, is_us=bool(name) and name.casefold() in ours)

    # The wire

    @cached_property
    def _http(self) -> httpx.Client:
        return self.wire.client(headers={"Accept": TYPES}, cap=BODY_CAP)

    def close(self) -> None:
        if "_http" in self.__dict__:
            self._http.close()
            del self.__dict__["_http"]

    def _fetch(self, url: str, marks: tuple[str, str] | None) -> tuple[Any, str, str]:
        """(document, ETag, Last-Modified); the document is None where nothing changed since ``marks``."""
        self.limiter.wait(f"feed:{urlsplit(url).hostname}", rate=RATE)
        asked = {"If-None-Match": marks[0], "If-Modified-Since": marks[1]} if marks else {}
        try:
            response = self._http.get(url, headers={name: value for name, value in asked.items() if value})
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise network_error(error, write=False) from None
        if response.status_code == 304 and marks:
            return None, *marks
        if response.status_code != 200:
            raise _error(response)
        document = read_document(response.content, url, response.charset_encoding)
        return document, response.headers.get("ETag", "")[:500], response.headers.get("Last-Modified", "")[:100]


def _raws(url: str, document: Document, state: _State, seen: dict[str, str]) -> tuple[Raw, ...]:
    """A raw tells only what its entry tells; where that names no time, when it was first found goes with it."""
    here, now = {identity(one) for one in document.entries}, datetime.now(UTC).isoformat(timespec="seconds")
    raws = []
    for key, entry in zip(known_ids(document.entries), document.entries, strict=True):
        body: dict[str, Any] = {"entry": entry, "feed": {"title": document.title, "link": document.link}}
        if read_time(entry.get("published")) is None and read_time(entry.get("updated")) is None:
            # It must not change, or every reading would look like an edit.
            body["seen"] = seen[key] = (state.seen or {}).get(key, now)
        # RFC 4685 lets a comment name the article or another comment, and does not say which of them it is.
        answered = entry.get("reply_ref", "")
        if answered and (answered in here or "#" in (entry.get("reply_href") or answered)):
            body["parent"] = identity({"id": answered})
        text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        raws.append(Raw("entry", url, identity(entry), text.encode("utf-8", "replace")))
    return tuple(raws)


def _error(response: httpx.Response) -> ChannelError:
    status = response.status_code
    if response.is_redirect:
        return ChannelError(f"HTTP {status}: the feed is at another address", code="settings", permanent=True)
    code, permanent = ERRORS.get(status, ("server", False))
    pause = response.headers.get("Retry-After", "")
    retry = float(pause) if pause.isdecimal() and len(pause) < 10 else 60.0 if status == 429 else None
    return ChannelError(f"HTTP {status}", code=code, permanent=permanent, retry_after=retry)


def _same_site(url: str, found: str | None) -> str | None:
    """The next page where it is on the feed's own site: a feed must not send the desk elsewhere."""
    if found is None:
        return None
    try:
        here, there = urlsplit(url), urlsplit(found)
        same = (here.scheme, here.hostname, here.port) == (there.scheme, there.hostname, there.port)
    except ValueError:
        return None
    return found if same else None


def _web(address: str | None) -> str | None:
    return address if address and address.startswith(("http://", "https://")) else None


def _read(entry: Fields, name: str) -> str:
    text = entry.get(name, "")
    return text if entry.get(f"{name}_is") == "text" else html_text(text)
