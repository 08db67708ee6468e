"""«Исходящие» as people read it: each act not yet proven, with whom it is for and what stands there now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models import Act, Author, Base, Case, Event, Message, Publication, Source, Staff, utc_now
from services.inbox import Entry, view_case
from services.outbox import unproven
from services.pacing import Forecast, forecasts
from services.rights import Actor, require

T = TypeVar("T", bound=Base)
MOST_NOW = 8
SHOWN_AFTER_RETRY = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One act; ``now`` is filled for acts in review: what the platform showed at the last reading."""

    act: Act
    source: Source
    case: Case | None
    author: str
    place: str
    answered: str  # the text that is acted on
    answered_url: str | None
    staff: str | None
    now: tuple[Entry, ...] = ()
    forecast: Forecast | None = None  # where the limits of the platform keep it waiting


def outgoing_rows(session: Session, actor: Actor) -> tuple[Outgoing, ...]:
    """Everything not yet proven, oldest first, with one query a table."""
    return _rows(session, actor, unproven(session, actor))


def gone_after_retry(session: Session, actor: Actor, now: datetime | None = None) -> tuple[Outgoing, ...]:
    """What a person had sent again within half an hour and the platform has taken since, newest first.

    A row that only vanished would not say whether the press has sent it.
    """
    require(actor, "outbox.view")
    pressed = exists().where(
        Event.case_id == Act.case_id, Event.object_id == Act.id, Event.kind == "act.retried",
        Event.staff_id.is_not(None),
    )  # fmt: skip
    since = (now or utc_now()) - SHOWN_AFTER_RETRY  # a press sets ``due_at``
    taken = select(Act).where(Act.state.in_(("accepted", "seen")), Act.due_at >= since, pressed)
    return _rows(session, actor, session.scalars(taken.order_by(Act.due_at.desc(), Act.id.desc()).limit(20)).all())


def _rows(session: Session, actor: Actor, acts: Sequence[Act]) -> tuple[Outgoing, ...]:
    messages = _named(session, Message, (act.message_id for act in acts))
    authors = _named(session, Author, (one.author_id for one in messages.values()))
    places = _named(session, Publication, (one.publication_id for one in messages.values()))
    sources = _named(session, Source, (act.source_id for act in acts))
    cases = _named(session, Case, (act.case_id for act in acts))
    people = _named(session, Staff, (act.staff_id for act in acts))
    waits = forecasts(session, acts)
    rows = []
    for act in acts:
        message = messages.get(act.message_id)
        author = authors.get(message.author_id) if message else None
        place = places.get(message.publication_id) if message else None
        staff = people.get(act.staff_id)
        rows.append(
            Outgoing(
                act=act,
                source=sources[act.source_id],
                case=cases.get(act.case_id),
                author=author.name if author else str(act.target.get("author_name") or ""),
                place=place.title if place else "",
                answered=message.text if message else "",
                answered_url=message.url if message else None,
                staff=staff.name if staff else None,
                now=_standing(session, actor, act, message) if act.state == "review" else (),
                forecast=waits.get(act.id),
            )
        )
    return tuple(rows)


def _named(session: Session, table: type[T], ids: Iterable[int | None]) -> dict[int | None, T]:
    wanted = {key for key in ids if key is not None}
    return {row.id: row for row in session.scalars(select(table).where(table.id.in_(wanted)))} if wanted else {}


def _standing(session: Session, actor: Actor, act: Act, message: Message | None) -> tuple[Entry, ...]:
    """The thread from the message answered on, as it was last read; the newest of it."""
    if act.case_id is None or message is None:
        return ()
    thread = [
        entry
        for entry in view_case(session, actor, act.case_id).thread
        if (entry.message.container, entry.message.thread) == (message.container, message.thread)
        and (entry.message.published_at >= message.published_at or entry.message.id == message.id)
    ]
    return tuple(thread[:1] + thread[1:][-MOST_NOW:])
