"""Walks over a site's comments: new ones by id, late approvals by the held list, the rest by comparison."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from collectors.base import ChannelError, Cursor, Page, Raw
from collectors.wordpress.api import Api
from collectors.wordpress.settings import Settings

SIZE = 100
DEPTH = 20
"""Levels of replies looked up; WordPress shows ten at most."""
POSTS = "posts"
"""Container of the posts' raws: a post may have the number of a comment, and no listing of comments names it."""
FIELDS = ("id", "post", "parent", "author", "author_name", "author_url", "date_gmt", "link", "status", "type")
"""What parse() reads. Avatars, addresses and user agents stay on the site."""

_UP = re.compile(r"wp/v2/([\w-]+)/\d+$")


@dataclass
class Place:
    """How far an ascending listing was read: every id up to ``last``, the first ``offset`` places of it."""

    offset: int = 0
    last: int = 0

    def as_list(self) -> list[int]:
        return [self.offset, self.last]


@dataclass
class Listing:
    """One status as it is read: how far, the ids found, and how many the site says there are."""

    place: Place
    ids: set[int] = field(default_factory=set)
    total: int | None = None


class Walker:
    """One walk: who we are, and what it has met so far.

    The cursor holds ``new`` (the Place of the id-ordered listing), ``held`` (ids waiting for approval when last
    looked at), ``posts`` (posts that ever had a comment) and, inside a DEEP walk only, ``deep``.
    """

    def __init__(self, api: Api, settings: Settings) -> None:
        self._api = api
        me = api.me()
        self.me = me.id
        self._ours = {me.id, *settings.our_authors}
        # Without this right only approved comments are shown, and asking for others is an error.
        self._moderates = me.moderates
        self._statuses = ("all", "spam", "trash") if me.moderates else ("approve",)
        self._parents: dict[int, int] = {}
        self._told: set[int] = set()

    def new(self, cursor: Cursor) -> Iterator[Page]:
        """Ids above the last known one, then what left the held list; a handful of calls when nothing happened."""
        cursor = dict(cursor)
        place = Place(*cursor.get("new", (0, 0)))
        for fresh, _ in self._ascending(self._statuses[0], place):
            cursor = self._remember(cursor, fresh) | {"new": place.as_list()}
            if fresh:
                yield Page(self._raws(fresh), cursor)
        late: list[dict[str, Any]] = []
        if self._moderates:
            waiting = [one for fresh, _ in self._ascending("hold", Place()) for one in fresh]
            known, now = set(cursor.get("held", [])), {one["id"] for one in waiting}
            late = [one for one in waiting if one["id"] not in known] + self._by_id(known - now)
            cursor = self._remember(cursor, late) | {"held": sorted(now)}
        yield Page(self._raws(late), cursor, complete=True)

    def deep(self, cursor: Cursor) -> Iterator[Page]:
        """Everything, in every state, and once more what came meanwhile.

        Names what stands where only when read in one go and the numbers of the site agree with what was read.
        """
        cursor = dict(cursor)
        begun = cursor.get("deep")
        at, offset, last = begun or (0, 0, 0)
        listings: dict[str, Listing] = {}
        stands: dict[str, set[str]] = {}
        for number, status in enumerate(self._statuses if begun else self._statuses * 2):
            if number < at:
                continue
            listing = listings.setdefault(status, Listing(Place(offset, last) if number == at else Place()))
            for fresh, total in self._ascending(status, listing.place):
                listing.ids |= {one["id"] for one in fresh}
                listing.total = total
                for one in fresh:
                    stands.setdefault(_post(one), set()).add(str(one["id"]))
                cursor = self._remember(cursor, fresh) | {"deep": [number, *listing.place.as_list()]}
                if fresh:
                    yield Page(self._raws(fresh), cursor)
            if number == 0 and "new" not in cursor:
                cursor["new"] = listing.place.as_list()
        cursor.pop("deep", None)
        # A comment that changed its list while we read makes one of them longer than what was read of it.
        whole = not begun and all(one.total == len(one.ids) for one in listings.values())
        listed = {str(post): frozenset(stands.get(str(post), ())) for post in cursor.get("posts", []) if whole}
        yield Page((), cursor, complete=True, listed=listed)

    def matching(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """Every comment that fits, in every state we may see; ends only after a complete listing."""
        for status in self._statuses:
            for fresh, _ in self._ascending(status, Place(), **filters):
                yield from fresh

    @property
    def sees_all(self) -> bool:
        """True when held, spam and trashed comments are shown to us too."""
        return self._moderates

    # Listing

    def _list(self, status: str, **params: Any) -> tuple[list[dict[str, Any]], int | None]:
        context = "edit" if self._moderates else "view"
        answer = self._api.get("wp/v2/comments", status=status, context=context, per_page=SIZE, **params)
        if not isinstance(answer.data, list) or not all(
            isinstance(one, dict) and isinstance(one.get("id"), int) for one in answer.data
        ):
            raise ChannelError("a list of comments was expected", code="server")
        return answer.data, answer.total

    def _ascending(
        self, status: str, place: Place, **filters: Any
    ) -> Iterator[tuple[list[dict[str, Any]], int | None]]:
        """Pages of ids above ``place.last``, which moves on before each is given, with the number of all.

        Deletions shift the pages: one that begins above the last id read may have skipped some, so pages before it
        are read until a known id is met. A page may hold fewer items than it covers (what we may not read is left
        out after counting): only the total tells the end.
        """
        filters |= {"orderby": "id", "order": "asc"}
        while True:
            start = max(0, place.offset - 1)
            found, total = self._list(status, offset=start, **filters)
            end, empty, first = start + SIZE, not found, found
            while start and not (first and first[0]["id"] <= place.last):
                start = max(0, min(start, start if total is None else total) - SIZE)
                first, total = self._list(status, offset=start, **filters)
                found = first + found
            fresh = {one["id"]: one for one in found if one["id"] > place.last}
            place.offset = end if total is None else min(end, total)
            place.last = max([place.last, *fresh])
            yield [fresh[key] for key in sorted(fresh)], total
            if empty if total is None else end >= total:
                return

    def _by_id(self, ids: Iterable[int]) -> list[dict[str, Any]]:
        """The comments of these ids in whatever state; one deleted for good is simply not among them."""
        missing, found = sorted(ids), []
        for status in self._statuses:
            for begin in range(0, len(missing), SIZE):
                found += self._list(status, include=missing[begin : begin + SIZE])[0]
            seen = {one["id"] for one in found}
            missing = [one for one in missing if one not in seen]
        return found

    def _remember(self, cursor: Cursor, comments: list[dict[str, Any]]) -> Cursor:
        held = {one["id"] for one in comments if one.get("status") == "hold"}
        posts = {int(one["post"]) for one in comments if isinstance(one.get("post"), int)}
        return {
            **cursor,
            "held": sorted({*cursor.get("held", []), *held}),
            "posts": sorted({*cursor.get("posts", []), *posts}),
        }

    # Raws

    def _raws(self, comments: list[dict[str, Any]]) -> tuple[Raw, ...]:
        tops = self._tops(comments)
        raws = list(self._posts(comments))
        for one in comments:
            kept = {name: one[name] for name in FIELDS if name in one}
            content = one.get("content") or {}
            # With the stored text at hand the rendered one is left out: plug-ins change it by themselves.
            kept["content"] = (
                {"raw": content["raw"]} if "raw" in content else {"rendered": content.get("rendered", "")}
            )
            body = {
                "comment": kept,
                "us": one.get("author") in self._ours,
                "thread": tops[one["id"]],
                "guest": _guest(one),
            }
            raws.append(_kept("comment", _post(one), one["id"], body))
        return tuple(raws)

    def _tops(self, comments: list[dict[str, Any]]) -> dict[int, int]:
        """id → id of the comment its thread begins with; ancestors that are not at hand are asked for."""
        self._parents |= {one["id"]: int(one.get("parent") or 0) for one in comments}
        tops = {one["id"]: one["id"] for one in comments}
        for _ in range(DEPTH):
            unknown = {top for top in tops.values() if top not in self._parents}
            if unknown:
                found = {one["id"]: int(one.get("parent") or 0) for one in self._by_id(unknown)}
                self._parents |= dict.fromkeys(unknown, 0) | found
            higher = {one: self._parents[top] or top for one, top in tops.items()}
            if higher == tops:
                break
            tops = higher
        return tops

    def _posts(self, comments: list[dict[str, Any]]) -> Iterator[Raw]:
        """A raw for each post that this walk meets for the first time; posts of any type the API shows."""
        groups: dict[str, list[int]] = {}
        for one in comments:
            post = int(one.get("post") or 0)
            if post and post not in self._told:
                self._told.add(post)
                up = (one.get("_links") or {}).get("up") or [{}]
                found = _UP.search(str(up[0].get("href", "")))
                groups.setdefault(found[1] if found else "", []).append(post)
        for base, ids in groups.items():
            for kind in [base] if base else ["posts", "pages"]:
                for begin in range(0, len(ids), SIZE):
                    yield from self._posts_of(kind, ids[begin : begin + SIZE])

    def _posts_of(self, kind: str, ids: list[int]) -> Iterator[Raw]:
        try:
            found = self._api.get(f"wp/v2/{kind}", include=ids, per_page=SIZE).data
        except ChannelError as error:
            if not error.permanent or error.code == "auth":
                raise
            return  # a private or unlisted type: its comments are collected without a title
        for post in found if isinstance(found, list) else []:
            kept = {name: post.get(name) for name in ("id", "link", "title", "date_gmt", "type", "excerpt")}
            yield _kept("post", POSTS, kept["id"], {"post": kept})


def _kept(kind: str, container: Any, external_id: Any, body: Any) -> Raw:
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return Raw(kind, str(container), str(external_id), text.encode("utf-8", "surrogatepass"))


def _post(comment: dict[str, Any]) -> str:
    return str(comment.get("post") or 0)


def _guest(comment: dict[str, Any]) -> str:
    """What tells one guest from another: a hash, so that ids never carry a mail address."""
    sign = str(comment.get("author_email") or comment.get("author_name") or "").strip().casefold()
    return hashlib.sha256(sign.encode("utf-8", "replace")).hexdigest()[:16]
