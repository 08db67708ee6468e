"""Approvals: one person asks, another agrees, and only to the very text that was shown."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Approval, utc_now
from services.contracts.machines import has_accounting
from services.errors import Forbidden, Refused
from services.rights import Actor


def approvals_of(session: Session, subject: str, subject_id: int) -> list[Approval]:
    """The newest first."""
    query = select(Approval).where(Approval.subject == subject, Approval.subject_id == subject_id)
    return list(session.scalars(query.order_by(Approval.id.desc())))


def standing(session: Session, subject: str, subject_id: int) -> Approval | None:
    """The approval that counts: agreed, not voided."""
    return next(
        (
            row
            for row in approvals_of(session, subject, subject_id)
            if row.decision == "agreed" and not row.voided_at
        ),
        None,
    )


def ask(session: Session, actor: Actor, subject: str, subject_id: int, digest: str) -> None:
    void(session, subject, subject_id)
    session.add(Approval(subject=subject, subject_id=subject_id, hash=digest, asked_by_id=actor.staff_id))


def decide(
    session: Session, actor: Actor, subject: str, subject_id: int, digest: str, *, agreed: bool, remark: str = "",
    author_id: int | None = None,
) -> None:  # fmt: skip
    """Raises Forbidden(«approval.own») for one's own text where accounting has a login, Refused(«approval.changed»)
    when the text is another than was shown, Refused(«approval.remark») for a return without a word."""
    row = next((one for one in approvals_of(session, subject, subject_id) if one.decision is None), None)
    if row is None or row.voided_at is not None or row.hash != digest:
        raise Refused("approval.changed")
    is_own = actor.staff_id is not None and actor.staff_id in (author_id, row.asked_by_id)
    if is_own and has_accounting(session):
        raise Forbidden("approval.own")
    if not agreed and not remark.strip():
        raise Refused("approval.remark")
    row.decision, row.remark = "agreed" if agreed else "returned", remark.strip()
    row.decided_by_id, row.decided_at = actor.staff_id, utc_now()


def void(session: Session, subject: str, subject_id: int) -> bool:
    """The text was changed: what was agreed or asked counts no more. True when there was something to void."""
    rows = [row for row in approvals_of(session, subject, subject_id) if row.voided_at is None]
    live = [row for row in rows if row.decision in (None, "agreed")]
    for row in live:
        row.voided_at = utc_now()
    return bool(live)
