"""What the sandbox's page shows: publications with their numbers, threads with names, marks and order."""

import html
import re
import zlib
from dataclasses import dataclass

from sandbox.files import File, files_of
from sandbox.ground import store
from sandbox.store import Item, Person, Publication

TONES = 8
_TAG = re.compile(r"</?\w[^>]*>")
DELETED_NAME = "Удалённый автор"


@dataclass(frozen=True, slots=True)
class Shown:
    """One comment for the page; ``to`` is the name of the one answered when that is not the head of the thread."""

    item: Item
    name: str
    initials: str
    tone: int
    to: str
    deleted: bool = False
    held: bool = False
    files: tuple[File, ...] = ()

    @property
    def text(self) -> str:
        """What a reader sees: an answer to the blog arrives as HTML, everything else as it was typed."""
        if self.item.platform == "wordpress" and self.item.ours:
            return html.unescape(_TAG.sub("", self.item.text))
        return self.item.text


@dataclass(frozen=True, slots=True)
class Place:
    """One publication in the list, with the number of comments standing there and the time of the last one."""

    publication: Publication
    count: int
    last: float


def places(platform: str) -> list[Place]:
    """Publications first, private dialogues after them, each part with the newest first."""
    sql = (
        "SELECT kind, publication, count(*) AS n, max(at) AS last FROM items"
        " WHERE platform = ? AND state = 'published' GROUP BY kind, publication"
    )
    counts = {
        (row["kind"], row["publication"]): (int(row["n"]), float(row["last"]))
        for row in store().rows(sql, (platform,))
    }
    found = []
    for one in store().publications(platform):
        count, last = counts.get((one.kind, one.id), (0, one.at))
        if one.kind != "dialog" or count:
            found.append(Place(one, count, last))
    return sorted(found, key=lambda place: (place.publication.kind in ("chat", "dialog"), -_rank(place)))


def _rank(place: Place) -> float:
    return place.last if place.publication.kind == "dialog" else place.publication.at


def liveliest(platform: str) -> Publication | None:
    """The public place that was written to last; of a messenger, which has none, the group."""
    written = [place for place in places(platform) if place.publication.kind != "dialog" and place.count]
    public = [place for place in written if place.publication.kind != "chat"] or written
    return max(public, key=lambda place: place.last).publication if public else None


def threads(publication: Publication) -> list[tuple[Shown, list[Shown]]]:
    """Heads with their replies: newest head first, replies in order; a dialogue runs downwards."""
    where = "platform = ? AND kind = ? AND publication = ? AND state IN ('published', 'held', 'deleted', 'trash')"
    items = store().items(where, (publication.platform, publication.kind, publication.id))
    known = {item.id: item for item in items}
    replies: dict[str, list[Item]] = {}
    heads = []
    for item in items:
        root = item.root or (item.parent if publication.kind == "photo" else None)
        if root and root in known and publication.kind != "dialog":
            replies.setdefault(_head(root, known), []).append(item)
        else:
            heads.append(item)
    # One query for everybody would be faster, but a thread of the school is some dozens of people.
    people = {author: store().person(publication.platform, author) for author in {item.author for item in items}}
    found = []
    for head in heads if publication.kind == "dialog" else reversed(heads):
        under = [_shown(one, people, known, head.id) for one in replies.get(head.id, []) if _stands(one)]
        if _stands(head) or under:
            found.append((_shown(head, people, known, None), under))
    return found


def _head(id_: str, known: dict[str, Item]) -> str:
    """The head of a chain of answers where the platform keeps no threads of its own."""
    for _ in range(len(known)):
        parent = known[id_].root or known[id_].parent
        if not parent or parent not in known:
            break
        id_ = parent
    return id_


def _stands(item: Item) -> bool:
    return item.state in ("published", "held")


def _shown(item: Item, people: dict[str, Person], known: dict[str, Item], head: str | None) -> Shown:
    name = people[item.author].name or DELETED_NAME
    to = known.get(item.parent) if item.parent and item.parent != head else None
    words = [word for word in name.lstrip("@").replace("_", " ").replace(".", " ").split() if word[0].isalnum()]
    initials = "".join(word[0] for word in words[:2]).upper() or "?"
    tone = zlib.crc32(item.author.encode()) % TONES
    answered_name = people[to.author].name if to is not None else ""
    hung = tuple(files_of(item))
    return Shown(item, name, initials, tone, answered_name, not _stands(item), item.state == "held", hung)


def answered(publication: Publication | None, id_: str) -> Shown | None:
    """The comment the form answers, when it stands under this publication."""
    if publication is None or not id_:
        return None
    for head, replies in threads(publication):
        for shown in (head, *replies):
            if shown.item.id == id_ and not shown.deleted:
                return shown
    return None
