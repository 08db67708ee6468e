"""A deadline that runs: for our first answer, the end of a case, a department's answer, or what the law says."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now, where

_UNPASSED = where("passed_at IS NULL")


class Clock(Base):
    """``kind``: first · resolution · department · legal. Without ``case_id`` it is a department's, for a request
    that belongs to no case. It runs ``term_seconds`` by ``calendar``.

    ``paused_seconds`` is the working time that did not count, ``paused_at`` says since when it stands still.
    ``level`` counts the warnings given, ``next_at`` is when the next one is due; None: nothing is to be told.
    """

    __tablename__ = "clock"
    __table_args__ = (Index(None, "case_id"), Index(None, "route_id"), Index(None, "next_at"))

    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    route_id: Mapped[int | None] = mapped_column(ForeignKey("route.id"))
    kind: Mapped[str]
    sla_class: Mapped[str]
    calendar: Mapped[str]
    term_seconds: Mapped[int]
    started_at: Mapped[datetime]
    due_at: Mapped[datetime]
    warn_at: Mapped[datetime]
    paused_at: Mapped[datetime | None]
    paused_seconds: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None]
    level: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]


class Notice(Base):
    """What the desk tells one person behind the bell; ``show_at`` is later than ``created_at`` in quiet hours.

    ``passed_at``: it was handed on to mail or a messenger, or need not be (services.choices).
    """

    __tablename__ = "notice"
    __table_args__ = (
        Index(None, "staff_id", "seen_at", "show_at"),
        Index(None, "case_id"),
        Index(None, "act_id"),
        Index(None, "task_id"),
        Index(None, "source_id"),
        Index(None, "contract_id"),
        Index("ix_notice_unpassed", "show_at", **_UNPASSED),
    )

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    kind: Mapped[str]
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    route_id: Mapped[int | None] = mapped_column(ForeignKey("route.id"))
    act_id: Mapped[int | None] = mapped_column(ForeignKey("act.id"))
    task_id: Mapped[int | None]
    source_id: Mapped[int | None] = mapped_column(ForeignKey("source.id"))
    broadcast_id: Mapped[int | None]
    contract_id: Mapped[int | None]
    due_at: Mapped[datetime | None]
    show_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime | None]
    passed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
