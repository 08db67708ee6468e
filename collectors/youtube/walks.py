"""How a YouTube channel is read: the newest threads often and cheaply, all of them seldom and to the end."""

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from collectors.base import ChannelError, Cursor, Page, Raw, Walk
from collectors.youtube.api import Api
from collectors.youtube.items import (
    STATES,
    Thread,
    broken_raw,
    comment_raw,
    is_comment,
    thread_mark,
    thread_time,
    video_about,
)

STATUSES = ("published", "heldForReview", "likelySpam")
PAGE = 100
WATCHED = {"published": 2, "heldForReview": 1, "likelySpam": 1}
"""Pages that every NEW walk compares thread by thread: late replies under their threads are found."""
OVERLAP = timedelta(minutes=15)
"""A comment may show up in a listing somewhat after its own time."""
PASS = ("token", "pages", "peak", "fresh")
"""What is remembered of one pass over one listing."""
PLACES = 2000
RESTARTS = 3
ELSEWHERE = frozenset({"closed", "gone", "rights", "unsupported", "invalid"})
"""Failures of one video or one listing that say nothing about the others."""

NOT_A_THREAD = (KeyError, TypeError, AttributeError)


class Reader:
    """Asks for threads, replies and videos; what it has learnt of videos lives as long as one walk."""

    def __init__(self, api: Api, purpose: str = "new") -> None:
        self.api = api
        self.purpose = purpose
        self.settings = api.settings
        self._videos: dict[str, dict[str, Any] | None] = {}

    def _call(self, ask: Callable[[Any], Any]) -> dict[str, Any]:
        return self.api.call(ask, purpose=self.purpose)

    def threads(self, target: dict[str, str], status: str, token: str | None, size: int = PAGE) -> dict[str, Any]:
        """One page of threads, newest first; only a caller with rights may ask for held ones and spam."""
        asked: dict[str, Any] = {**target, "maxResults": size, "order": "time", "textFormat": "plainText"}
        if status != "published":
            asked["moderationStatus"] = status
        if token:
            asked["pageToken"] = token
        return self._call(lambda tube: tube.commentThreads().list(part="id,snippet,replies", **asked))

    def replies(self, parent: str) -> Iterator[dict[str, Any]]:
        """All replies of a thread; their order on the platform is not documented."""
        token: str | None = None
        while True:
            asked: dict[str, Any] = {"parentId": parent, "maxResults": PAGE, "textFormat": "plainText"}
            if token:
                asked["pageToken"] = token
            answer = self._ask_comments(asked)
            yield from answer.get("items") or []
            token = next_token(answer, token)
            if not token:
                return

    def comment(self, id_: str) -> dict[str, Any] | None:
        """One comment as it stands, None when it is not there."""
        found = self._ask_comments({"id": id_, "textFormat": "plainText"}).get("items") or []
        return found[0] if found else None

    def _ask_comments(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._call(lambda tube: tube.comments().list(part="id,snippet", **asked))

    def thread(self, thread: dict[str, Any], status: str) -> Thread:
        """A thread with every reply; YouTube shows a few and tells the true number."""
        snippet, total = thread["snippet"], thread["snippet"].get("totalReplyCount", 0)
        shown = [snippet["topLevelComment"], *((thread.get("replies") or {}).get("comments") or [])]
        # Only the channel's owner is told each comment's state; the listing's own state stands for all others.
        told = any("moderationStatus" in one["snippet"] for one in shown if is_comment(one))
        found = {_id(one): _stating(one, "published" if told else status) for one in shown}
        listed = True
        if total != len(shown) - 1:
            try:
                for one in self.replies(thread["id"]):
                    found.setdefault(_id(one), _stating(one, "published"))
            except ChannelError as error:
                if error.code not in ELSEWHERE:
                    raise
                listed = False
        whole = listed and len(found) > total and all(is_comment(one) for one in found.values())
        return Thread(
            thread["id"], snippet.get("videoId") or self.settings.channel_id, tuple(found.values()), whole
        )

    def raws(self, threads: list[Thread]) -> tuple[Raw, ...]:
        """The raws of all comments of some threads, each with what is known of its video."""
        self._learn([thread.container for thread in threads if thread.container != self.settings.channel_id])
        return tuple(self._raw(comment, thread) for thread in threads for comment in thread.comments)

    def _raw(self, comment: Any, thread: Thread) -> Raw:
        try:
            return comment_raw(comment, thread, self._videos.get(thread.container), self.settings.channel_id)
        except NOT_A_THREAD:
            return broken_raw(thread.container, comment)

    def _ask_videos(self, ids: list[str]) -> dict[str, Any]:
        return self._call(lambda tube: tube.videos().list(part="snippet", id=",".join(ids)))

    def _learn(self, ids: list[str]) -> None:
        missing = [id_ for id_ in dict.fromkeys(ids) if id_ not in self._videos]
        for start in range(0, len(missing), 50):
            some = missing[start : start + 50]
            self._videos |= dict.fromkeys(some)
            try:
                answer = self._ask_videos(some)
            except ChannelError as error:
                if error.code not in ELSEWHERE:
                    raise
                continue
            for video in answer.get("items") or []:
                self._videos[video["id"]] = video_about(video)


def next_token(answer: dict[str, Any], token: str | None) -> str | None:
    """The token of the next page; one that leads back to the same page would never end."""
    following = answer.get("nextPageToken")
    if following and following == token:
        raise ChannelError("the page token leads to its own page", code="server")
    return following or None


def _id(comment: Any) -> str:
    return str(comment["id"]) if is_comment(comment) else f"broken:{comment!r}"


def _stating(comment: Any, status: str) -> Any:
    """The comment with its state said."""
    if not is_comment(comment) or comment["snippet"].get("moderationStatus") in STATES:
        return comment
    return {**comment, "snippet": {**comment["snippet"], "moderationStatus": status}}


class Walking:
    """One walk.

    cursor: new = {listing: state of _newest_of()}, deep and backfill = {target, step, token}, places = containers
    seen, moderated = held comments were readable once, denied = the day on which they were not.
    """

    def __init__(self, reader: Reader, walk: Walk, cursor: Cursor) -> None:
        self.reader = reader
        self.settings = reader.settings
        self.walk = walk
        self.cursor: Cursor = copy.deepcopy(cursor)
        self._targets = {one: {"videoId": one} for one in self.settings.video_ids} or {
            self.settings.channel_id: {"allThreadsRelatedToChannelId": self.settings.channel_id}
        }
        self._failed: list[ChannelError] = []

    def pages(self) -> Iterator[Page]:
        yield from self._newest() if self.walk is Walk.NEW else self._everything()
        if len(self._failed) == len(self._targets) and self._failed[-1].code != "closed":
            raise self._failed[-1]
        yield self._page((), complete=True)

    def _page(self, raws: tuple[Raw, ...], complete: bool = False, listed: Any = None) -> Page:
        return Page(raws, copy.deepcopy(self.cursor), complete, listed or {})

    def _statuses(self) -> tuple[str, ...]:
        today = datetime.now(UTC).date().isoformat()
        refused = self.walk is Walk.NEW and self.cursor.get("denied") == today
        return STATUSES if self.settings.authorised and not refused else STATUSES[:1]

    def _pass_over(self, error: ChannelError, target: dict[str, str], status: str) -> None:
        """Goes on without this listing (one video of several, held ones without the right) or raises."""
        if error.code not in ELSEWHERE:
            raise error
        if status != "published":
            # Asked again on the next day or by the next deep walk: a right may be given at any time.
            self.cursor["denied"] = datetime.now(UTC).date().isoformat()
        elif "videoId" in target:
            self._failed.append(error)
        else:
            raise error

    def _ask(self, target: dict[str, str], status: str, at: dict[str, Any]) -> list[Any]:
        """The next page of a listing, and its token put into ``at``; a token that is refused starts it again."""
        for _ in range(RESTARTS):
            try:
                answer = self.reader.threads(target, status, at.get("token"))
            except ChannelError as error:
                if "invalidPageToken" not in error.message or not at.get("token"):
                    raise
                for name in PASS:
                    at.pop(name, None)
                continue
            at["token"] = next_token(answer, at.get("token"))
            if status != "published":
                self.cursor["moderated"] = True
            return answer.get("items") or []
        raise ChannelError("YouTube takes none of its own page tokens", code="server")

    def _read(self, threads: list[Any], status: str) -> tuple[list[Thread], tuple[Raw, ...]]:
        found: list[Thread] = []
        broken: list[Raw] = []
        for thread in threads:
            try:
                found.append(self.reader.thread(thread, status))
            except NOT_A_THREAD:
                broken.append(broken_raw(self.settings.channel_id, thread))
        places = dict.fromkeys([*self.cursor.get("places", []), *(thread.container for thread in found)])
        self.cursor["places"] = list(places)[-PLACES:]
        return found, (*self.reader.raws(found), *broken)

    # The newest

    def _newest(self) -> Iterator[Page]:
        for target in self._targets.values():
            for status in self._statuses():
                try:
                    yield from self._newest_of(target, status, self._state(target, status))
                except ChannelError as error:
                    self._pass_over(error, target, status)

    def _newest_of(self, target: dict[str, str], status: str, state: dict[str, Any]) -> Iterator[Page]:
        """Pages until the overlap with what is known; never read means to the end.

        state: horizon = the newest time of the last finished pass, known = marks of the threads it watched,
        at = the pass under way.
        """
        known, horizon = state.get("known", {}), state.get("horizon")
        # While history rests half read, what came since it began is what is new.
        horizon = horizon or self.cursor.get("backfill", {}).get("began")
        floor = (datetime.fromisoformat(horizon) - OVERLAP).isoformat() if horizon else None
        at = state.setdefault("at", {})
        while True:
            items = self._ask(target, status, at)
            _, raws = self._read([one for one in items if not _is_known(one, known)], status)
            oldest = _note(at, items, status)
            passed = floor is not None and oldest is not None and oldest < floor
            is_last = not at["token"] or (passed and at["pages"] >= WATCHED[status])
            if is_last:
                _settle(state, at)
            yield self._page(raws)
            if is_last:
                return

    # Everything

    def _everything(self) -> Iterator[Page]:
        """All threads with all replies; each target that was read in one go ends with its complete listing."""
        at = self.cursor.setdefault(self.walk.value, {})
        began = at.get("began") or datetime.now(UTC).isoformat()
        names = list(self._targets)
        if at.get("target") not in names:
            at.clear()
        for name in names[names.index(at["target"]) if at else 0 :]:
            at.update(target=name, began=began)
            listing = None if "step" in at else _Listing()  # half of it was read by a walk that ended early
            yield from self._all_of(self._targets[name], at, listing)
            at.clear()
            if name != names[-1]:
                at.update(target=names[names.index(name) + 1], began=began)
            standing = [name] if self.settings.video_ids else self.cursor.get("places", [])
            yield self._page((), listed=listing.complete(standing) if listing else None)

    def _all_of(self, target: dict[str, str], at: dict[str, Any], listing: "_Listing | None") -> Iterator[Page]:
        for step in range(at.get("step", 0), len(STATUSES)):
            status = STATUSES[step]
            at["step"] = step
            while True:
                try:
                    if status not in self._statuses():
                        raise ChannelError("held comments are not asked for", code="rights")
                    items = self._ask(target, status, at)
                except ChannelError as error:
                    self._pass_over(error, target, status)
                    if listing and (status == "published" or self.cursor.get("moderated")):
                        listing.broken = True
                    break
                threads, raws = self._read(items, status)
                _note(at, items, status)
                if listing:
                    listing.add(threads, raws)
                is_last = not at["token"]
                if is_last:
                    # The cheap walk goes on from here.
                    _settle(self._state(target, status), at)
                    at["step"] = step + 1
                yield self._page(raws)
                if is_last:
                    break
            for name in PASS:
                at.pop(name, None)

    def _state(self, target: dict[str, str], status: str) -> dict[str, Any]:
        """What the cheap walk remembers of one listing."""
        name = f"{next(iter(target.values()))}:{status}"
        state: dict[str, Any] = self.cursor.setdefault("new", {}).setdefault(name, {})
        return state


def _is_known(thread: Any, known: dict[str, str]) -> bool:
    mark = thread_mark(thread)
    return bool(mark) and known.get(_id(thread)) == mark


def _note(at: dict[str, Any], items: list[Any], status: str) -> str | None:
    """Adds a page to what is remembered of a pass; gives the time of its oldest thread."""
    times = [time for time in map(thread_time, items) if time]
    at["pages"] = at.get("pages", 0) + 1
    at["peak"] = max([at.get("peak", ""), *times])
    if at["pages"] <= WATCHED[status]:
        marks = {_id(one): thread_mark(one) for one in items}
        at["fresh"] = {**at.get("fresh", {}), **{id_: mark for id_, mark in marks.items() if mark}}
    return min(times, default=None)


def _settle(state: dict[str, Any], at: dict[str, Any]) -> None:
    """A pass that came to its end is what the next one begins from."""
    horizon = max(state.get("horizon") or "", at["peak"])
    fresh = at.get("fresh", {})
    for name in PASS:
        at.pop(name, None)
    state.clear()
    state.update(horizon=horizon or None, known=fresh)


class _Listing:
    """What stands in each container, gathered over all pages of one target."""

    def __init__(self) -> None:
        self.broken = False
        self._ids: dict[str, set[str]] = {}
        self._doubted: set[str] = set()

    def add(self, threads: list[Thread], raws: tuple[Raw, ...]) -> None:
        self.broken = self.broken or any(raw.kind == "broken" for raw in raws)
        for thread in threads:
            standing = self._ids.setdefault(thread.container, set())
            standing.update(one["id"] for one in thread.comments if is_comment(one))
            if not thread.whole:
                self._doubted.add(thread.container)

    def complete(self, places: list[str]) -> dict[str, frozenset[str]]:
        """Container → every id that stands there; a container with any doubt is left out."""
        if self.broken:
            return {}
        named = {*places, *self._ids} - self._doubted
        return {place: frozenset(self._ids.get(place, ())) for place in named}
