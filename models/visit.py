"""Places that a person looks into, and each look: the log of checks of channels without a connector."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class VisitedPlace(Base):
    """Within ``opens`` to ``closes`` (local, «HH:MM») it is looked into every ``every_minutes``.

    With a ``source_id`` the connector's readings count as looks. ``last_at`` is the latest look of either kind.
    """

    __tablename__ = "visited_place"
    __table_args__ = (Index(None, "active", "id"),)

    title: Mapped[str]
    url: Mapped[str] = mapped_column(Text, default="")
    every_minutes: Mapped[int] = mapped_column(default=120)
    opens: Mapped[str] = mapped_column(default="09:00")
    closes: Mapped[str] = mapped_column(default="21:00")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    source_id: Mapped[int | None] = mapped_column(ForeignKey("source.id"))
    active: Mapped[bool] = mapped_column(default=True)
    last_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Visit(Base):
    """``outcome``: nothing · found · unreachable, or «auto» of a connector that read. ``staff_id`` None:
    nobody, the connector."""

    __tablename__ = "visit"
    __table_args__ = (Index(None, "place_id", "at"), Index(None, "at"))

    place_id: Mapped[int] = mapped_column(ForeignKey("visited_place.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    outcome: Mapped[str]
    count: Mapped[int] = mapped_column(default=0)
    note: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(default=utc_now)
