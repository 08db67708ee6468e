"""What people have read of «Остальное»: messages that need no answer, only a look."""

from collections.abc import Sequence

from sqlalchemy import update
from sqlalchemy.orm import Session

from models import Message, utc_now
from services.events import record
from services.rights import Actor, require


def mark_read(session: Session, actor: Actor, message_ids: Sequence[int]) -> int:
    """Marks messages without a case as read; returns how many were not yet."""
    require(actor, "case.assign")
    wanted = list(message_ids)[:500]
    changed = session.execute(
        update(Message)
        .where(Message.id.in_(wanted), Message.case_id.is_(None), Message.read_at.is_(None))
        .values(read_at=utc_now())
    )
    count = int(changed.rowcount)  # type: ignore[attr-defined]
    if count:
        record(session, "messages.read", actor, count=count)
    return count
