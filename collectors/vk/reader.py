"""Asks VK for places, comments and messages, page by page, and learns people's names on the way."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from collectors.base import ChannelError, Raw
from collectors.vk.api import Api
from collectors.vk.items import Place, broken_raw, comment_raw, message_id, message_raw, place
from collectors.vk.listing import Step, steps

PAGE = 100
INLINE = 10
"""As many replies of a thread as VK gives beside its first comment."""
HISTORY = 200
DIALOGUES = 20

PASSED = frozenset({"closed", "gone", "rights", "unsupported", "invalid"})
"""Failures of one place that say nothing about the others."""
MALFORMED = (KeyError, TypeError, AttributeError, ValueError)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where places of one kind stand and how their comments are asked for."""

    listing: str
    comments: str
    parameter: str
    has_threads: bool


SHELVES = {
    "wall": Shelf("wall.get", "wall.getComments", "post_id", True),
    "video": Shelf("video.get", "video.getComments", "video_id", True),
    "photo": Shelf("photos.getAllComments", "photos.getComments", "photo_id", False),
}


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment as VK gave it; ``root`` is the first of its thread, None for one itself."""

    item: dict[str, Any]
    root: int | None


@dataclass(frozen=True, slots=True)
class Comments:
    """One page of a place's comments, its threads read to their ends; ``whole`` if every thread was."""

    found: list[Comment]
    broken: list[Any]
    step: Step
    whole: bool


class Reader:
    """What one walk or one look-up asks for; names live as long as it does."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.group = api.settings.group_id
        self._names: dict[int, str] = {}

    # Places

    def places(self, kind: str, size: int, at: dict[str, Any] | None = None) -> Iterator[tuple[list[Place], Step]]:
        """Posts or videos, newest first (a pinned post before all), with the number of their comments."""

        def fetch(offset: int) -> tuple[list[Any], int | None]:
            answer = self.api.call(SHELVES[kind].listing, owner_id=-self.group, count=size, offset=offset)
            return _level(answer)

        for step in steps(fetch, size, _key, at):
            # The videos of a community may belong to others; their comments do too.
            own = [one for one in step.items if _id(one) and one.get("owner_id", -self.group) == -self.group]
            yield [place(kind, -self.group, one) for one in own], step

    def photo_comments(self, at: dict[str, Any] | None = None) -> Iterator[Step]:
        """Comments under all photos, newest first and without names: they only tell which photos to read."""

        def fetch(offset: int) -> tuple[list[Any], int | None]:
            answer = self.api.call("photos.getAllComments", owner_id=-self.group, count=PAGE, offset=offset)
            return _level(answer)

        return steps(fetch, PAGE, _key, at)

    def photos(self, ids: list[int]) -> list[Place]:
        """The photos with their captions; without them when VK does not give them."""
        told: dict[int, Any] = {}
        names = ",".join(f"{-self.group}_{id_}" for id_ in ids)
        try:
            answer = self.api.call("photos.getById", photos=names) if ids else []
            told = {one["id"]: one for one in answer if _id(one)}
        except ChannelError as error:
            if error.code not in PASSED:
                raise
        return [place("photo", -self.group, {"id": id_, **told.get(id_, {})}) for id_ in ids]

    # Comments

    def comments(self, where: Place, at: dict[str, Any] | None = None) -> Iterator[Comments]:
        """A place's comments with all replies, oldest first."""
        for step in steps(self._ask(where, None), PAGE, _key, at):
            found: list[Comment] = []
            broken: list[Any] = []
            whole = True
            for item in step.items:
                if not _id(item):
                    broken.append(item)
                    continue
                found.append(Comment(item, None))
                replies, lost, complete = self._thread(where, item)
                found += [Comment(one, item["id"]) for one in replies]
                broken += lost
                whole = whole and complete
            yield Comments(found, broken, step, whole and not broken)

    def replies(self, where: Place, root: int) -> Iterator[Step]:
        """The replies of one thread, oldest first."""
        return steps(self._ask(where, root), PAGE, _key)

    def _thread(self, where: Place, top: dict[str, Any]) -> tuple[list[Any], list[Any], bool]:
        """(replies, what is none, whether all were read)"""
        thread = top.get("thread")
        if not isinstance(thread, dict):
            return [], [], True
        shown, count = thread.get("items") or [], thread.get("count") or 0
        if count > len(shown):
            try:
                for step in self.replies(where, top["id"]):
                    shown = [*shown, *step.items]
            except ChannelError as error:
                if error.code not in PASSED:
                    raise
        replies = {_id(one): one for one in shown if _id(one)}
        broken = [one for one in shown if not _id(one)]
        return list(replies.values()), broken, len(replies) >= count

    def _ask(self, where: Place, root: int | None) -> Callable[[int], tuple[list[Any], int | None]]:
        shelf = SHELVES[where.kind]
        asked: dict[str, Any] = {"owner_id": where.owner, shelf.parameter: where.id, "sort": "asc", "extended": 1}
        if where.kind == "wall":
            asked["preview_length"] = 0  # VK cuts texts unasked
        if root is not None:
            asked["comment_id"] = root
        elif shelf.has_threads:
            asked["thread_items_count"] = INLINE

        def fetch(offset: int) -> tuple[list[Any], int | None]:
            answer = self.api.call(shelf.comments, count=PAGE, offset=offset, **asked)
            self._learn(answer)
            return _level(answer)

        return fetch

    def raws(self, where: Place, page: Comments) -> list[Raw]:
        """The raws of one page, broken items among them."""
        raws = [self._comment_raw(where, one) for one in page.found]
        return raws + [self._broken(where.container, one) for one in page.broken]

    def _comment_raw(self, where: Place, one: Comment) -> Raw:
        try:
            return comment_raw(one.item, where, one.root, self._names.get(one.item.get("from_id") or 0), self.group)
        except MALFORMED:
            return self._broken(where.container, one.item)

    def _broken(self, container: str, item: Any) -> Raw:
        probe = broken_raw(container, item, "")
        return broken_raw(container, item, f"broken:{probe.digest[:16]}")

    # Messages

    def conversations(self, at: dict[str, Any] | None = None) -> Iterator[Step]:
        """Dialogues of the community, the latest spoken in first."""

        def fetch(offset: int) -> tuple[list[Any], int | None]:
            answer = self.api.call("messages.getConversations", count=DIALOGUES, offset=offset, extended=1)
            self._learn(answer)
            return _level(answer)

        return steps(fetch, DIALOGUES, conversation_peer, at)

    def history(self, peer: int, at: dict[str, Any] | None = None) -> Iterator[Step]:
        """Messages of one dialogue, newest first."""

        def fetch(offset: int) -> tuple[list[Any], int | None]:
            answer = self.api.call("messages.getHistory", peer_id=peer, count=HISTORY, offset=offset, extended=1)
            self._learn(answer)
            return _level(answer)

        return steps(fetch, HISTORY, _message_key, at)

    def peer(self, entry: dict[str, Any]) -> dict[str, Any]:
        """{"id", "title"} of a dialogue: the person's name, or the title of a chat."""
        id_ = conversation_peer(entry)
        chat = entry["conversation"].get("chat_settings")
        title = chat.get("title") if isinstance(chat, dict) else None
        return {"id": id_, "title": title or self._names.get(id_) or f"id{id_}"}

    def message_raws(self, peer: dict[str, Any], items: list[Any]) -> list[Raw]:
        return [self._message_raw(peer, item) for item in items]

    def _message_raw(self, peer: dict[str, Any], item: Any) -> Raw:
        try:
            return message_raw(item, peer, self._names.get(item.get("from_id") or 0), self.group)
        except MALFORMED:
            return self._broken(f"peer{peer['id']}", item)

    def name_of(self, id_: int) -> str:
        """A name asked for by itself, since events tell none; "" where VK does not say it now."""
        if id_ not in self._names:
            try:
                if id_ > 0:
                    self._learn({"profiles": self.api.call("users.get", user_ids=id_)})
                elif id_ < 0:
                    self._learn(self.api.call("groups.getById", group_id=-id_))
            except ChannelError:
                return ""  # the event counts more than the name, which polling brings
        return self._names.get(id_, "")

    def _learn(self, answer: Any) -> None:
        for person in _dicts(answer, "profiles"):
            name = f"{person.get('first_name') or ''} {person.get('last_name') or ''}".strip()
            self._names[person.get("id", 0)] = name
        for group in _dicts(answer, "groups"):
            self._names[-group.get("id", 0)] = str(group.get("name") or "")


def _dicts(answer: Any, name: str) -> list[dict[str, Any]]:
    return [one for one in answer.get(name) or [] if isinstance(one, dict) and isinstance(one.get("id"), int)]


def _level(answer: Any) -> tuple[list[Any], int | None]:
    """The items of a page and how many its level has; ``count`` of comments counts replies too."""
    total = answer.get("current_level_count", answer.get("count"))
    return answer.get("items") or [], total if isinstance(total, int) else None


def _id(item: Any) -> int:
    """The number of a comment, post or photo; 0 for what is none."""
    id_ = item.get("id") if isinstance(item, dict) else None
    return id_ if isinstance(id_, int) else 0


def _key(item: Any) -> Any:
    return _id(item) or repr(item)


def _message_key(item: Any) -> str:
    try:
        return message_id(item)
    except MALFORMED:
        return repr(item)


def conversation_peer(entry: Any) -> int:
    """The peer_id of one entry of getConversations; 0 for what is none."""
    try:
        return int(entry["conversation"]["peer"]["id"])
    except MALFORMED:
        return 0
