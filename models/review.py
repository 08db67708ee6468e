"""How good our answers are: five of each person a week are read by the head; authors give marks of their own."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class ReviewDraw(Base):
    """A week whose answers were drawn, on its first day: the database itself forbids a second draw."""

    __tablename__ = "review_draw"

    week: Mapped[date] = mapped_column(unique=True)
    count: Mapped[int] = mapped_column(default=0)
    drawn_at: Mapped[datetime] = mapped_column(default=utc_now)


class Review(Base):
    """A sent answer that was drawn. ``state``: drawn · read · skipped.

    ``staff_id`` wrote it, ``reader_id`` read it. ``answered_at`` is when the platform took the answer: by it the
    reports count.
    """

    __tablename__ = "review"
    __table_args__ = (
        Index(None, "week", "state", "id"),
        Index(None, "staff_id", "state", "id"),
        Index(None, "case_id"),
        Index(None, "answered_at"),
    )

    week: Mapped[date]
    act_id: Mapped[int] = mapped_column(ForeignKey("act.id"), unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    answered_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="drawn")
    note: Mapped[str] = mapped_column(Text, default="")
    skip_reason: Mapped[str] = mapped_column(Text, default="")
    reader_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    read_at: Mapped[datetime | None]
    drawn_at: Mapped[datetime] = mapped_column(default=utc_now)


class ReviewMark(Base):
    """``mark``: 1 to 5; None: the criterion has nothing to do with this answer. ``criterion`` is its number in the
    table of criteria, which is never given to another one."""

    __tablename__ = "review_mark"
    __table_args__ = (UniqueConstraint("review_id", "criterion"), Index(None, "case_id"), Index(None, "criterion"))

    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    criterion: Mapped[int]
    mark: Mapped[int | None]


class Satisfaction(Base):
    """Under which answer an author was asked for a mark, and what they said: one mark a case.

    ``line`` is what stands under the text; by the SHA-256 of its link's code the row is found. ``marked_at`` is the
    first mark, ``changed_at`` the last one.
    """

    __tablename__ = "satisfaction"
    __table_args__ = (Index(None, "staff_id", "id"), Index(None, "mark", "id"))

    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), unique=True)
    reply_id: Mapped[int] = mapped_column(ForeignKey("reply.id"), unique=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    line: Mapped[str] = mapped_column(Text)
    mark: Mapped[int | None]
    comment: Mapped[str] = mapped_column(Text, default="")
    marked_at: Mapped[datetime | None]
    changed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
