"""Marks that people make by hand, and the cases that bear them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Tag(Base):
    """``key`` is the name folded, so that one mark is not made twice in another case of letters."""

    __tablename__ = "tag"

    name: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class CaseTag(Base):
    """A case that bears a mark."""

    __tablename__ = "case_tag"
    __table_args__ = (UniqueConstraint("case_id", "tag_id"), Index(None, "tag_id", "case_id"))

    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    tag_id: Mapped[int] = mapped_column(ForeignKey("tag.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
