"""How far back a place's history is kept: what is older stands on the platform and is left there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import Session

from collectors.base import Incoming
from models import Message, RawItem, Source, utc_now
from services.errors import NotFound, Refused
from services.events import record
from services.rights import Actor, require
from services.settings.places import keeping_place

OLDER = "older"
"""State of a raw that is understood and lies beyond the depth: no message is made of it."""
DEPTHS: Mapping[str, timedelta | None] = {
    "all": None, "year": timedelta(days=365), "quarter": timedelta(days=91), "month": timedelta(days=31),
    "new": timedelta(0),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Progress:
    """A first reading under way. ``share``: 0 … 1 of the chosen depth by the oldest message met, None without one.

    ``rest``: how long it will still take at the pace so far.
    """

    messages: int
    per_minute: float
    reached: datetime | None
    share: float | None
    rest: timedelta | None


def choose_depth(session: Session, actor: Actor, source_id: int, depth: str, now: datetime | None = None) -> Source:
    """Keeps history from ``depth`` before now on. What is held stays; what a deeper choice adds is read by the next
    deep walk. Raises Refused(«source.depth») for a word that is none of DEPTHS."""
    require(actor, "source.edit")
    source = session.get(Source, source_id)
    if source is None:
        raise NotFound("source.unknown", id=source_id)
    if depth not in DEPTHS:
        raise Refused("source.depth", depth=depth)
    if depth == depth_of(source):
        return source  # chosen once: its day does not move with every saving of the form
    now, before = now or utc_now(), source.history_from
    with keeping_place(session, actor, source_id):
        floor = reach_back(source, depth, now)
        if before is not None and (floor is None or floor < before):
            # Known and unchanged would be passed over: without a digest it counts as new when it is met again.
            session.execute(
                update(RawItem).where(RawItem.source_id == source_id, RawItem.state == OLDER).values(digest="")
            )
            source.deep_due_at = now
    record(session, "source.depth", actor, object_id=source_id, depth=depth)
    return source


def reach_back(source: Source, depth: str, now: datetime) -> datetime | None:
    """Sets how far back a place goes and returns the day; raises Refused for a word that is none of DEPTHS."""
    if depth not in DEPTHS:
        raise Refused("source.depth", depth=depth)
    length = DEPTHS[depth]
    source.history_from, source.history = None if length is None else now - length, {"depth": depth}
    return source.history_from


def depth_of(source: Source) -> str:
    """The word of DEPTHS that was chosen for the place."""
    return str((source.history or {}).get("depth", "all"))


def beyond(session: Session, source: Source, said: Iterable[tuple[int, Sequence[Incoming]]]) -> frozenset[int]:
    """Ids of the raws whose messages are all older than the place's history goes and are not held yet."""
    floor = source.history_from
    if floor is None:
        return frozenset()
    old = {raw_id: items for raw_id, items in said if items and all(one.published_at < floor for one in items)}
    if not old:
        return frozenset()
    keys = [(one.container, one.external_id) for items in old.values() for one in items]
    there = select(Message.container, Message.external_id).where(
        Message.source_id == source.id, tuple_(Message.container, Message.external_id).in_(keys)
    )
    held = {(container, external_id) for container, external_id in session.execute(there)}
    return frozenset(
        raw_id for raw_id, items in old.items()
        if not any((one.container, one.external_id) in held for one in items)
    )  # fmt: skip


def left_there(session: Session, source_id: int, container: str, ids: frozenset[str]) -> int:
    """How many of ``ids`` are known to be older than what is kept."""
    if not session.scalar(select(Source.history_from).where(Source.id == source_id)):
        return 0
    older = select(RawItem.external_id).where(
        RawItem.source_id == source_id, RawItem.container == container, RawItem.state == OLDER
    )
    return len(ids & set(session.scalars(older)))


def progress_of(session: Session, source: Source, messages: int, now: datetime | None = None) -> Progress:
    """How a first reading goes, by what it has brought."""
    now = now or utc_now()
    passed = max(now - source.created_at, timedelta(seconds=1))
    reached = session.scalar(select(func.min(Message.published_at)).where(Message.source_id == source.id))
    share = rest = None
    if source.history_from is not None and reached is not None:
        whole = (source.created_at - source.history_from).total_seconds()
        done = (source.created_at - reached).total_seconds()
        share = min(1.0, max(0.0, done / whole)) if whole > 0 else 1.0
        if 0 < share < 1:
            rest = passed * ((1 - share) / share)
    return Progress(messages, messages / (passed.total_seconds() / 60), reached, share, rest)
