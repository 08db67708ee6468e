"""The record of who did what, which screens and histories follow."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Event
from services.rights import Actor


def last_event_id(session: Session) -> int:
    """The id of the newest event, 0 when there is none."""
    return session.scalar(select(func.max(Event.id))) or 0


def events_after(session: Session, event_id: int, limit: int = 500) -> list[Event]:
    """Events newer than ``event_id``, oldest first."""
    return list(session.scalars(select(Event).where(Event.id > event_id).order_by(Event.id).limit(limit)))


def history_of(session: Session, case_id: int) -> list[Event]:
    """All events of a case, oldest first."""
    return list(session.scalars(select(Event).where(Event.case_id == case_id).order_by(Event.id)))


def record(
    session: Session,
    kind: str,
    actor: Actor,
    *,
    case_id: int | None = None,
    object_id: int | None = None,
    **data: Any,
) -> None:
    """Adds one event; ``data`` holds ids and codes only, never what a person wrote."""
    session.add(Event(kind=kind, staff_id=actor.staff_id, case_id=case_id, object_id=object_id, data=data))
