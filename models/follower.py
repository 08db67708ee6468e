"""Who follows a case, and who was named in a note beside it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Follower(Base):
    """Somebody of the desk who wants to know what happens to a case."""

    __tablename__ = "follower"
    __table_args__ = (UniqueConstraint("case_id", "staff_id"), Index(None, "staff_id"))

    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Mention(Base):
    """Somebody named with @ in a note; ``seen_at``: they have opened the case since."""

    __tablename__ = "mention"
    __table_args__ = (UniqueConstraint("note_id", "staff_id"), Index(None, "staff_id", "seen_at"))

    note_id: Mapped[int] = mapped_column(ForeignKey("note.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
