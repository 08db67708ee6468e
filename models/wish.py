"""What people asked for and what became of it: the register of wishes, and what was found on a complaint."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class Wish(Base):
    """One wish, however many asked. ``state``: new · accepted · declined · done; ``answer`` is what all of them
    are offered to be told."""

    __tablename__ = "wish"
    __table_args__ = (Index(None, "state", "id"),)

    title: Mapped[str]
    state: Mapped[str] = mapped_column(default="new")
    answer: Mapped[str] = mapped_column(Text, default="")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class WishCase(Base):
    """Who asked for it: a case stands under one wish."""

    __tablename__ = "wish_case"
    __table_args__ = (UniqueConstraint("case_id"), Index(None, "wish_id"))

    wish_id: Mapped[int] = mapped_column(ForeignKey("wish.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    told_at: Mapped[datetime | None]  # an answer was begun from the register
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Verdict(Base):
    """``outcome`` of a complaint: justified · partly · no, and what was done about it."""

    __tablename__ = "verdict"

    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), unique=True)
    outcome: Mapped[str]
    measures: Mapped[str] = mapped_column(Text, default="")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    found_at: Mapped[datetime] = mapped_column(default=utc_now)
