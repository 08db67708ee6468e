"""A part of a message that is a case of its own."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class Excerpt(Base):
    """``text`` is what the case is about; the message itself stays with ``from_case_id``, where it came."""

    __tablename__ = "excerpt"
    __table_args__ = (Index(None, "message_id"),)

    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), unique=True)
    from_case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    text: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
