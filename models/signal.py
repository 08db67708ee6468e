"""What may start another clock, as the classifier proposed it and a person decided."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Signal(Base):
    """``state``: proposed · yes · no. ``certain``: the words leave no doubt, the classifier says.

    ``staff_id`` and ``decided_at`` are of the person who said yes or no (day.md §1.5).
    """

    __tablename__ = "signal"
    __table_args__ = (UniqueConstraint("message_id", "name"), Index(None, "state", "name", "message_id"))

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    name: Mapped[str]
    state: Mapped[str] = mapped_column(default="proposed")
    certain: Mapped[bool] = mapped_column(default=False)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
