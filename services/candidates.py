"""Replies that wait for somebody to agree: who may agree and from when, and what supersedes them."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Act, Case, Reply, utc_now
from services.agreement import Agreement, agreement_of
from services.case_states import move
from services.errors import Forbidden
from services.events import record
from services.outbox import move_act
from services.rights import Actor


def offered(session: Session, case_id: int) -> list[tuple[Act, Reply]]:
    """The candidates of a case that nobody has decided on, oldest first."""
    rows = session.execute(
        select(Act, Reply).join(Reply, Reply.id == Act.reply_id)
        .where(Act.case_id == case_id, Act.state == "approval").order_by(Act.id)
    )  # fmt: skip
    return [(row[0], row[1]) for row in rows]


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


def end_waiting(session: Session, actor: Actor, case: Case) -> None:
    """Nothing waits for agreement any more: the case is in work again."""
    session.flush()
    if case.state == "approval" and not offered(session, case.id):
        move(session, case, "work", actor)
        case.lift = None
