"""What people are told of deadlines: the sweep that finds it, whom it concerns, and the list behind the bell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from models import (
    Act,
    Author,
    Broadcast,
    Case,
    Client,
    Clock,
    Contract,
    Mention,
    Message,
    Notice,
    Route,
    Source,
    Staff,
    Task,
    utc_now,
)
from models.database import Database
from services.absences import instead, quiet_until, stand_ins
from services.choices import unseen_kinds
from services.events import record
from services.leases import hold_cases
from services.questions import first_name, without_contacts
from services.rights import DESK, DESK_ROLES, Actor, actor_of
from services.route_states import OWED
from services.routing import sees_inquiry
from services.silence import KIND as SILENT
from services.silence import SINCE
from services.sla import SHARES, reckon
from services.terms import Policy, policy_of
from services.watch import STILL
from services.words_owed import UPDATE

BATCH = 200
PAGE = 100
OF_THE_DESK = ("backup.late", "webhook.failed", "messenger.moved")
"""Kinds that speak of no case."""
OF_PEOPLE = (
    "note.mention", "case.followed", "mark.low", *(f"{UPDATE}.{level}" for level in (1, 2, 3)),
    "inquiry.answered", "inquiry.declined", "inquiry.clarify",
)  # fmt: skip
"""Kinds that are told whatever state the case is in."""
LIVELY = ("planned", "duty", "live")
"""Of a broadcast in another state nobody need be told any more."""
GRAVE = ("CPUB", "CPRV", "CLAIM")
"""Classes of which the director hears when half as much again as the term is over (domain.md §6.6)."""


@dataclass(frozen=True, slots=True)
class Line:
    """A notice as the list shows it; a department's people see the question, never the case."""

    notice: Notice
    author: str
    text: str
    number: str | None
    task: Task | None = None


def notices_of(session: Session, actor: Actor, now: datetime | None = None, *, bell: bool = True) -> list[Line]:
    """What waits to be seen, newest first; what is over by itself is left out. ``bell``: as the person chose it."""
    columns: Any = select(
        Notice,
        Case,
        Author.name,
        Message.text,
        Route.question,
        Task,
        Client.name,
        func.coalesce(Broadcast.title, Source.title),
        Contract.number,
    )
    query = (
        _waiting(session, columns, actor, now, bell)
        .outerjoin(Author, Author.id == Case.author_id)
        .outerjoin(Message, Message.id == Case.first_message_id)
        .outerjoin(Contract, Contract.id == Notice.contract_id)
        .outerjoin(Client, Client.id == func.coalesce(Task.client_id, Contract.client_id))
    )
    lines = []
    for notice, case, name, text, question, task, client, title, contract in session.execute(
        query.order_by(Notice.id.desc()).limit(PAGE)
    ):
        if title is not None:
            lines.append(Line(notice, "", title, None))
        elif notice.contract_id is not None:
            lines.append(Line(notice, "", client or "", f"№ {contract}" if contract else None))
        elif task is not None:
            lines.append(Line(notice, client or "", task.text, None, task))
        elif question is not None and not actor.may("case.view"):
            lines.append(Line(notice, first_name(name) or "", without_contacts(question), None))
        else:
            lines.append(Line(notice, name or "", question or text or "", case.number if case else None))
    return lines


def count_notices(session: Session, actor: Actor, now: datetime | None = None) -> int:
    """The number beside the bell."""
    return session.scalar(_waiting(session, select(func.count(Notice.id)), actor, now)) or 0


def _waiting(
    session: Session, query: Select[Any], actor: Actor, now: datetime | None, bell: bool = True
) -> Select[Any]:
    found = (
        query.select_from(Notice)
        .outerjoin(Case, Case.id == Notice.case_id)
        .outerjoin(Route, Route.id == Notice.route_id)
        .outerjoin(Act, Act.id == Notice.act_id)
        .outerjoin(Task, Task.id == Notice.task_id)
        .outerjoin(Broadcast, Broadcast.id == Notice.broadcast_id)
        .outerjoin(Source, Source.id == Notice.source_id)
        .where(
            Notice.staff_id == actor.staff_id,
            Notice.seen_at.is_(None),
            Notice.show_at <= (now or utc_now()),
            or_(
                STILL,
                Notice.kind.in_(OF_THE_DESK + OF_PEOPLE),
                Task.state == "open",
                Notice.contract_id.is_not(None),
                Broadcast.state.in_(LIVELY),
                Source.consent_until == Notice.due_at,  # whoever has connected again hears no more of it
                and_(Notice.kind == SILENT, Source.error_code.is_not(None), Notice.created_at >= SINCE),
                and_(
                    Notice.act_id.is_(None),
                    Case.open_key.is_not(None),
                    or_(Notice.route_id.is_(None), Route.state.in_(OWED)),
                ),
                and_(Route.case_id.is_(None), Route.state.in_(OWED)),
            ),
        )
    )
    # Whoever left a department is told nothing of its questions any more.
    mine = or_(
        Route.department_id.in_(actor.departments),
        Notice.task_id.is_not(None),
        Notice.broadcast_id.is_not(None),
        Notice.source_id.is_not(None),
        Notice.contract_id.is_not(None),
        Notice.kind.in_(OF_THE_DESK),
    )
    left_out = unseen_kinds(session, actor.staff_id) if bell else None
    if left_out is not None:
        found = found.where(~left_out)
    return found if actor.may("case.view") else found.where(mine)


def see_notice(session: Session, actor: Actor, notice_id: int) -> Notice | None:
    """The person has seen it; None when it is not theirs."""
    notice = session.get(Notice, notice_id)
    if notice is None or notice.staff_id != actor.staff_id:
        return None
    notice.seen_at = notice.seen_at or utc_now()
    called = update(Mention).where(Mention.staff_id == notice.staff_id, Mention.case_id == notice.case_id)
    session.execute(called.where(Mention.seen_at.is_(None)).values(seen_at=notice.seen_at))
    return notice


def see_all(session: Session, actor: Actor, up_to: int) -> None:
    """Everything that the list showed; what came since, with a greater id, stays."""
    session.execute(
        update(Notice)
        .where(Notice.staff_id == actor.staff_id, Notice.seen_at.is_(None), Notice.id <= up_to)
        .values(seen_at=utc_now())
    )


def due_clocks(session: Session, now: datetime, limit: int = BATCH) -> list[int]:
    """Ids of clocks of which somebody is to be told, the longest due first; by one index."""
    query = (
        select(Clock.id)
        .where(Clock.next_at <= now, Clock.done_at.is_(None))
        .order_by(Clock.next_at, Clock.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def run_warn(database: Database) -> int:
    """Tells whom it concerns of every clock at 80, 100 and 150 % of its term, once; returns how many."""
    done = 0
    while True:
        now = utc_now()
        with database.read.begin() as session:
            found = due_clocks(session, now)
        if not found:
            return done
        with database.write.begin() as session:
            _warn(session, found, now)
        done += len(found)


def _warn(session: Session, clock_ids: Sequence[int], now: datetime) -> None:
    # Read anew and held: an answer may have ended one since it was found.
    held = (
        select(Clock)
        .where(Clock.id.in_(clock_ids), Clock.next_at <= now, Clock.done_at.is_(None))
        .order_by(Clock.id)
    )
    # The cases first, as whoever answers takes them: their facts are written with the clocks.
    wanted = select(Clock.case_id).where(Clock.id.in_(clock_ids), Clock.case_id.is_not(None)).distinct()
    cases = {case.id: case for case in hold_cases(session, [one for one in session.scalars(wanted) if one])}
    clocks = [one for one in session.scalars(held.with_for_update()) if one.case_id is None or one.case_id in cases]
    asked = {clock.route_id for clock in clocks if clock.route_id is not None}
    routes = {route.id: route for route in session.scalars(select(Route).where(Route.id.in_(asked)))}
    staff = {row.id: row for row in session.scalars(select(Staff))}
    policy, people, stand = policy_of(session), [actor_of(row) for row in staff.values()], stand_ins(session, now)
    for clock in clocks:
        case = cases.get(clock.case_id or 0)
        while clock.next_at is not None and clock.next_at <= now:
            clock.level += 1
            reckon(policy, clock)
        route = routes.get(clock.route_id or 0)
        for staff_id in _hearers(people, stand, clock, case, route):
            _tell(session, policy, staff[staff_id], clock, now)
        given: dict[str, Any] = {"code": clock.kind, "level": clock.level}
        record(session, "clock.warned", DESK, case_id=clock.case_id, object_id=clock.id, **given)


def _tell(session: Session, policy: Policy, staff: Staff, clock: Clock, now: datetime) -> None:
    """One line a case and question: the new one stands for those before it."""
    session.execute(
        update(Notice)
        .where(
            Notice.staff_id == staff.id, Notice.case_id == clock.case_id, Notice.seen_at.is_(None),
            Notice.route_id.is_(None) if clock.route_id is None else Notice.route_id == clock.route_id,
        )
        .values(seen_at=now)
    )  # fmt: skip
    session.add(
        Notice(
            staff_id=staff.id, kind=f"{clock.kind}.{clock.level}", case_id=clock.case_id, route_id=clock.route_id,
            due_at=clock.due_at, show_at=quiet_until(staff, policy, now), created_at=now,
        )
    )  # fmt: skip


def addressees(people: Sequence[Actor], clock: Clock, case: Case | None, route: Route | None) -> list[int]:
    """Whom a clock concerns at its level: whoever owes at 80 %, the head besides at 100 %, and of a grave case the
    director at 150 %; where nobody holds the role, the head, then an administrator. Of a request that belongs to no
    case (None) the desk is whoever asked it, and nobody else: others do not see it."""
    heads = _with_role(people, "head") or _with_role(people, "administrator")
    if clock.level >= len(SHARES):
        higher = _with_role(people, "director") or heads
        return _ids(higher) if clock.sla_class in GRAVE or clock.kind == UPDATE else []
    act = "case.reply" if case is not None else "inquiry.ask"
    owner_id = case.assignee_id if case is not None else route and route.asked_by_id
    owner = [one for one in people if one.staff_id == owner_id and one.may(act)]
    desk = owner or (_with_role(people, *DESK_ROLES) if case is not None else []) or heads
    owing = desk
    if route is not None:
        owing = [one for one in people if route.department_id in one.departments and one.may("route.answer")]
    told = [owing or desk] if clock.level == 1 else [owing, desk, heads]
    return _ids([one for group in told for one in group])


def _hearers(
    people: Sequence[Actor], stand: Mapping[int, int | None], clock: Clock, case: Case | None, route: Route | None
) -> list[int]:
    """The same with deputies in place of whoever is away, but for those who may not see the request."""
    told = addressees(people, clock, case, route)
    found = instead(stand, told)
    if case is not None or route is None:
        return found
    sees = {one.staff_id for one in people if route.department_id in one.departments or sees_inquiry(one, route)}
    return [one for one in found if one in sees] or told


def _ids(people: Sequence[Actor]) -> list[int]:
    return sorted({one.staff_id for one in people if one.staff_id is not None})


def _with_role(people: Sequence[Actor], *roles: str) -> list[Actor]:
    return [one for one in people if one.roles.intersection(roles)]
