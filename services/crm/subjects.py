"""Requests of a person about their data: what is asked, who they are, by when the law wants an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Client, PrivacyRequest, utc_now
from services.calendars import add_working_days, end_of_day, previous_working_day
from services.crm.clients import get_client, touch
from services.errors import NotFound, Refused
from services.events import record
from services.leases import next_numbers
from services.rights import Actor, require
from services.terms import policy_of


@dataclass(frozen=True, slots=True)
class Term:
    """``working`` or ``calendar`` days; ``more`` working days of the one prolongation, 0 where there is none."""

    working: int = 0
    calendar: int = 0
    more: int = 0


TERMS: Mapping[str, Term] = {
    "access": Term(working=10, more=5),
    "correction": Term(working=7),
    "blocking": Term(working=1),
    "stop": Term(working=10, more=5),
    "erasure": Term(working=7),
    "withdrawal": Term(calendar=30),
}
"""152-ФЗ, articles 14, 20 and 21, as domain.md R-15 and R-16 have them; blocking is done at once."""

MOVES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "identify": (("received",), "known"),
    "begin": (("known",), "work"),
    "prolong": (("known", "work"), "prolonged"),
    "answer": (("known", "work", "prolonged"), "answered"),
    "close": (("answered",), "closed"),
}
"""Act → (states it may be done in, the state after it)."""


def list_requests(session: Session, actor: Actor) -> list[tuple[PrivacyRequest, Client | None]]:
    """Open ones by their last day, then those done."""
    require(actor, "privacy.view")
    query = select(PrivacyRequest, Client).outerjoin(Client, Client.id == PrivacyRequest.client_id)
    rows = session.execute(query.order_by(PrivacyRequest.state.in_(("answered", "closed")), PrivacyRequest.due_at))
    return [(row, client) for row, client in rows.fetchmany(200)]


def get_request(session: Session, actor: Actor, request_id: int, *, hold: bool = False) -> PrivacyRequest:
    require(actor, "privacy.view")
    row = session.get(PrivacyRequest, request_id, with_for_update=hold)
    if row is None:
        raise NotFound("privacy.unknown", id=request_id)
    return row


def receive_request(
    session: Session,
    actor: Actor,
    *,
    kind: str,
    client_id: int | None = None,
    author_id: int | None = None,
    case_id: int | None = None,
    channel: str = "",
    text: str = "",
    received_at: datetime | None = None,
) -> PrivacyRequest:
    """Registers what somebody asks for; the clock runs from its receipt."""
    require(actor, "privacy.act")
    if kind not in TERMS:
        raise Refused("privacy.kind")
    at = received_at or utc_now()
    if client_id is not None:
        client_id = get_client(session, actor, client_id).id
    number = next_numbers(session, f"privacy:{at.year}")[0]
    row = PrivacyRequest(
        number=f"ПДн-{at.year}-{number:04d}", kind=kind, client_id=client_id, author_id=author_id, case_id=case_id,
        channel=channel[:50], text=text.strip()[:5000], received_at=at, due_at=due_of(session, kind, at),
        staff_id=actor.staff_id,
    )  # fmt: skip
    session.add(row)
    session.flush()
    record(session, "privacy.received", actor, client_id=client_id, object_id=row.id, code=kind)
    return row


def due_of(session: Session, kind: str, at: datetime) -> datetime:
    """The last moment by law for a request received ``at``."""
    calendar, term = policy_of(session).calendars["desk"], TERMS[kind]
    day = calendar.local_day(at)
    if term.calendar:
        return end_of_day(calendar, day + timedelta(days=term.calendar))  # «не более», so it moves for no day off
    return end_of_day(calendar, add_working_days(calendar, day, term.working))


def control_of(session: Session, row: PrivacyRequest) -> date:
    """The day on which it should be done: the last working day before the last one, less one working day."""
    calendar = policy_of(session).calendars["desk"]
    return previous_working_day(calendar, previous_working_day(calendar, calendar.local_day(row.due_at)))


def identify(session: Session, actor: Actor, request_id: int, known_by: str) -> PrivacyRequest:
    """How we know that the person is who they say; nothing is told or erased before."""
    if not known_by.strip():
        raise Refused("privacy.reason")
    row = _move(session, actor, request_id, "identify")
    row.known_by = known_by.strip()[:300]
    return row


def begin_request(session: Session, actor: Actor, request_id: int) -> PrivacyRequest:
    row = _move(session, actor, request_id, "begin")
    if row.kind == "blocking" and row.client_id is not None:
        block_client(session, actor, row.client_id)
    return row


def prolong(session: Session, actor: Actor, request_id: int, why: str) -> PrivacyRequest:
    """Once, by five working days, where the law lets; the person is told why."""
    row = get_request(session, actor, request_id)
    more = TERMS[row.kind].more
    if not more or row.prolonged_at is not None:
        raise Refused("privacy.move")
    if not why.strip():
        raise Refused("privacy.reason")
    row = _move(session, actor, request_id, "prolong")
    calendar = policy_of(session).calendars["desk"]
    row.due_at = end_of_day(calendar, add_working_days(calendar, calendar.local_day(row.due_at), more))
    row.prolonged_at, row.prolonged_why = utc_now(), why.strip()[:1000]
    return row


def answer_request(session: Session, actor: Actor, request_id: int, answer: str) -> PrivacyRequest:
    if not answer.strip():
        raise Refused("text.empty")
    row = _move(session, actor, request_id, "answer")
    row.answer, row.answered_at = answer.strip()[:10_000], utc_now()
    return row


def close_request(session: Session, actor: Actor, request_id: int) -> PrivacyRequest:
    return _move(session, actor, request_id, "close")


def _move(session: Session, actor: Actor, request_id: int, act: str) -> PrivacyRequest:
    require(actor, "privacy.act")
    row = get_request(session, actor, request_id, hold=True)
    allowed, after = MOVES[act]
    if row.state not in allowed:
        raise Refused("privacy.known" if row.state == "received" else "privacy.move")
    row.state = after
    record(session, f"privacy.{after}", actor, client_id=row.client_id, object_id=row.id)
    return row


def block_client(session: Session, actor: Actor, client_id: int, *, back: bool = False) -> Client:
    """From now on the card may only be kept, until it is unblocked."""
    require(actor, "privacy.act")
    client = get_client(session, actor, client_id, hold=True)
    if (client.blocked_at is None) != back:
        client.blocked_at = None if back else utc_now()
        touch(client)
        record(session, "client.unblocked" if back else "client.blocked", actor, client_id=client.id)
    return client
