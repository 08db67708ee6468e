"""Of which part of which message a case is, where one message speaks of two matters."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Excerpt, Message

MARK = ":part-"
"""In the subject key of such a case; what the author writes next belongs to the first one."""


def excerpt_of(session: Session, case_id: int) -> Excerpt | None:
    """What a case is about that was split off another one's message."""
    return session.scalar(select(Excerpt).where(Excerpt.case_id == case_id))


def excerpts_of(session: Session, case_ids: Sequence[int]) -> dict[int, str]:
    """case → the words that it is about, for those that have some."""
    if not case_ids:
        return {}
    query = select(Excerpt.case_id, Excerpt.text).where(Excerpt.case_id.in_(case_ids))
    return {row.case_id: row.text for row in session.execute(query)}


def message_of(session: Session, case_id: int) -> Message | None:
    """The message in which the words of such a case stand."""
    query = select(Message).join(Excerpt, Excerpt.message_id == Message.id).where(Excerpt.case_id == case_id)
    return session.scalar(query)


def parts_of(session: Session, message_ids: Sequence[int]) -> dict[int, list[Excerpt]]:
    """message → what was split off it."""
    found: dict[int, list[Excerpt]] = {}
    for row in session.scalars(select(Excerpt).where(Excerpt.message_id.in_(message_ids)).order_by(Excerpt.id)):
        found.setdefault(row.message_id, []).append(row)
    return found
