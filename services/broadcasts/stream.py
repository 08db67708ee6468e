"""What the desk of one broadcast shows: the stream of its chats, the questions that wait, and its books."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from collectors import channel_class
from collectors.base import ActKind
from models import (
    Act,
    Author,
    Broadcast,
    BroadcastIncident,
    BroadcastMention,
    BroadcastPlace,
    BroadcastQuestion,
    Message,
    Source,
    Staff,
    Tape,
    utc_now,
)
from services.broadcasts.incidents import incidents_of, rumours
from services.broadcasts.places import places_of, publications_of, second_of_message
from services.broadcasts.questions import may_answer
from services.broadcasts.schedule import checks_of, get_broadcast
from services.broadcasts.states import ON_AIR, SETTLED
from services.errors import Refused
from services.lemmas import index
from services.rights import Actor

PAGE = 200
LATE_SECONDS, WARN_SECONDS = 600, 480
"""domain.md §6.6, class LIVE: a question of a chat waits ten minutes at most while on air; at 80 % it warns."""
ALIKE = 0.5
MOST_COLUMN = 200


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the stream."""

    id: int
    second: int
    at: datetime
    author: str
    text: str
    platform: str
    ours: bool
    gone: bool
    question_id: int | None
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """One open question; ``age`` in seconds of the broadcast, ``like``: an earlier one of nearly the same."""

    question: BroadcastQuestion
    text: str
    author: str
    platform: str
    url: str | None
    age: int
    joined: int
    holder: str
    can_answer: bool
    can_hide: bool
    like: int | None = None

    @property
    def tone(self) -> str:
        return "bad" if self.age >= LATE_SECONDS else "warn" if self.age >= WARN_SECONDS else ""


@dataclass(frozen=True, slots=True)
class Settled:
    """A question that has its end, for the list below the column."""

    question: BroadcastQuestion
    text: str
    author: str
    staff: str
    act: Act | None


@dataclass(frozen=True, slots=True)
class Books:
    """asked = aloud + chat + routed + carried + dismissed + open; balanced when nothing is open."""

    messages: int = 0
    asked: int = 0
    open: int = 0
    ends: Mapping[str, int] = field(default_factory=dict)

    @property
    def balanced(self) -> bool:
        return self.open == 0 and self.asked == sum(self.ends.values())


@dataclass(frozen=True, slots=True)
class View:
    """The whole desk but its stream."""

    broadcast: Broadcast
    places: tuple[BroadcastPlace, ...]
    second: int
    waiting: tuple[Waiting, ...]
    settled: tuple[Settled, ...]
    books: Books
    incidents: tuple[BroadcastIncident, ...]
    rumours: Mapping[str, int]
    checks: Mapping[str, bool]
    tape: Tape | None
    watcher: str
    unread: int
    """So much was said and is not looked at yet: the classifier is being trained, or is a moment behind."""

    @property
    def dropped_at(self) -> datetime | None:
        """When the stream broke off, while it is on air all the same and may come back."""
        ends = [place.ended_at for place in self.places if place.chat is not None]
        known = [at for at in ends if at is not None]
        return max(known) if self.broadcast.state == ON_AIR and known and len(known) == len(ends) else None


def books_of(session: Session, broadcast_id: int) -> Books:
    """Counted anew from the rows at every call: nothing is kept that could differ from them."""
    query = (
        select(BroadcastQuestion.state, func.count())
        .where(BroadcastQuestion.broadcast_id == broadcast_id)
        .group_by(BroadcastQuestion.state)
    )
    by_state = {row[0]: row[1] for row in session.execute(query)}
    said = session.scalar(
        select(func.count()).select_from(Message).where(
            Message.publication_id.in_(publications_of(session, broadcast_id))
        )
    )  # fmt: skip
    ends = {state: by_state.get(state, 0) for state in SETTLED}
    return Books(said or 0, sum(by_state.values()), by_state.get("open", 0), ends)


def second_now(session: Session, row: Broadcast, now: datetime | None = None) -> int:
    """How far the broadcast is; while a recording plays, how far the recording is."""
    now = now or utc_now()
    tape = tape_of(session, row.id)
    if tape is not None and tape.state != "ready":
        return tape_second(tape, now)
    if row.started_at is None:
        return 0
    return max(0, int(((row.ended_at or now) - row.started_at).total_seconds()))


def tape_of(session: Session, broadcast_id: int) -> Tape | None:
    return session.scalar(select(Tape).where(Tape.broadcast_id == broadcast_id).order_by(Tape.id.desc()).limit(1))


def tape_second(tape: Tape, now: datetime) -> int:
    """The second at which a recording stands."""
    if tape.state == "running" and tape.clock_at is not None:
        return int(min(tape.seconds, tape.clock_second + (now - tape.clock_at).total_seconds() * tape.speed))
    return int(tape.clock_second)


def said_after(
    session: Session, actor: Actor, broadcast_id: int, after: int | None = None, limit: int = PAGE
) -> list[Said]:
    """Lines newer than the message ``after``, oldest first; without it the last ones."""
    row = get_broadcast(session, actor, broadcast_id)
    query = (
        select(Message, Author.name, Source.platform)
        .outerjoin(Author, Author.id == Message.author_id)
        .join(Source, Source.id == Message.source_id)
        .where(Message.publication_id.in_(publications_of(session, row.id)))
    )
    if after is None:
        found = list(session.execute(query.order_by(Message.id.desc()).limit(limit)))[::-1]
    else:
        found = list(session.execute(query.where(Message.id > after).order_by(Message.id).limit(limit)))
    ids = [message.id for message, _, _ in found]
    asked = dict(_pairs(session, BroadcastQuestion.message_id, BroadcastQuestion.id, ids))
    troubles = dict(_pairs(session, BroadcastMention.message_id, BroadcastMention.kind, ids))
    return [
        Said(
            message.id, second_of_message(row, message), message.published_at, name or "", message.text,
            str(message.context.get("platform") or platform), message.direction == "out",
            message.state == "deleted", asked.get(message.id), troubles.get(message.id),
        )
        for message, name, platform in found
    ]  # fmt: skip


def _pairs(session: Session, key: Any, value: Any, ids: Sequence[int]) -> list[tuple[int, Any]]:
    rows = session.execute(select(key, value).where(key.in_(ids)))
    return [(row[0], row[1]) for row in rows]


def view_broadcast(session: Session, actor: Actor, broadcast_id: int, now: datetime | None = None) -> View:
    """The desk as it stands; the column has the oldest question first."""
    row = get_broadcast(session, actor, broadcast_id)
    now = now or utc_now()
    second = second_now(session, row, now)
    people = {one.id: one.name for one in session.scalars(select(Staff))}
    return View(
        row, tuple(places_of(session, [row.id]).get(row.id, ())), second,
        _waiting(session, row.id, second, people, now), _settled(session, row.id, people),
        books_of(session, row.id), tuple(incidents_of(session, row.id)), rumours(session, row, second),
        {code: check.passed for code, check in checks_of(session, row.id).items()}, tape_of(session, row.id),
        people.get(row.staff_id or 0, ""), _unread(session, row.id),
    )  # fmt: skip


def _unread(session: Session, broadcast_id: int) -> int:
    query = select(func.count()).select_from(Message).where(
        Message.publication_id.in_(publications_of(session, broadcast_id)), Message.work == "live"
    )  # fmt: skip
    return session.scalar(query) or 0


def _waiting(
    session: Session, broadcast_id: int, second: int, people: Mapping[int, str], now: datetime
) -> tuple[Waiting, ...]:
    query = (
        select(BroadcastQuestion, Message, Author.name, Source)
        .join(Message, Message.id == BroadcastQuestion.message_id)
        .outerjoin(Author, Author.id == Message.author_id)
        .join(Source, Source.id == Message.source_id)
        .where(BroadcastQuestion.broadcast_id == broadcast_id, BroadcastQuestion.state == "open")
        .order_by(BroadcastQuestion.urgent.desc(), BroadcastQuestion.second, BroadcastQuestion.id)
    )
    rows = list(session.execute(query.limit(MOST_COLUMN * 2)))
    joined: dict[int, int] = {}
    for question, *_ in rows:
        if question.into_id is not None:
            joined[question.into_id] = joined.get(question.into_id, 0) + 1
    heads = [one for one in rows if one[0].into_id is None][:MOST_COLUMN]
    like = _alike([(question.id, message.text) for question, message, _, _ in heads])
    return tuple(
        Waiting(
            question, message.text, name or "", str(message.context.get("platform") or source.platform),
            message.url, max(0, second - question.second), joined.get(question.id, 0),
            people.get(question.held_by_id or 0, "") if question.held_until and question.held_until > now else "",
            may_answer(source), _can_hide(source, message), like.get(question.id),
        )
        for question, message, name, source in heads
    )  # fmt: skip


def _can_hide(source: Source, message: Message) -> bool:
    can = channel_class(source.platform).can.acts
    return ActKind.DELETE in can or (ActKind.HIDE in can and not message.context.get("chat"))


def _alike(texts: Sequence[tuple[int, str]]) -> dict[int, int]:
    """question → the earlier one that shares most of its words."""
    found: dict[int, int] = {}
    seen: list[tuple[int, frozenset[str]]] = []
    for question_id, text in texts:
        words = _words(text)
        best = max(seen, key=lambda one: _share(one[1], words), default=None)
        if best is not None and _share(best[1], words) >= ALIKE:
            found[question_id] = best[0]
        else:
            seen.append((question_id, words))
    return found


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0


@lru_cache(maxsize=4096)
def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in index(text).words if len(word) > 2)


def _settled(session: Session, broadcast_id: int, people: Mapping[int, str]) -> tuple[Settled, ...]:
    query = (
        select(BroadcastQuestion, Message.text, Author.name, Act)
        .join(Message, Message.id == BroadcastQuestion.message_id)
        .outerjoin(Author, Author.id == Message.author_id)
        .outerjoin(Act, Act.id == BroadcastQuestion.act_id)
        .where(
            BroadcastQuestion.broadcast_id == broadcast_id, BroadcastQuestion.state != "open",
            BroadcastQuestion.into_id.is_(None),
        )
        .order_by(BroadcastQuestion.settled_at.desc(), BroadcastQuestion.id.desc())
        .limit(50)
    )  # fmt: skip
    return tuple(
        Settled(question, text, name or "", people.get(question.settled_by_id or 0, ""), act)
        for question, text, name, act in session.execute(query)
    )


def read_second(text: str) -> int:
    """«1:02:03», «62:03» or «3723» as seconds; raises Refused."""
    parts = text.strip().split(":")
    if not 1 <= len(parts) <= 3 or any(not part.isdecimal() or len(part) > 5 for part in parts):
        raise Refused("question.second")
    total = 0
    for part in parts:
        total = total * 60 + int(part)
    return total
