"""Who has how much: giving out evenly what nobody leads, and handing over all that is a person's."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models import Case, Responsibility, Route, Staff
from services.accounts import list_staff, set_active
from services.errors import NotFound, Refused
from services.events import record
from services.responsibility import hand_duties
from services.rights import Actor, actor_of, require
from services.route_states import OWED

BATCH = 500


@dataclass(frozen=True, slots=True)
class Load:
    """How many open cases a person leads."""

    staff: Staff
    cases: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """All that is a person's: open cases, questions put to them alone, cells of «Кто за что отвечает»."""

    cases: int
    routes: int
    duties: int

    @property
    def is_empty(self) -> bool:
        return not (self.cases or self.routes or self.duties)


def loads(session: Session) -> list[Load]:
    """Everybody who may answer, with their open cases, by name."""
    counted = (
        select(Case.assignee_id, func.count())
        .where(Case.open_key.is_not(None), Case.assignee_id.is_not(None))
        .group_by(Case.assignee_id)
    )
    numbers = {row[0]: row[1] for row in session.execute(counted)}
    return [Load(one, numbers.get(one.id, 0)) for one in list_staff(session) if actor_of(one).may("case.reply")]


def count_free(session: Session) -> int:
    """Open cases that nobody leads."""
    return session.scalar(select(func.count()).select_from(Case).where(*_FREE)) or 0


_FREE = (Case.open_key.is_not(None), Case.assignee_id.is_(None), Case.stage.in_(("new", "work", "wait")))


def holdings_of(session: Session, staff_id: int) -> Holdings:
    """What would be left without anybody if the person went."""
    cases = select(func.count()).select_from(Case).where(Case.open_key.is_not(None), Case.assignee_id == staff_id)
    routes = select(func.count()).select_from(Route).where(Route.state.in_(OWED), Route.staff_id == staff_id)
    named = or_(Responsibility.staff_id == staff_id, Responsibility.asked_id == staff_id)
    duties = select(func.count()).select_from(Responsibility).where(named)
    return Holdings(session.scalar(cases) or 0, session.scalar(routes) or 0, session.scalar(duties) or 0)


def distribute(session: Session, actor: Actor, staff_ids: Sequence[int]) -> int:
    """«Распределить поровну»: cases that nobody leads, the oldest first, each to whoever of these has least."""
    require(actor, "case.assign")
    numbers = {load.staff.id: load.cases for load in loads(session) if load.staff.id in set(staff_ids)}
    if not numbers:
        raise Refused("duty.nobody")
    query = select(Case).where(*_FREE).order_by(Case.last_message_at, Case.id).limit(BATCH)
    given = 0
    for case in session.scalars(query.with_for_update()):
        least = min(numbers, key=lambda one: (numbers[one], one))
        _give(session, actor, case, least)
        numbers[least] += 1
        given += 1
    return given


def _give(session: Session, actor: Actor, case: Case, staff_id: int | None) -> None:
    case.assignee_id = staff_id
    case.version += 1
    record(session, "case.assigned", actor, case_id=case.id, object_id=staff_id)


def switch_off(
    session: Session, actor: Actor, staff_id: int, *, cases_to: int | None, duties_to: int | None
) -> Staff:
    """Shuts the door on a person and says where all that is theirs goes; None leaves it to everybody.

    Raises Refused when nobody could change people and settings any more.
    """
    require(actor, "staff.edit")
    for heir in filter(None, (cases_to, duties_to)):
        person = session.get(Staff, heir)
        if person is None or heir == staff_id or not actor_of(person).may("case.reply"):
            raise NotFound("staff.unknown", id=heir)
    others = [one for one in list_staff(session) if one.id != staff_id and actor_of(one).may("staff.edit")]
    if not others:
        raise Refused("staff.last")
    for case in session.scalars(
        select(Case).where(Case.open_key.is_not(None), Case.assignee_id == staff_id).with_for_update()
    ):
        _give(session, actor, case, cases_to)
    for route in session.scalars(select(Route).where(Route.state.in_(OWED), Route.staff_id == staff_id)):
        route.staff_id = None
        record(session, "route.freed", actor, case_id=route.case_id, object_id=route.id)
    hand_duties(session, staff_id, duties_to)
    return set_active(session, actor, staff_id, False)
