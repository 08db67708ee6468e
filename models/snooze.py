"""A case put off: until when, and where it comes back to."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Snooze(Base):
    """Stands while the case is in the state «snoozed»; ``until`` None: only an answer wakes it.

    ``state`` is where the case was before.
    """

    __tablename__ = "snooze"
    __table_args__ = (Index(None, "until"),)

    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), unique=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    state: Mapped[str]
    until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
