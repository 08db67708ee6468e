"""What does not get out is told: a bell for acts that failed, that nobody can tell of, or that wait too long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from models import Act, Notice, Staff, utc_now
from models.database import Database
from services.absences import instead, stand_ins
from services.agreement import Agreement, agreement_of
from services.rights import DESK_ROLES, Actor, actor_of
from services.terms import Policy, policy_of

BATCH = 200


@dataclass(frozen=True, slots=True)
class Watch:
    """Acts in ``states`` for longer than ``after`` are told to ``whom``: writer · head · deputies."""

    kind: str
    states: tuple[str, ...]
    after: timedelta
    whom: str


WATCHES = (
    Watch("act.doubt", ("review", "dead"), timedelta(0), "writer"),
    Watch("act.late", ("held", "queued", "retry", "sending", "unknown"), timedelta(minutes=15), "writer"),
    Watch("act.unsettled", ("review", "dead", "retry", "unknown"), timedelta(hours=2), "head"),
    Watch("act.agree", ("approval",), timedelta(0), "head"),
    Watch("act.deputy", ("approval",), timedelta(minutes=30), "deputies"),
)
"""``act.deputy`` waits as long as the agreement says, the others as long as stands here."""
STILL: ColumnElement[bool] = or_(*(and_(Notice.kind == w.kind, Act.state.in_(w.states)) for w in WATCHES))
"""A notice whose act has come to rest is told to nobody any more."""


def run_watch(database: Database, now: datetime | None = None) -> int:
    """Tells whom it concerns of every act that waits too long, once; returns how many acts."""
    found = 0
    for watch in WATCHES:
        with database.write.begin() as session:
            found += _tell(session, watch, now or utc_now())
    return found


def late_acts(session: Session, watch: Watch, agreement: Agreement, now: datetime) -> list[Act]:
    """Those of whom nobody was told yet, the oldest first."""
    after = timedelta(minutes=agreement.minutes) if watch.whom == "deputies" else watch.after
    # What waits counts from when it may go, what was tried from the latest attempt.
    since = func.coalesce(Act.attempted_at, Act.created_at)
    begun = or_(
        and_(Act.state.in_(("held", "queued", "retry")), Act.due_at <= now - after),
        and_(Act.state.not_in(("held", "queued", "retry")), since <= now - after),
    )
    told = exists().where(Notice.act_id == Act.id, Notice.kind == watch.kind)
    query = select(Act).where(Act.state.in_(watch.states), Act.case_id.is_not(None), begun, ~told)
    return list(session.scalars(query.order_by(Act.id).limit(BATCH)))


def _tell(session: Session, watch: Watch, now: datetime) -> int:
    agreement = agreement_of(session)
    acts = late_acts(session, watch, agreement, now)
    if not acts:
        return 0
    people = [actor_of(row) for row in session.scalars(select(Staff))]
    policy, stand = policy_of(session), stand_ins(session, now)
    for act in acts:
        for staff_id in instead(stand, addressees(people, watch, act, agreement)):
            session.add(_notice(policy, watch, act, staff_id, now))
    return len(acts)


def _notice(policy: Policy, watch: Watch, act: Act, staff_id: int, now: datetime) -> Notice:
    return Notice(
        staff_id=staff_id, kind=watch.kind, case_id=act.case_id, act_id=act.id, show_at=policy.after_quiet(now),
        created_at=now,
    )  # fmt: skip


def addressees(people: Sequence[Actor], watch: Watch, act: Act, agreement: Agreement) -> list[int]:
    """The writer, or the desk where the writer is gone; the heads, or an administrator where there is none."""
    heads = [one for one in people if one.may("reply.approve")]
    heads = heads or [one for one in people if one.may("settings.edit")]
    if watch.whom == "writer":
        writer = [one for one in people if one.staff_id == act.staff_id and one.may("case.reply")]
        told = writer or [one for one in people if one.roles.intersection(DESK_ROLES)] or heads
    elif watch.whom == "deputies":
        told = [
            one for one in people
            if one.staff_id in agreement.deputies and one.may("case.reply") and one.staff_id != act.staff_id
        ]  # fmt: skip
    else:
        told = heads
    return sorted({one.staff_id for one in told if one.staff_id is not None})
