"""Replies that wait for somebody to agree: who must ask, who may agree and from when, and what supersedes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Act, Case, Reply, Setting, Staff, utc_now
from services.errors import Forbidden, Refused
from services.events import record
from services.outbox import move_act
from services.rights import Actor, actor_of, require

NAME = "agreement"
MOST_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Agreement:
    """``minutes``: after so long a reply passes to ``deputies`` (ids of staff) as well (day.md §1.6)."""

    minutes: int = 30
    deputies: frozenset[int] = frozenset()


def agreement_of(session: Session) -> Agreement:
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    return read_agreement(row.value) if row else Agreement()


def read_agreement(values: Mapping[str, Any]) -> Agreement:
    """Raises Refused for a time that is none or longer than a day."""
    minutes = values.get("minutes", 30)
    if not isinstance(minutes, int) or not 0 <= minutes <= MOST_MINUTES:
        raise Refused("agreement.minutes", most=MOST_MINUTES)
    return Agreement(minutes, frozenset(int(one) for one in values.get("deputies", ())))


def save_agreement(session: Session, actor: Actor, values: Mapping[str, Any]) -> Agreement:
    """Keeps who stands in for the head and after how long; raises Refused for somebody who answers nobody."""
    require(actor, "settings.edit")
    wanted = read_agreement(values)
    for staff_id in wanted.deputies:
        staff = session.get(Staff, staff_id)
        if staff is None or not actor_of(staff).may("case.reply"):
            raise Refused("agreement.deputy", id=staff_id)
    row = session.scalar(select(Setting).where(Setting.name == NAME).with_for_update())
    before = row.value if row else {}
    if row is None:
        row = Setting(name=NAME)
        session.add(row)
    row.value = {"minutes": wanted.minutes, "deputies": sorted(wanted.deputies)}
    row.updated_at = utc_now()
    record(session, "settings.changed", actor, code=NAME, before=before, after=row.value)
    return wanted


def offered(session: Session, case_id: int) -> list[tuple[Act, Reply]]:
    """The candidates of a case that nobody has decided on, oldest first."""
    rows = session.execute(
        select(Act, Reply).join(Reply, Reply.id == Act.reply_id)
        .where(Act.case_id == case_id, Act.state == "approval").order_by(Act.id)
    )  # fmt: skip
    return [(row[0], row[1]) for row in rows]


def needs_agreement(session: Session, actor: Actor) -> bool:
    """Whether what the actor writes waits for another person (day.md §1.6): off but for trainees."""
    staff = session.get(Staff, actor.staff_id) if actor.staff_id else None
    return staff is not None and staff.trainee


def may_agree(agreement: Agreement, actor: Actor, act: Act, now: datetime | None = None) -> bool:
    """Whoever has the right, and a deputy when nobody agreed in time; never one's own text as a deputy."""
    if actor.may("reply.approve"):
        return True
    waited = (now or utc_now()) - act.created_at
    is_deputy = actor.staff_id in agreement.deputies and actor.may("case.reply") and actor.staff_id != act.staff_id
    return is_deputy and waited >= timedelta(minutes=agreement.minutes)


def require_agreeing(session: Session, actor: Actor, act: Act) -> None:
    """Raises Forbidden unless the actor may agree to ``act`` now."""
    if not may_agree(agreement_of(session), actor, act):
        raise Forbidden("forbidden", act="reply.approve")


def supersede(session: Session, actor: Actor, case: Case, message_id: int | None = None) -> None:
    """Another reply to the message was chosen, or the case is closed (None): nothing of it is to be decided on."""
    for act, candidate in offered(session, case.id):
        if message_id in (None, candidate.message_id):
            move_act(act, "cancelled")
            record(session, "reply.superseded", actor, case_id=case.id, object_id=candidate.id)
