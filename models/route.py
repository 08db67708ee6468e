"""A question handed over to a department, and its answer; a request to one that no client's message began."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now, where

_CASELESS = where("case_id IS NULL")
_CARDED = where("client_id IS NOT NULL")


class Department(Base):
    """A unit that answers routed questions; ``code`` is the name that rules and rights use."""

    __tablename__ = "department"

    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=0)


class Route(Base):
    """``state`` is a word of services.route_states.STATES (domain.md §6.2).

    Without ``case_id`` it is a request of the desk's own (domain.md, clause 5.1) that no client wrote;
    ``client_id`` may name the card of one. ``staff_id`` is whom of the department it is for, None: all of it.
    ``urgent``: it does not wait for an hour.
    """

    __tablename__ = "route"
    __table_args__ = (
        Index(None, "case_id"),
        Index(None, "department_id", "state", "id"),
        Index("ix_route_inquiry", "asked_by_id", "id", **_CASELESS),
        Index("ix_route_client", "client_id", **_CARDED),
    )

    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    department_id: Mapped[int] = mapped_column(ForeignKey("department.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    urgent: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default="sent")
    question: Mapped[str] = mapped_column(Text)
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    asked_at: Mapped[datetime] = mapped_column(default=utc_now)
    form_key: Mapped[str] = mapped_column(unique=True)
    opened_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(Text)
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    answered_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(Text)  # of the last return or refusal
    better_department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    returns: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)


class RouteFile(Base):
    """A photo, document or voice message beside an answer; ``asked``: beside the question, from who asked."""

    __tablename__ = "route_file"
    __table_args__ = (Index(None, "route_id"),)

    route_id: Mapped[int] = mapped_column(ForeignKey("route.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    kind: Mapped[str]  # photo · voice · document
    name: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    digest: Mapped[str]  # SHA-256: the same file sent twice is one
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    asked: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class RouteLine(Base):
    """What was asked back about a question, and what was said to it; the department and the desk both see it."""

    __tablename__ = "route_line"
    __table_args__ = (Index(None, "route_id"),)

    route_id: Mapped[int] = mapped_column(ForeignKey("route.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
