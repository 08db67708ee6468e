"""Who has how much: giving out evenly what nobody leads, and handing over all that is a person's."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from models import (
    Absence,
    Broadcast,
    Case,
    Client,
    Responsibility,
    Route,
    Staff,
    Task,
    VisitedPlace,
    utc_now,
)
from models.database import Database
from services.absences import away_on, drop_deputy, local_day, stand_ins
from services.accounts import list_staff, set_active
from services.agreement import hand_agreement
from services.errors import NotFound, Refused
from services.events import record
from services.responsibility import hand_duties
from services.rights import DESK, Actor, actor_of, require
from services.rota import count_days, hand_days
from services.route_states import OWED
from services.rules import hand_rules, list_rules, named_by
from services.settings.history import keeping
from services.settings.people import STAFF, staff_rows
from services.targets import covered

BATCH = 500
TO_WATCH = ("planned", "duty", "live")
"""States of a broadcast that somebody is still to watch."""


@dataclass(frozen=True, slots=True)
class Load:
    """How many open cases a person leads; ``away_until``: the last day of an absence that is on."""

    staff: Staff
    cases: int
    away_until: date | None = None


@dataclass(frozen=True, slots=True)
class Holdings:
    """All that is a person's: open cases, questions put to them alone, cells of «Кто за что отвечает»; tasks,
    clients whose manager they are, broadcasts to watch, places to look into, days of duty, rules that name them."""

    cases: int
    routes: int
    duties: int
    tasks: int = 0
    clients: int = 0
    broadcasts: int = 0
    places: int = 0
    days: int = 0
    rules: int = 0

    @property
    def is_empty(self) -> bool:
        return not any(getattr(self, one.name) for one in fields(self))

    @property
    def answering(self) -> int:
        """What passes to whoever takes the duties over."""
        return self.duties + self.broadcasts + self.places + self.days + self.rules


def loads(session: Session) -> list[Load]:
    """Everybody who may answer, with their open cases, by name."""
    counted = (
        select(Case.assignee_id, func.count())
        .where(Case.open_key.is_not(None), Case.assignee_id.is_not(None))
        .group_by(Case.assignee_id)
    )
    numbers = {row[0]: row[1] for row in session.execute(counted)}
    away = {key: row.to_day for key, row in away_on(session, local_day(session)).items()}
    return [
        Load(one, numbers.get(one.id, 0), away.get(one.id))
        for one in list_staff(session)
        if actor_of(one).may("case.reply")
    ]


def count_free(session: Session) -> int:
    """Open cases that nobody leads."""
    return session.scalar(select(func.count()).select_from(Case).where(*_FREE)) or 0


_FREE = (Case.open_key.is_not(None), Case.assignee_id.is_(None), Case.stage.in_(("new", "work", "wait")))


def holdings_of(session: Session, staff_id: int) -> Holdings:
    """What would be left without anybody if the person went."""

    def _count(*where: ColumnElement[bool]) -> int:
        return session.scalar(select(func.count()).where(*where)) or 0

    return Holdings(
        cases=_count(Case.open_key.is_not(None), Case.assignee_id == staff_id),
        routes=_count(Route.state.in_(OWED), Route.staff_id == staff_id),
        duties=_count(or_(Responsibility.staff_id == staff_id, Responsibility.asked_id == staff_id)),
        tasks=_count(Task.state == "open", Task.staff_id == staff_id),
        clients=_count(Client.owner_id == staff_id),
        broadcasts=_count(Broadcast.state.in_(TO_WATCH), Broadcast.staff_id == staff_id),
        places=_count(VisitedPlace.staff_id == staff_id),
        days=count_days(session, staff_id, local_day(session)),
        rules=sum(named_by(rule, staff_id) for rule in list_rules(session)),
    )


def distribute(session: Session, actor: Actor, staff_ids: Sequence[int]) -> int:
    """«Распределить поровну»: cases that nobody leads, the oldest first, each to whoever of these has least."""
    require(actor, "case.assign")
    numbers = {load.staff.id: load.cases for load in loads(session) if load.staff.id in set(staff_ids)}
    if not numbers:
        raise Refused("duty.nobody")
    oldest = select(Case.id).where(*_FREE).order_by(Case.last_message_at, Case.id).limit(BATCH)
    ids = list(session.scalars(oldest))
    mine = select(Case).where(Case.id.in_(ids), *_FREE).order_by(Case.id)  # held in the order of everybody else
    held = {case.id: case for case in session.scalars(mine.with_for_update())}
    given = 0
    for case in (held[one] for one in ids if one in held):
        least = min(numbers, key=lambda one: (numbers[one], one))
        give_case(session, actor, case, least)
        numbers[least] += 1
        given += 1
    return given


def give_case(session: Session, actor: Actor, case: Case, staff_id: int | None) -> None:
    """The case is led by that person from now on, None: by nobody; the caller holds it."""
    case.assignee_id = staff_id
    case.version += 1
    record(session, "case.assigned", actor, case_id=case.id, object_id=staff_id)


def switch_off(
    session: Session, actor: Actor, staff_id: int, *, cases_to: int | None, duties_to: int | None
) -> Staff:
    """Shuts the door on a person and says where all that is theirs goes; None leaves it to everybody.

    ``cases_to`` also takes tasks and clients, ``duties_to`` all that the person was named for. Raises Refused when
    nobody could change people and settings any more, or nobody could answer.
    """
    require(actor, "staff.edit")
    for heir in filter(None, (cases_to, duties_to)):
        person = session.get(Staff, heir)
        if person is None or heir == staff_id or not actor_of(person).may("case.reply"):
            raise NotFound("staff.unknown", id=heir)
    # Of one change one version: whoever counted on the person, and that they are off.
    with keeping(session, actor, STAFF, staff_rows), covered(session):
        _hand_over(session, actor, staff_id, cases_to, duties_to)
        return set_active(session, actor, staff_id, False)


def _hand_over(session: Session, actor: Actor, staff_id: int, cases_to: int | None, duties_to: int | None) -> None:
    _hand_cases(session, actor, staff_id, cases_to)
    _change(session, Task.staff_id, cases_to, Task.state == "open", Task.staff_id == staff_id)
    _change(session, Client.owner_id, cases_to, Client.owner_id == staff_id)
    for route in session.scalars(select(Route).where(Route.state.in_(OWED), Route.staff_id == staff_id)):
        route.staff_id = None
        record(session, "route.freed", actor, case_id=route.case_id, object_id=route.id)
    hand_duties(session, actor, staff_id, duties_to)
    _change(session, Broadcast.staff_id, duties_to, Broadcast.state.in_(TO_WATCH), Broadcast.staff_id == staff_id)
    _change(session, VisitedPlace.staff_id, duties_to, VisitedPlace.staff_id == staff_id)
    hand_days(session, actor, staff_id, duties_to, local_day(session))
    hand_rules(session, actor, staff_id, duties_to)
    hand_agreement(session, actor, staff_id)
    drop_deputy(session, actor, staff_id, duties_to, local_day(session))
    session.expire_all()


def _hand_cases(session: Session, actor: Actor, staff_id: int, to_id: int | None) -> int:
    held = select(Case).where(Case.open_key.is_not(None), Case.assignee_id == staff_id).order_by(Case.id)
    cases = list(session.scalars(held.with_for_update()))
    for case in cases:
        give_case(session, actor, case, to_id)
    return len(cases)


def _change(session: Session, column: Any, to_id: int | None, *where: ColumnElement[bool]) -> None:
    session.execute(update(column.class_).where(*where).values({column: to_id}))


def run_absences(database: Database) -> int:
    """The open cases of whoever is away from today go to the deputy, where the absence asks for it; returns of how
    many people."""
    with database.read.begin() as session:
        day = local_day(session)
        waiting = (Absence.hand_over, Absence.handed_at.is_(None), Absence.from_day <= day, Absence.to_day >= day)
        if session.scalar(select(Absence.id).where(*waiting).limit(1)) is None:
            return 0
    with database.write.begin() as session:
        found = list(session.scalars(select(Absence).where(*waiting).order_by(Absence.id).with_for_update()))
        stand = stand_ins(session)
        for row in found:
            heir = session.get(Staff, stand.get(row.staff_id) or 0)
            if heir is not None and actor_of(heir).may("case.reply"):
                count = _hand_cases(session, DESK, row.staff_id, heir.id)
                record(session, "absence.handed", DESK, object_id=row.id, staff=heir.id, count=count)
            row.handed_at = utc_now()
        return len(found)
