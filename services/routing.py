"""Questions to departments: the question leaves the inbox, the answer comes home (domain.md §6.2).

A request that belongs to no case (services.inquiries) walks the same way; what comes home of it is told to whoever
asked, since no case can come up.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from models import Case, Department, Route, RouteLine, Staff, utc_now
from models.base import storable
from services.case_states import is_open, move
from services.cases import HOLD, check_version, get_case, lift, reopen, same_form, touch
from services.deliveries import tell_asker, tell_department
from services.errors import Forbidden, NotFound, Refused, Stale
from services.events import record
from services.responsibility import asked_person
from services.rights import DESK, Actor, Scope, actor_of, require
from services.route_states import MAX_RETURNS, MOVES, OF_INQUIRIES, OWED
from services.sla import end_department, note_opened, start_department


def departments(session: Session) -> list[Department]:
    """All departments in the order of the preset."""
    return list(session.scalars(select(Department).order_by(Department.position, Department.id)))


def routes_of(session: Session, case_id: int) -> list[Route]:
    """The questions of one case, oldest first."""
    return list(session.scalars(select(Route).where(Route.case_id == case_id).order_by(Route.id)))


def route_by_form(session: Session, form_key: str) -> Route | None:
    """What a form made when it came before."""
    return session.scalar(select(Route).where(Route.form_key == form_key))


def my_routes(session: Session, actor: Actor, *, done: bool = False, limit: int = 100) -> list[Route]:
    """«Вопросы ко мне»: what the actor's departments owe, oldest first; with ``done`` what they answered."""
    scope = require(actor, "route.view")
    query = select(Route).where(Route.state.in_(OWED) if not done else Route.state.not_in(OWED))
    if scope is not Scope.ALL:
        query = query.where(Route.department_id.in_(actor.departments))
        if not done:
            query = query.where(for_me(actor))
    return list(session.scalars(query.order_by(Route.id.desc() if done else Route.id).limit(limit)))


def for_me(actor: Actor) -> ColumnElement[bool]:
    """Questions to the whole department or to this person of it; those to a colleague open by their address."""
    return or_(Route.staff_id.is_(None), Route.staff_id == actor.staff_id)


def count_owed(session: Session, actor: Actor) -> int:
    """How many questions wait for the actor's departments."""
    scope = actor.scope("route.view")
    if scope is None:
        return 0
    query = select(func.count()).select_from(Route).where(Route.state.in_(OWED))
    if scope is not Scope.ALL:
        query = query.where(Route.department_id.in_(actor.departments), for_me(actor))
    return session.scalar(query) or 0


def get_route(session: Session, actor: Actor, route_id: int, *, hold: bool = False) -> Route:
    """The question, if it was put to the actor's department; raises NotFound otherwise.

    ``hold`` keeps others from changing it and its case until the commit.
    """
    scope = require(actor, "route.view")
    route = session.get(Route, route_id)
    if route is None or (scope is not Scope.ALL and route.department_id not in actor.departments):
        raise NotFound("route.unknown", id=route_id)
    return hold_route(session, route) if hold else route


def sees_inquiry(actor: Actor, route: Route) -> bool:
    """Whether a request without a case is the actor's own, or they see all of them."""
    scope = actor.scope("inquiry.view")
    return scope is Scope.ALL or (scope is not None and route.asked_by_id == actor.staff_id)


def ask_department(
    session: Session,
    actor: Actor,
    case_id: int,
    department_id: int,
    question: str,
    form_key: str,
    version: int | None = None,
    *,
    staff_id: int | None = None,
    urgent: bool = False,
) -> Route:
    """Puts a question to a department, or to one of its people; the same ``form_key`` twice is one question."""
    require(actor, "case.route")
    question = storable(question)
    case = get_case(session, actor, case_id, hold=True)
    known = session.scalar(select(Route).where(Route.form_key == form_key))
    if known is not None:
        return same_form(known, known.question, question)
    check_version(case, version)
    if not question.strip():
        raise Refused("text.empty")
    if session.get(Department, department_id) is None:
        raise NotFound("department.unknown", id=department_id)
    if staff_id is not None:
        check_person(session, staff_id, department_id)
    else:
        staff_id = asked_person(session, case, department_id)
    if not is_open(case):
        reopen(session, case, actor)
    touch(session, case, actor)
    route = Route(
        case_id=case.id, department_id=department_id, question=question.strip(), form_key=form_key,
        asked_by_id=actor.staff_id, state="sent", staff_id=staff_id, urgent=urgent,
    )  # fmt: skip
    session.add(route)
    session.flush()
    if case.state != "department":
        move(session, case, "department", actor)
    start_department(session, route)
    tell_department(session, route)
    record(session, "route.asked", actor, case_id=case.id, object_id=route.id, department=department_id)
    return route


def colleagues(session: Session, department_id: int) -> list[Staff]:
    """Who answers for a department, by name."""
    people = session.scalars(select(Staff).where(Staff.active).order_by(Staff.name))
    return [one for one in people if department_id in actor_of(one).departments]


def lines_of(session: Session, route_ids: Sequence[int]) -> dict[int, list[RouteLine]]:
    """question → what was asked back and said, oldest first."""
    found: dict[int, list[RouteLine]] = {}
    if not route_ids:
        return found
    query = select(RouteLine).where(RouteLine.route_id.in_(route_ids)).order_by(RouteLine.id)
    for line in session.scalars(query):
        found.setdefault(line.route_id, []).append(line)
    return found


def check_person(session: Session, staff_id: int, department_id: int) -> None:
    """Raises Refused for somebody who does not answer for the department."""
    if staff_id not in [one.id for one in colleagues(session, department_id)]:
        person = session.get(Staff, staff_id)
        raise Refused("route.person", id=staff_id, name=person.name if person is not None else f"№ {staff_id}")


def open_route(session: Session, actor: Actor, route_id: int) -> Route:
    """The department has looked at the question."""
    route = get_route(session, actor, route_id, hold=True)
    if route.state == "sent" and actor.may("route.answer") and _is_ours(actor, route):
        _move(session, route, "opened", actor)
        route.opened_at = utc_now()
        record(session, "route.opened", actor, case_id=route.case_id, object_id=route.id)
    return route


def answer_route(session: Session, actor: Actor, route_id: int, text: str, version: int | None = None) -> Route:
    """The department's answer; it lifts the case at once, also when others still owe theirs (day.md §2)."""
    route = _owned(session, actor, route_id, version)
    if not text.strip():
        raise Refused("text.empty")
    _move(session, route, "answered", actor)
    route.answer, route.answered_by_id, route.answered_at = text.strip(), actor.staff_id, utc_now()
    record(session, "route.answered", actor, case_id=route.case_id, object_id=route.id)
    _come_home(session, route, "answer")
    return route


def decline_route(
    session: Session, actor: Actor, route_id: int, reason: str, better_department_id: int | None
) -> Route:
    """«Не наш вопрос»: needs a reason and, where known, the better department."""
    route = _owned(session, actor, route_id, None)
    if not reason.strip() and better_department_id is None:
        raise Refused("text.empty")
    _move(session, route, "declined", actor)
    route.reason, route.better_department_id = reason.strip() or None, better_department_id
    route.answered_by_id, route.answered_at = actor.staff_id, utc_now()
    record(session, "route.declined", actor, case_id=route.case_id, object_id=route.id, better=better_department_id)
    _come_home(session, route, "declined")
    return route


def ask_back(session: Session, actor: Actor, route_id: int, text: str) -> Route:
    """«Уточнить»: the department needs to know more before it can answer; the case comes up with that."""
    route = _owned(session, actor, route_id, None)
    if not text.strip():
        raise Refused("text.empty")
    _move(session, route, "clarify", actor)
    session.add(RouteLine(route_id=route.id, staff_id=actor.staff_id, text=text.strip()))
    record(session, "route.clarify", actor, case_id=route.case_id, object_id=route.id)
    session.flush()
    case = _case_of(session, route)
    if case is None:
        tell_asker(session, route, "clarify")
    else:
        lift(session, case, "clarify")
    return route


def clarify(session: Session, actor: Actor, route_id: int, text: str) -> Route:
    """The desk says more; the question waits for its answer again."""
    require(actor, "case.route")
    return clarify_route(session, actor, _known(session, route_id), text)


def clarify_route(session: Session, actor: Actor, route: Route, text: str) -> Route:
    """The same of a question that is held."""
    if not text.strip():
        raise Refused("text.empty")
    _move(session, route, "opened", actor)
    session.add(RouteLine(route_id=route.id, staff_id=actor.staff_id, text=text.strip()))
    record(session, "route.clarified", actor, case_id=route.case_id, object_id=route.id)
    case = _case_of(session, route)
    if case is not None:
        case.lift = None
    tell_department(session, route)
    return route


def pass_on(session: Session, actor: Actor, route_id: int, staff_id: int) -> Route:
    """«Это не мне»: to a colleague of the same department, whose clock goes on."""
    route = _owned(session, actor, route_id, None)
    if route.state not in OWED:
        raise Refused("route.move", state=route.state, to="sent")
    if staff_id == route.staff_id:
        return route
    check_person(session, staff_id, route.department_id)
    route.staff_id = staff_id
    route.version += 1
    record(session, "route.passed", actor, case_id=route.case_id, object_id=route.id, staff=staff_id)
    tell_department(session, route)
    return route


def accept_route(session: Session, actor: Actor, route: Route) -> None:
    """The answer was good enough to be used."""
    _move(session, route, "accepted", actor)
    record(session, "route.accepted", actor, case_id=route.case_id, object_id=route.id)


def return_route(session: Session, actor: Actor, route_id: int, reason: str) -> Route:
    """«Вернуть на доработку» with a reason, at most three times; then the head decides."""
    require(actor, "case.route")
    return send_back(session, actor, _known(session, route_id), reason)


def send_back(session: Session, actor: Actor, route: Route, reason: str) -> Route:
    """The same of a question that is held."""
    if not reason.strip():
        raise Refused("text.empty")
    if route.returns >= MAX_RETURNS:
        raise Refused("route.returns", limit=MAX_RETURNS)
    _move(session, route, "sent", actor)
    route.returns += 1
    route.reason = reason.strip()
    case = _case_of(session, route)
    if case is not None:
        if not is_open(case):
            reopen(session, case, actor)
        if case.state != "department":
            move(session, case, "department", actor)
        case.lift = None
    start_department(session, route)
    tell_department(session, route)
    record(session, "route.returned", actor, case_id=route.case_id, object_id=route.id)
    return route


def recall_route(session: Session, actor: Actor, route_id: int) -> Route:
    """Takes the question back; the case comes home when nobody else owes."""
    require(actor, "case.route")
    return take_back(session, actor, _known(session, route_id))


def take_back(session: Session, actor: Actor, route: Route) -> Route:
    """The same of a question that is held."""
    _move(session, route, "recalled", actor)
    record(session, "route.recalled", actor, case_id=route.case_id, object_id=route.id)
    _come_home(session, route, None)
    return route


def _known(session: Session, route_id: int) -> Route:
    """A question of a case; requests that belong to none are changed by services.inquiries alone."""
    route = session.get(Route, route_id)
    if route is None or route.case_id is None:
        raise NotFound("route.unknown", id=route_id)
    return hold_route(session, route)


def _case_of(session: Session, route: Route) -> Case | None:
    return session.get_one(Case, route.case_id) if route.case_id is not None else None


def hold_route(session: Session, route: Route) -> Route:
    """Questions of one case are changed one by one; a request is held by itself."""
    if route.case_id is None:
        session.flush()  # reading anew forgets what is not written yet
        session.refresh(route, with_for_update=HOLD)
        return route
    session.get_one(Case, route.case_id, with_for_update=HOLD)
    session.refresh(route)
    return route


def _is_ours(actor: Actor, route: Route) -> bool:
    return actor.scope("route.answer") is Scope.ALL or route.department_id in actor.departments


def _owned(session: Session, actor: Actor, route_id: int, version: int | None) -> Route:
    require(actor, "route.answer")
    route = get_route(session, actor, route_id, hold=True)
    if not _is_ours(actor, route):
        raise Forbidden("forbidden", act="route.answer")
    if version is not None and route.version != version:
        raise Stale("route.stale", state=route.state)
    return route


def _move(session: Session, route: Route, to: str, actor: Actor) -> None:
    right = MOVES.get((route.state, to))
    if right is None:
        raise Refused("route.move", state=route.state, to=to)
    require(actor, OF_INQUIRIES.get(right, right) if route.case_id is None else right)
    if to not in OWED:
        end_department(session, route)
    else:
        note_opened(session, route)
    route.state = to
    route.version += 1


def _come_home(session: Session, route: Route, reason: str | None) -> None:
    session.flush()
    case = _case_of(session, route)
    if case is None:
        if reason is not None:
            tell_asker(session, route, route.state)
        return
    owed = session.scalar(
        select(func.count()).select_from(Route).where(Route.case_id == case.id, Route.state.in_(OWED))
    )
    if case.state == "department" and not owed:
        move(session, case, "work", DESK)
    if reason is not None:
        lift(session, case, reason)
