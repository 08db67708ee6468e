"""«Утро»: what a head looks at before the day begins, each number with its list, and a word to who owes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from collectors import channel_class
from models import (
    Case,
    CaseFact,
    CaseStep,
    Clock,
    Delivery,
    Department,
    MessengerAccount,
    Notice,
    Route,
    RouteFact,
    Source,
    Staff,
    utc_now,
)
from services.cases import assign
from services.deliveries import MAIL
from services.events import record
from services.money.obligations import Owed, count_overdue, overdue
from services.nightly import backup_state
from services.outbox import UNPROVEN, count_unproven
from services.reports.answers import Age, Line, Share, queue, whole_line
from services.reports.cohorts import COHORTS, count, counts
from services.reports.cut import Cut
from services.reports.upkeep import is_rebuilding
from services.responsibility import table_of
from services.rights import Actor, actor_of, require
from services.route_states import OWED
from services.sla import Share as Spent
from services.sla import lateness
from services.terms import policy_of

SILENT = 3
"""A place is silent when it was not read for so many of its intervals."""
LEAST_SILENCE = timedelta(minutes=10)
MOST_OWED = 5
UNREACHED = timedelta(days=7)
WORRYING = ("retry", "unknown", "review", "dead")


@dataclass(frozen=True, slots=True)
class Owing:
    """What a department owes now."""

    unit: Department
    owed: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Load:
    """Open cases that a person leads, and answers of the last seven days."""

    key: int
    name: str
    led: int
    answers: int


@dataclass(frozen=True, slots=True)
class Morning:
    """``worst``: the case that is late longest, and whose time it was. ``week``: the last seven days,
    from ``since`` on. ``history``: open cases that stood there before their place was watched, in no figure."""

    late: int
    worst: tuple[Case, tuple[Spent, ...]] | None
    due_today: int
    unled: int
    owing: tuple[Owing, ...]
    requests: tuple[Owing, ...]  # the same of requests without a case
    unproven: int
    troubled: int
    places: int
    silent: tuple[Source, ...]
    queue: tuple[Age, ...]
    history: int
    since: date
    week: Line
    before: Line
    load: tuple[Load, ...]
    rebuilding: bool
    backup_late: bool
    undelivered: tuple[tuple[str, str], ...]  # who, by what
    contracts: dict[str, int]  # obligations that are late, by whose they are; none for whoever sees no contracts
    owed: tuple[Owed, ...]  # the oldest of the school's own
    gaps: tuple[Source, ...]  # places without anybody to lead what comes there

    @property
    def overdue(self) -> int:
        return sum(one.overdue for one in self.owing)

    @property
    def requests_late(self) -> int:
        return sum(one.overdue for one in self.requests)

    @property
    def hurried(self) -> dict[str, tuple[Department, int]]:
        """Departments that owe something beyond its term, of cases and of requests together."""
        found: dict[str, tuple[Department, int]] = {}
        for one in (*self.owing, *self.requests):
            if one.overdue:
                before = found.get(one.unit.code, (one.unit, 0))[1]
                found[one.unit.code] = (one.unit, before + one.overdue)
        return found

    @property
    def in_time(self) -> Share:
        return self.week.in_time


def morning(session: Session, actor: Actor, today: Cut, now: datetime) -> Morning:
    """The page as of ``now``; ``today`` is the local day."""
    require(actor, "report.view")
    week = Cut(today.first - timedelta(days=6), today.last, today.zone)
    states = count_unproven(session)
    read = session.scalars(select(Source).where(Source.state.not_in(("paused", "manual"))).order_by(Source.id))
    watched = [one for one in read if channel_class(one.platform).can.grade != "manual"]
    return Morning(
        late=count(session, "late_now", today, now), worst=_worst(session, today, now),
        due_today=count(session, "due_today", today, now), unled=count(session, "unled", today, now),
        owing=_owing(session, today, now), requests=_requests(session, now),
        unproven=sum(states.get(state, 0) for state in UNPROVEN),
        troubled=sum(states.get(state, 0) for state in WORRYING), places=len(watched),
        silent=tuple(place for place in watched if is_silent(place, now)), queue=tuple(queue(session, today, now)),
        history=count(session, "history", today, now),
        since=week.first, week=whole_line(session, week, now), before=whole_line(session, week.before(), now),
        load=_load(session, week, now), rebuilding=is_rebuilding(session),
        backup_late=backup_state(session, now).late, undelivered=_undelivered(session, now),
        contracts=count_overdue(session, today.last) if actor.may("contract.view") else {},
        owed=_owed(session, actor, today),
        gaps=table_of(session).gaps,
    )  # fmt: skip


def _owed(session: Session, actor: Actor, today: Cut) -> tuple[Owed, ...]:
    if not actor.may("contract.view"):
        return ()
    return tuple(overdue(session, actor, today.last, MOST_OWED, side="school"))


def _undelivered(session: Session, now: datetime) -> tuple[tuple[str, str], ...]:
    """(who, by what) letters of the last days did not reach, where none has reached them so since; of a messenger
    only while the person's account there stands."""
    last = select(func.max(Delivery.id)).where(Delivery.state.in_(("sent", "dead")))
    bound = select(MessengerAccount.id).where(
        MessengerAccount.staff_id == Delivery.staff_id,
        MessengerAccount.platform == Delivery.channel,
        MessengerAccount.ended_at.is_(None),
        MessengerAccount.created_at <= Delivery.created_at,
    )
    query = (
        select(Staff.name, Delivery.channel)
        .join(Delivery, Delivery.staff_id == Staff.id)
        .where(Delivery.id.in_(last.group_by(Delivery.staff_id, Delivery.channel)), Delivery.state == "dead")
        .where(Delivery.created_at > now - UNREACHED, Staff.active)
        .where((Delivery.channel == MAIL) | bound.exists())
    )
    return tuple((row[0], row[1]) for row in session.execute(query.order_by(Staff.name, Delivery.channel)))


def is_silent(place: Source, now: datetime) -> bool:
    """Not read for three of its intervals, at least ten minutes: what is written there is not seen."""
    longest = max(timedelta(seconds=place.every_seconds * SILENT), LEAST_SILENCE)
    return place.state == "stopped" or now - (place.read_at or place.created_at) > longest


def _worst(session: Session, today: Cut, now: datetime) -> tuple[Case, tuple[Spent, ...]] | None:
    cohort = COHORTS["late_now"]
    first = func.coalesce(CaseFact.first_due_at, CaseFact.resolution_due_at)
    case_id = session.scalar(cohort.query((CaseFact.id,), today, now).order_by(first, CaseFact.id).limit(1))
    if case_id is None:
        return None
    case = session.get_one(Case, case_id)
    return case, tuple(lateness(session, case, now))


def _owing(session: Session, today: Cut, now: datetime) -> tuple[Owing, ...]:
    owing = select(RouteFact.department_id, func.count()).where(RouteFact.outcome.is_(None))
    owed = {row[0]: row[1] for row in session.execute(owing.group_by(RouteFact.department_id))}
    late = counts(session, "ask_overdue", RouteFact.department_id, today, now)
    units = session.scalars(select(Department).order_by(Department.position, Department.id))
    return tuple(Owing(unit, owed[unit.id], late.get(unit.id, 0)) for unit in units if unit.id in owed)


def _load(session: Session, week: Cut, now: datetime) -> tuple[Load, ...]:
    led = counts(session, "led", CaseFact.lead_id, week, now)
    sent = counts(session, "answers", CaseStep.staff_id, week, now)
    people = session.scalars(select(Staff).where(Staff.active).order_by(Staff.name))
    return tuple(
        Load(one.id, one.name, led.get(one.id, 0), sent.get(one.id, 0))
        for one in people
        if one.id in led or one.id in sent or actor_of(one).roles.intersection(("smm", "client_manager"))
    )


def hurry(session: Session, actor: Actor, department_id: int) -> int:
    """«Поторопить»: the department's people are told of every question that they owe beyond its term; returns of
    how many. Whoever has not yet seen the last such word is not told twice."""
    require(actor, "case.route")
    return _hurry(session, actor, Route.department_id == department_id)


def hurry_cases(session: Session, actor: Actor, case_ids: Sequence[int]) -> int:
    """The same of these cases, whichever department owes."""
    require(actor, "case.route")
    return _hurry(session, actor, Route.case_id.in_(case_ids))


def hurry_route(session: Session, actor: Actor, route_id: int) -> int:
    """The same of one question; whoever calls has asked whether the actor may."""
    return _hurry(session, actor, Route.id == route_id)


def give_cases(session: Session, actor: Actor, case_ids: Sequence[int], staff_id: int | None) -> int:
    """«Взять себе», «Передать другому» of several at once; returns how many were not theirs before. Nobody gets a
    part of them: the first that cannot be given stops all."""
    require(actor, "case.assign")
    ids = sorted(set(case_ids))
    query = select(Case.id).where(Case.id.in_(ids), Case.assignee_id.is_distinct_from(staff_id))
    others = list(session.scalars(query.order_by(Case.id)))
    for case_id in others:
        assign(session, actor, case_id, staff_id)
    return len(others)


def _hurry(session: Session, actor: Actor, which: ColumnElement[bool]) -> int:
    now = utc_now()
    late = late_clock(now).exists()
    routes = session.scalars(select(Route).where(which, Route.state.in_(OWED), late).order_by(Route.id)).all()
    people = [actor_of(row) for row in session.scalars(select(Staff).where(Staff.active))]
    waiting = _waiting(session, [route.id for route in routes])
    policy = policy_of(session)
    for route in routes:
        for one in people:
            owes = route.department_id in one.departments and one.may("route.answer")
            if owes and (one.staff_id, route.id) not in waiting:
                session.add(
                    Notice(
                        staff_id=one.staff_id, kind="hurry", case_id=route.case_id, route_id=route.id,
                        show_at=policy.after_quiet(now), created_at=now,
                    )
                )  # fmt: skip
        record(session, "route.hurried", actor, case_id=route.case_id, object_id=route.id)
    return len(routes)


def late_clock(now: datetime) -> Select[int]:
    """The clock of a route's department, where it runs and is over: to be asked with ``exists``."""
    running = select(Clock.id).where(Clock.route_id == Route.id, Clock.kind == "department")
    return running.where(Clock.done_at.is_(None), Clock.due_at < now)


def _requests(session: Session, now: datetime) -> tuple[Owing, ...]:
    """What departments owe of requests that belong to no case: reports count cases, so these stand apart."""
    owed = (Route.case_id.is_(None), Route.state.in_(OWED))

    def _counted(*more: ColumnElement[bool]) -> dict[int, int]:
        query = select(Route.department_id, func.count()).where(*owed, *more).group_by(Route.department_id)
        return {row[0]: row[1] for row in session.execute(query)}

    every, late = _counted(), _counted(late_clock(now).exists())
    units = session.scalars(select(Department).order_by(Department.position, Department.id))
    return tuple(Owing(unit, every[unit.id], late.get(unit.id, 0)) for unit in units if unit.id in every)


def _waiting(session: Session, route_ids: Sequence[int]) -> set[tuple[int | None, int | None]]:
    query = select(Notice.staff_id, Notice.route_id)
    return {
        (row[0], row[1])
        for row in session.execute(
            query.where(Notice.kind == "hurry", Notice.seen_at.is_(None), Notice.route_id.in_(route_ids))
        )
    }
