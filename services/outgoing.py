"""«Исходящие» as people read it: each act not yet proven, with whom it is for and what stands there now."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Act, Author, Base, Case, Message, Publication, Source, Staff
from services.inbox import Entry, view_case
from services.outbox import unproven
from services.pacing import Forecast, forecasts
from services.rights import Actor

T = TypeVar("T", bound=Base)
MOST_NOW = 8


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
    acts = unproven(session, actor)
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
