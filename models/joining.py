"""Two cases that became one, with what it takes to part them again."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Joining(Base):
    """``moved``: column → ids of the rows that went from the case ``gone_id`` into ``kept_id``. ``before`` and
    ``after``: what stood in both cases and in their clocks. ``event_id``: the last event of the joining itself;
    what is newer was done to the joined case."""

    __tablename__ = "joining"
    __table_args__ = (Index(None, "gone_id"), Index(None, "kept_id"))

    gone_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    kept_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    moved: Mapped[dict[str, Any]] = mapped_column(default=dict)
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(default=dict)
    event_id: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
