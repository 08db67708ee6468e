"""The record of who did what, which screens and histories follow."""

import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import event, func, select
from sqlalchemy.orm import Session, UOWTransaction

from models import Event
from models.database import Database
from services.rights import Actor

Hearer = Callable[[Session, Sequence[Event]], None]
_HEARERS: list[tuple[frozenset[str], Hearer]] = []
_HEARD = "events to be heard"
CHANNEL = "otklik"
"""Name under which PostgreSQL tells other processes of new events."""


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
    client_id: int | None = None,
    object_id: int | None = None,
    **data: Any,
) -> None:
    """Adds one event; ``data`` holds ids, codes and a platform's words of refusal, never what a person wrote.

    What a person's program did bears the number of its key.
    """
    if actor.key_id is not None:
        data["api_key"] = actor.key_id
    session.add(
        Event(
            kind=kind,
            staff_id=actor.staff_id,
            case_id=case_id,
            client_id=client_id,
            object_id=object_id,
            data=data,
        )
    )
    if session.get_bind().dialect.name == "postgresql" and not session.info.get("notified"):
        # PostgreSQL delivers it at the commit and once a transaction, to every process that listens.
        session.info["notified"] = True
        session.connection().exec_driver_sql(f"NOTIFY {CHANNEL}")  # by the session it would flush each event alone


def hear(kinds: Collection[str], hearer: Hearer) -> None:
    """From now on ``hearer`` is given the new events of these kinds, before the transaction that recorded them is
    committed: what follows from an act cannot be forgotten by whoever does it."""
    _HEARERS.append((frozenset(kinds), hearer))


@event.listens_for(Session, "after_flush")
def _note_events(session: Session, _context: UOWTransaction) -> None:
    new = [row for row in session.new if isinstance(row, Event)]
    if new:
        session.info.setdefault(_HEARD, []).extend(new)


@event.listens_for(Session, "after_rollback")
def _forget_events(session: Session) -> None:
    if not session.in_nested_transaction():  # of a savepoint the rows alone are gone, and what was before it stands
        session.info.pop(_HEARD, None)


@event.listens_for(Session, "before_commit")
def _tell_hearers(session: Session) -> None:
    if session.in_nested_transaction():
        return
    if session.new or session.dirty or session.deleted:
        session.flush()
    while heard := session.info.pop(_HEARD, None):  # what a hearer records is heard too
        heard = [row for row in heard if row in session]
        for kinds, hearer in _HEARERS:
            if meant := [row for row in heard if row.kind in kinds]:
                hearer(session, meant)
        session.flush()


def run_listen(database: Database, ring: Callable[[], None], stop: threading.Event) -> None:
    """Calls ``ring`` whenever a process has recorded an event, until ``stop``; on SQLite readers poll instead."""
    if database.is_sqlite:
        return
    import psycopg

    address = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    while not stop.is_set():
        try:
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                ring()  # what was recorded while nobody listened
                while not stop.is_set():
                    for _ in connection.notifies(timeout=2):
                        ring()
        except psycopg.OperationalError:
            stop.wait(2)  # the server went away; it is asked again until it is back
