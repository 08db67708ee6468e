"""A time from which a place's messages may be missing, and what has closed it since."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class Gap(Base):
    """From the last reading before it to the one that noticed it; ``from_at`` None: nothing was read before.

    ``closed_by`` is the walk that read it all again; where the platform keeps no history it stays open for good.
    """

    __tablename__ = "gap"
    __table_args__ = (Index(None, "source_id", "closed_at"),)

    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    from_at: Mapped[datetime | None]
    to_at: Mapped[datetime] = mapped_column(default=utc_now)
    reason: Mapped[str] = mapped_column(Text)
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
