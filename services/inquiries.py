"""«Запрос в отдел»: the desk itself asks a department for a document or for facts (domain.md, clause 5.1).

A request is a question that belongs to no case: it has the states, notices, clock and answer page of
services.routing, and is seen by whoever asked it, whom it was put to, and the head.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from models import Client, Clock, Department, Route, RouteFile, RouteLine, Staff, utc_now
from models.base import storable
from services.cases import same_form
from services.crm.clients import get_client
from services.deliveries import tell_department
from services.errors import NotFound, Refused
from services.events import record
from services.questions import without_contacts
from services.reports.morning import hurry_route, late_clock
from services.rights import Actor, Scope, require
from services.route_files import FileIn, add_files, files_of
from services.route_states import OWED
from services.routing import (
    accept_route,
    check_person,
    clarify_route,
    hold_route,
    lines_of,
    sees_inquiry,
    send_back,
    take_back,
)
from services.sla import clocks_of_routes, start_department

SHOW = ("open", "late", "home", "done")
"""«Ждут отдел» · «Просрочены» · «Ответ пришёл» · «Готово»."""
STATES = {
    "open": ("sent", "opened"),
    "home": ("answered", "clarify"),
    "done": ("accepted", "recalled", "declined"),
}
"""Where a request stands by its state; «late» are those of OWED beyond their term, besides."""
MOST = 100
MOST_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class InquiryRow:
    """One line of the list."""

    route: Route
    text: str
    department: Department
    asked_by: str
    client: str | None
    clock: Clock | None


@dataclass(frozen=True, slots=True)
class InquiryView:
    """One request with all that was said about it; in what was answered contacts are hidden from whoever may not
    see them."""

    route: Route
    text: str
    answer: str | None
    reason: str | None
    department: Department
    better: Department | None
    person: str | None  # whom of the department it is for
    asked_by: str
    answered_by: str | None
    client: Client | None
    lines: tuple[tuple[str, datetime, str], ...]  # who, when, what
    asked_files: tuple[RouteFile, ...]
    answer_files: tuple[RouteFile, ...]
    clock: Clock | None
    may_ask: bool

    @property
    def is_owed(self) -> bool:
        return self.route.state in OWED

    def is_late(self, now: datetime | None = None) -> bool:
        """The department owes it beyond its term."""
        return self.is_owed and self.clock is not None and self.clock.due_at < (now or utc_now())


def get_inquiry(session: Session, actor: Actor, route_id: int) -> Route:
    """A request of the actor's own, or any for whoever sees them all; raises NotFound for every other number."""
    require(actor, "inquiry.view")
    route = session.get(Route, route_id)
    if route is None or route.case_id is not None or not sees_inquiry(actor, route):
        raise NotFound("inquiry.unknown", id=route_id)
    return route


def list_inquiries(
    session: Session,
    actor: Actor,
    show: str = "open",
    *,
    client_id: int | None = None,
    after: int | None = None,
    limit: int = MOST,
) -> list[InquiryRow]:
    """Requests that the actor sees, by the state they are in: what waits the oldest first, all else the newest;
    with ``client_id`` all of one card, the newest first. ``after`` is the last one of the page before."""
    which = Route.client_id == client_id if client_id is not None else _shown(show)
    query = select(Route).where(*_seen(actor), which)
    oldest_first = client_id is None and show in ("open", "late")
    if after is not None:
        query = query.where(Route.id > after if oldest_first else Route.id < after)
    query = query.order_by(Route.id if oldest_first else Route.id.desc())
    routes = list(session.scalars(query.limit(limit)))
    return _rows(session, routes)


def count_inquiries(session: Session, actor: Actor) -> dict[str, int]:
    """How many stand under each word of SHOW."""
    seen = select(func.count()).select_from(Route).where(*_seen(actor))
    return {show: session.scalar(seen.where(_shown(show))) or 0 for show in SHOW}


def inquiry_view(session: Session, actor: Actor, route_id: int) -> InquiryView:
    """All that the page of one request shows."""
    route = get_inquiry(session, actor, route_id)
    shown = str if actor.may("client.contacts") else without_contacts
    said = lines_of(session, [route.id]).get(route.id, [])
    names = _names(session, [route], said)
    files = files_of(session, [route.id]).get(route.id, [])
    return InquiryView(
        route=route,
        text=route.question,
        answer=shown(route.answer) if route.answer is not None else None,
        reason=shown(route.reason) if route.reason is not None else None,
        department=session.get_one(Department, route.department_id),
        better=session.get(Department, route.better_department_id) if route.better_department_id else None,
        person=names.get(route.staff_id or 0),
        asked_by=names.get(route.asked_by_id, ""),
        answered_by=names.get(route.answered_by_id or 0),
        client=session.get(Client, route.client_id) if route.client_id is not None else None,
        lines=tuple((names.get(one.staff_id, ""), one.created_at, shown(one.text)) for one in said),
        asked_files=tuple(one for one in files if one.asked),
        answer_files=tuple(one for one in files if not one.asked),
        clock=clocks_of_routes(session, [route.id]).get(route.id),
        may_ask=actor.may("inquiry.ask"),
    )


def ask_inquiry(
    session: Session,
    actor: Actor,
    department_id: int,
    text: str,
    form_key: str,
    *,
    staff_id: int | None = None,
    client_id: int | None = None,
    urgent: bool = False,
    files: Sequence[FileIn] = (),
) -> Route:
    """Asks a department, or one of its people; the same ``form_key`` twice is one request."""
    require(actor, "inquiry.ask")
    if actor.staff_id is None:
        raise Refused("inquiry.nobody")
    text = storable(text).strip()[:MOST_TEXT]
    known = session.scalar(select(Route).where(Route.form_key == form_key))
    if known is not None:
        return same_form(get_inquiry(session, actor, known.id), known.question, text)
    if not text:
        raise Refused("text.empty")
    if session.get(Department, department_id) is None:
        raise NotFound("department.unknown", id=department_id)
    if staff_id is not None:
        check_person(session, staff_id, department_id)
    client = get_client(session, actor, client_id) if client_id is not None else None
    route = Route(
        department_id=department_id, question=text, form_key=form_key, asked_by_id=actor.staff_id, state="sent",
        staff_id=staff_id, client_id=client.id if client is not None else None, urgent=urgent,
    )  # fmt: skip
    session.add(route)
    session.flush()
    add_files(session, actor, route.id, files, asked=True)
    start_department(session, route)
    tell_department(session, route)
    record(session, "route.asked", actor, object_id=route.id, client_id=route.client_id, department=department_id)
    return route


def accept_inquiry(session: Session, actor: Actor, route_id: int) -> Route:
    """«Принять ответ»: the request is done; pressing twice is once."""
    route = _mine(session, actor, route_id)
    if route.state != "accepted":
        accept_route(session, actor, route)
    return route


def return_inquiry(session: Session, actor: Actor, route_id: int, reason: str) -> Route:
    """«Вернуть на доработку» with what is missing, at most three times."""
    return send_back(session, actor, _mine(session, actor, route_id), reason)


def clarify_inquiry(session: Session, actor: Actor, route_id: int, text: str) -> Route:
    """What the department asked back is said; it owes the answer again."""
    return clarify_route(session, actor, _mine(session, actor, route_id), text)


def withdraw_inquiry(session: Session, actor: Actor, route_id: int) -> Route:
    """«Отозвать», while the department owes it."""
    return take_back(session, actor, _mine(session, actor, route_id))


def hurry_inquiry(session: Session, actor: Actor, route_id: int) -> int:
    """«Поторопить» of one that is late; returns whether there was anything to hurry."""
    return hurry_route(session, actor, _mine(session, actor, route_id).id)


def _mine(session: Session, actor: Actor, route_id: int) -> Route:
    """Held until the commit, for whoever may say what whoever asked says."""
    require(actor, "inquiry.ask")
    return hold_route(session, get_inquiry(session, actor, route_id))


def _seen(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    scope = require(actor, "inquiry.view")
    every = Route.case_id.is_(None)
    return (every,) if scope is Scope.ALL else (every, Route.asked_by_id == actor.staff_id)


def _shown(show: str) -> ColumnElement[bool]:
    if show in STATES:
        return Route.state.in_(STATES[show])
    return and_(Route.state.in_(OWED), late_clock(utc_now()).exists())


def _rows(session: Session, routes: Sequence[Route]) -> list[InquiryRow]:
    units = {unit.id: unit for unit in session.scalars(select(Department))}
    wanted = [route.client_id for route in routes if route.client_id is not None]
    named = session.execute(select(Client.id, Client.name).where(Client.id.in_(wanted)))
    clients = {row[0]: row[1] for row in named}
    names = _names(session, routes)
    clocks = clocks_of_routes(session, [route.id for route in routes])
    return [
        InquiryRow(
            route, route.question, units[route.department_id], names.get(route.asked_by_id, ""),
            clients.get(route.client_id or 0), clocks.get(route.id),
        )
        for route in routes
    ]  # fmt: skip


def _names(session: Session, routes: Sequence[Route], said: Sequence[RouteLine] = ()) -> dict[int, str]:
    wanted = {key for route in routes for key in (route.asked_by_id, route.answered_by_id, route.staff_id)}
    wanted |= {one.staff_id for one in said}
    rows = session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(wanted - {None})))
    return {row[0]: row[1] for row in rows}
