"""Everything about a client in one line of time, page by page; each kind is walked by an index of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from models import (
    Call,
    Case,
    ClientNote,
    Consent,
    Contract,
    Deal,
    Decision,
    Document,
    Event,
    Identity,
    Message,
    Payment,
    PrivacyRequest,
    Staff,
    Task,
)
from services.crm.clients import get_client
from services.crm.merging import family_of
from services.errors import Refused
from services.rights import Actor

PAGE = 30
EVENTS = (
    "client.created", "client.edited", "client.linked", "client.unlinked", "client.merged", "client.unmerged",
    "client.segment", "client.study", "client.imported", "client.archived", "client.restored", "client.blocked",
    "client.unblocked", "client.sensitive_seen", "client.sensitive_set", "client.exported", "client.tied",
    "client.untied", "client.contact_added", "client.contact_ended",
)  # fmt: skip
"""Events of a card that its timeline tells."""


@dataclass(frozen=True, slots=True)
class Item:
    """``kind`` names a source of SOURCES, ``row`` is the table's row."""

    at: datetime
    kind: str
    id: int
    row: Any

    @property
    def key(self) -> str:
        return f"{self.at.timestamp():.6f}|{self.kind}|{self.id}"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose things: the card with those that became a part of it, and the accounts linked to it."""

    clients: tuple[int, ...]
    authors: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a kind comes from: rows of ``table`` that ``whose`` picks, dated by ``at``; ``act`` who may see it."""

    table: Any
    at: Any
    whose: Callable[[Scope], ColumnElement[bool] | None]
    act: str = "client.view"


def _of_client(column: Any) -> Callable[[Scope], ColumnElement[bool] | None]:
    return lambda scope: column.in_(scope.clients)


def _of_author(column: Any, *more: ColumnElement[bool]) -> Callable[[Scope], ColumnElement[bool] | None]:
    return lambda scope: and_(column.in_(scope.authors), *more) if scope.authors else None


def _our_replies(scope: Scope) -> ColumnElement[bool] | None:
    if not scope.authors:
        return None
    cases = select(Case.id).where(Case.author_id.in_(scope.authors))
    return and_(Message.case_id.in_(cases), Message.direction == "out")


def _of_contract(table: Any) -> Callable[[Scope], ColumnElement[bool] | None]:
    return lambda scope: table.contract_id.in_(
        select(Contract.id).where(
            or_(Contract.client_id.in_(scope.clients), Contract.student_id.in_(scope.clients))
        )
    )


SOURCES: dict[str, Source] = {
    "message": Source(Message, Message.published_at, _of_author(Message.author_id), "case.view"),
    "reply": Source(Message, Message.published_at, _our_replies, "case.view"),
    "case": Source(Case, Case.opened_at, _of_author(Case.author_id, Case.number.is_not(None)), "case.view"),
    "call": Source(Call, Call.started_at, _of_client(Call.client_id)),
    "note": Source(ClientNote, ClientNote.created_at, _of_client(ClientNote.client_id)),
    "task": Source(Task, Task.created_at, _of_client(Task.client_id)),
    "deal": Source(Deal, Deal.created_at, _of_client(Deal.client_id), "deal.view"),
    "consent": Source(Consent, Consent.given_at, _of_client(Consent.client_id)),
    "request": Source(
        PrivacyRequest, PrivacyRequest.received_at, _of_client(PrivacyRequest.client_id), "privacy.view"
    ),
    "contract": Source(
        Contract,
        Contract.created_at,
        lambda scope: or_(Contract.client_id.in_(scope.clients), Contract.student_id.in_(scope.clients)),
        "contract.view",
    ),
    "document": Source(Document, Document.created_at, _of_contract(Document), "contract.view"),
    "payment": Source(Payment, Payment.created_at, _of_contract(Payment), "contract.view"),
    "decision": Source(Decision, Decision.decided_at, _of_contract(Decision), "decision.view"),
    "event": Source(
        Event, Event.at, lambda scope: and_(Event.client_id.in_(scope.clients), Event.kind.in_(EVENTS))
    ),
}
"""Kind → source; who adds a noun of a client adds its line here."""


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """``staff`` names who acted; ``after`` is the key of the next page."""

    items: tuple[Item, ...]
    staff: Mapping[int, str]
    after: str | None


def timeline(
    session: Session,
    actor: Actor,
    client_id: int,
    *,
    kinds: Sequence[str] = (),
    after: str | None = None,
    limit: int = PAGE,
) -> TimelinePage:
    """One page, newest first; ``kinds`` empty: all that the actor may see."""
    client = get_client(session, actor, client_id)
    scope = scope_of(session, client.id)
    bound = _parse(after) if after else None
    found: list[Item] = []
    for kind, source in SOURCES.items():
        if (kinds and kind not in kinds) or not actor.may(source.act):
            continue
        found += _page(session, kind, source, scope, bound, limit + 1)
    found.sort(key=lambda item: (item.at, item.kind, item.id), reverse=True)
    page = tuple(found[:limit])
    return TimelinePage(page, _staff(session, page), page[-1].key if len(found) > limit else None)


def scope_of(session: Session, client_id: int) -> Scope:
    authors = session.scalars(
        select(Identity.author_id).where(Identity.client_id == client_id, Identity.state == "linked")
    )
    return Scope(tuple(family_of(session, client_id)), tuple(authors))


def _parse(after: str) -> tuple[datetime, str, int]:
    try:
        at, kind, row_id = after.split("|")
        return datetime.fromtimestamp(float(at), UTC), kind, int(row_id)
    except (ValueError, OverflowError, OSError):
        raise Refused("page.key") from None


def _page(
    session: Session, kind: str, source: Source, scope: Scope, bound: tuple[datetime, str, int] | None, limit: int
) -> list[Item]:
    whose = source.whose(scope)
    if whose is None:
        return []
    query = select(source.table).where(whose)
    if bound is not None:
        at, last_kind, last_id = bound
        same = source.at == at
        if kind < last_kind:
            query = query.where(source.at <= at)
        elif kind == last_kind:
            query = query.where(or_(source.at < at, and_(same, source.table.id < last_id)))
        else:
            query = query.where(source.at < at)
    rows = session.scalars(query.order_by(source.at.desc(), source.table.id.desc()).limit(limit))
    return [Item(getattr(row, source.at.key), kind, row.id, row) for row in rows]


def _staff(session: Session, items: Sequence[Item]) -> dict[int, str]:
    ids = {getattr(item.row, name, None) for item in items for name in ("staff_id", "created_by", "done_by")}
    query = select(Staff.id, Staff.name).where(Staff.id.in_(ids - {None}))
    return {staff_id: name for staff_id, name in session.execute(query)}  # noqa: C416
