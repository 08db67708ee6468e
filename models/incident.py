"""Many messages of one trouble: an incident with its counter, its one question and the cases that stand in it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class Incident(Base):
    """``state``: open · over · answered (everybody in it was offered the closing answer). ``open_key`` is the theme
    while it is open: the database itself forbids two of one theme. ``count`` is how many cases stand in it.
    ``opened_by_id`` None: the desk itself. ``closing`` is what its end is told with, ``bulk_id`` the telling.
    """

    __tablename__ = "incident"
    __table_args__ = (Index(None, "state", "id"),)

    theme: Mapped[str]
    title: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(default="open")
    open_key: Mapped[str | None] = mapped_column(unique=True)
    count: Mapped[int] = mapped_column(default=0)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))  # of the first message: the question's
    route_id: Mapped[int | None] = mapped_column(ForeignKey("route.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    opened_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    bulk_id: Mapped[int | None] = mapped_column(ForeignKey("bulk.id"))
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    closing: Mapped[str] = mapped_column(Text, default="")


class IncidentCase(Base):
    """One case of an incident. ``out_at``: a person took it out, it does not join again by itself.

    ``staff_id``: who put it in; None: it was like the others.
    """

    __tablename__ = "incident_case"
    __table_args__ = (Index(None, "incident_id", "id"),)

    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), unique=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    out_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
