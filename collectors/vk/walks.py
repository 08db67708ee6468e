"""How a VK community is read: what changed often and cheaply, all of it seldom and to the end."""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from collectors.base import ChannelError, Cursor, Page, Raw, Walk
from collectors.vk.events import LongPoll
from collectors.vk.items import Place, message_id
from collectors.vk.reader import MALFORMED, PAGE, PASSED, SHELVES, Reader, conversation_peer

OVERLAP = 600
"""Seconds: a message may show up in a listing somewhat after its own time."""
COUNTS = 2000
PEERS = 200
ROUNDS = 5
AT_ONCE = frozenset({"network", "server", "rate"})
"""Failures that the other parts of a walk would meet too."""


class Walking:
    """One walk.

    cursor: counts = {kind: {id: comments when last read}}, photos = newest comments seen, messages = {horizon =
    time up to which all is read, peers = {peer: [last message, its time]}, at = the walk under way}, new, deep
    and backfill = {of, inside; part, list, done, peers, top} of a walk under way.
    """

    def __init__(self, reader: Reader, walk: Walk, cursor: Cursor) -> None:
        self.reader = reader
        self.settings = reader.api.settings
        self.walk = walk
        self.cursor: Cursor = copy.deepcopy(cursor)
        self._at: dict[str, Any] = self.cursor.setdefault(walk.value, {})

    def pages(self) -> Iterator[Page]:
        """All parts that a token is there for; one that fails by itself leaves the others their turn."""
        parts = [kind for kind, shelf in SHELVES.items() if self.reader.api.can(shelf.listing)]
        if self.reader.api.can("messages.getConversations"):
            parts.append("messages")
        if self.settings.long_poll and self.reader.api.can("groups.getLongPollServer"):
            if self.walk is Walk.NEW:
                parts.append("events")
            elif "events" not in self.cursor:
                yield from LongPoll(self.reader, self.cursor).pages()  # what comes during a long walk is not missed
        if not parts:
            raise ChannelError("no token is set", code="settings", permanent=True)
        failed: list[ChannelError] = []
        for name in self._left(parts):
            try:
                yield from self._part(name)
            except ChannelError as error:
                if error.code in AT_ONCE:
                    raise
                failed.append(error)
        own = [error for error in failed if error.code not in PASSED]
        if own or len(failed) == len(parts):
            raise (own or failed)[0]
        self._at.clear()
        yield self._page([], complete=True)

    def _left(self, parts: list[str]) -> Iterator[str]:
        """The parts still to be read: NEW asks each time for all of them, a long walk goes on where it was."""
        if self.walk is Walk.NEW:
            yield from parts
            return
        if self._at.get("part") not in parts:
            self._at.clear()
        for name in parts[parts.index(self._at["part"]) if self._at else 0 :]:
            if self._at.get("part") != name:
                self._at.clear()
                self._at["part"] = name
            yield name

    def _part(self, name: str) -> Iterator[Page]:
        is_new = self.walk is Walk.NEW
        if name == "events":
            return LongPoll(self.reader, self.cursor).pages()
        if name == "messages":
            return self._messages(self.cursor.setdefault("messages", {})) if is_new else self._all_messages()
        if name == "photo":
            return self._new_photos() if is_new else self._all_photos()
        return self._new_places(name) if is_new else self._all_places(name)

    def _page(self, raws: list[Raw], complete: bool = False, listed: Any = None) -> Page:
        return Page(tuple(raws), copy.deepcopy(self.cursor), complete, listed or {})

    # Posts and videos

    def _counts(self, kind: str) -> dict[str, int]:
        counts: dict[str, int] = self.cursor.setdefault("counts", {}).setdefault(kind, {})
        return counts

    def _new_places(self, kind: str) -> Iterator[Page]:
        """Reads the newest places whose number of comments is not the one of the last time."""
        left, known = self.settings.watch_posts, self._counts(kind)
        for places, _ in self.reader.places(kind, min(PAGE, left)):
            for place in places:
                if place.count is not None and known.get(str(place.id), 0) != place.count:
                    yield from self._read(place)
            left -= len(places)
            if left <= 0:
                return

    def _all_places(self, kind: str) -> Iterator[Page]:
        """Reads every place that has comments or had some."""
        known = self._counts(kind)
        for places, step in self.reader.places(kind, PAGE, self._at.get("list")):
            self._at["list"] = step.before
            done = self._at.setdefault("done", [])
            for place in places:
                if place.id not in done and (place.count != 0 or str(place.id) in known):
                    yield from self._read(place)
            self._at.update(list=step.after, done=[])

    def _read(self, place: Place) -> Iterator[Page]:
        """All comments of one place, and its complete listing when it was read in one go and the numbers agree."""
        # With another number of comments a late reply may stand before the place where the last walk ended.
        of = [place.container, place.count]
        at = self._at.pop("inside", None) if self._at.get("of") == of else None
        standing: set[str] | None = None if at else set()
        whole = True
        try:
            for page in self.reader.comments(place, at):
                raws = self.reader.raws(place, page)
                whole = whole and page.whole
                if standing is not None:
                    standing.update(raw.external_id for raw in raws)
                if page.step.is_last:
                    self._close(place, len(standing) if standing is not None else 1)
                else:
                    self._at.update(of=of, inside=page.step.after)
                listed = None
                if page.step.is_last and standing is not None and whole and page.step.whole:
                    listed = {place.container: frozenset(standing)}
                yield self._page(raws, listed=listed)
        except ChannelError as error:
            if error.code not in PASSED:
                raise
            # A post with closed comments is not read again before its number changes.
            self._close(place, 0)

    def _close(self, place: Place, read: int) -> None:
        """Remembers VK's number of comments, or how many were read where VK tells none."""
        self._at.pop("of", None)
        self._at.pop("inside", None)
        if self.walk is not Walk.NEW:
            self._at.setdefault("done", []).append(place.id)
        counts = self._counts(place.kind)
        counts[str(place.id)] = read if place.count is None else place.count
        if not counts[str(place.id)]:
            del counts[str(place.id)]
        for id_ in sorted(counts, key=int)[:-COUNTS]:
            del counts[id_]

    # Photos: the number of a photo's newest comment stands for their count, which VK does not tell here.

    def _new_photos(self) -> Iterator[Page]:
        """Reads the photos under which something new was written."""
        seen = set(self.cursor.get("photos", []))
        newest: list[Any] = []
        changed: dict[int, int | None] = {}
        for step in self.reader.photo_comments():
            comments = _numbered(step.items)
            newest = newest or [one["id"] for one in comments]
            changed = _photos(one for one in comments if one["id"] not in seen) | changed
            if any(one["id"] in seen for one in comments):
                break
        known = self._counts("photo")
        yield from self._read_photos({id_: last for id_, last in changed.items() if known.get(str(id_)) != last})
        if self.cursor.get("photos") != newest:
            self.cursor["photos"] = newest
            yield self._page([])

    def _all_photos(self) -> Iterator[Page]:
        """Reads every photo with comments, or with comments when it was last read."""
        newest: list[Any] = []
        found: dict[int, int | None] = {}
        for step in self.reader.photo_comments():
            comments = _numbered(step.items)
            newest = newest or [one["id"] for one in comments]
            found = _photos(comments) | found
        done, known = self._at.get("done", []), self._counts("photo")
        found = dict.fromkeys(int(id_) for id_ in known) | found
        left = {id_: last for id_, last in found.items() if id_ not in done or known.get(str(id_)) != last}
        yield from self._read_photos(left)
        self.cursor["photos"] = newest

    def _read_photos(self, newest: dict[int, int | None]) -> Iterator[Page]:
        ids = list(newest)
        for start in range(0, len(ids), PAGE):
            for place in self.reader.photos(ids[start : start + PAGE]):
                yield from self._read(replace(place, count=newest[place.id]))

    # Messages

    def _messages(self, state: dict[str, Any]) -> Iterator[Page]:
        """Reads what was written since the last time; never read means all of every dialogue."""
        horizon = state.get("horizon") or 0
        floor = max(0, horizon - OVERLAP)
        done, at = state.setdefault("peers", {}), state.setdefault("at", {})
        for entry in self._talks(at, floor, done):
            yield from self._history(entry, floor, done, at)
        _settle(state, at, done)
        state["at"] = {}
        yield self._page([])

    def _all_messages(self) -> Iterator[Page]:
        done = self._at.setdefault("peers", {})
        for entry in self._talks(self._at, 0, done):
            yield from self._history(entry, 0, done, self._at)
        # The cheap walk goes on from here.
        _settle(self.cursor.setdefault("messages", {}), self._at, done)

    def _talks(self, at: dict[str, Any], floor: int, done: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Dialogues spoken in since ``floor`` that are not in ``done`` as they stand; the caller puts them there.

        A dialogue that is spoken in while the list is read moves to its top, past the reader: so the top is read
        again until nothing there is new.
        """
        since = floor
        for _ in range(ROUNDS):
            from_top, read, pages = not at.get("list"), 0, 0
            following = at.get("top", 0)
            for step in self.reader.conversations(at.get("list")):
                pages += 1
                times = [last[1] for last in map(_last, step.items) if last[1]]
                if not step.before:
                    at["top"] = following = max(times, default=0)
                at["list"] = step.before
                for entry in step.items:
                    last = _last(entry)
                    if last[1] >= since and done.get(str(conversation_peer(entry))) != last:
                        read += 1
                        yield entry
                at["list"] = step.after
                if times and min(times) < since:
                    break
            at.pop("list", None)
            since = following
            if from_top and (pages <= 1 or not read):
                at["settled"] = True
                return

    def _history(self, entry: Any, floor: int, done: dict[str, Any], at: dict[str, Any]) -> Iterator[Page]:
        """Messages of one dialogue, newest first, down to ``floor``."""
        peer, last = self.reader.peer(entry), _last(entry)
        inside = at.pop("inside", None) if at.get("of") == [peer["id"], last] else None
        standing: set[str] = set()
        try:
            for step in self.reader.history(peer["id"], inside):
                raws = self.reader.message_raws(peer, step.items)
                standing.update(raw.external_id for raw in raws)
                listed = {f"peer{peer['id']}": frozenset(standing)} if step.whole else None
                times = [one.get("date") or 0 for one in step.items if isinstance(one, dict)]
                is_last = step.is_last or (floor > 0 and bool(times) and min(times) < floor)
                if is_last:
                    _close_talk(peer["id"], last, done, at)
                else:
                    at.update(of=[peer["id"], last], inside=step.after)
                yield self._page(raws, listed=listed)
                if is_last:
                    return
        except ChannelError as error:
            if error.code not in PASSED:
                raise
            _close_talk(peer["id"], last, done, at)


def _close_talk(peer: int, last: list[Any], done: dict[str, Any], at: dict[str, Any]) -> None:
    """Remembers a dialogue as read up to its last message; the latest ones only."""
    at.pop("of", None)
    at.pop("inside", None)
    done.pop(str(peer), None)
    done[str(peer)] = last
    for old in list(done)[:-PEERS]:
        del done[old]


def _settle(state: dict[str, Any], at: dict[str, Any], done: dict[str, Any]) -> None:
    """A walk over all dialogues that came to its end is what the next one begins from."""
    if at.get("settled"):
        state["horizon"] = max(at["top"], state.get("horizon") or 0)
        state["peers"] = {peer: last for peer, last in done.items() if last[1] >= state["horizon"] - OVERLAP}


def _numbered(comments: list[Any]) -> list[dict[str, Any]]:
    return [one for one in comments if isinstance(one, dict) and isinstance(one.get("id"), int)]


def _photos(comments: Iterable[dict[str, Any]]) -> dict[int, int | None]:
    """Photo → its newest comment, of comments that stand newest first."""
    found: dict[int, int | None] = {}
    for one in comments:
        photo = one.get("pid") or one.get("photo_id")
        if isinstance(photo, int):
            found.setdefault(photo, one["id"])
    return found


def _last(entry: Any) -> list[Any]:
    """[identity, time] of a dialogue's last message."""
    try:
        message = entry["last_message"]
        return [message_id(message), int(message["date"])]
    except MALFORMED:
        return ["", 0]
