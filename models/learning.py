"""How the classifier learns: its trainings with their figures, and the random texts that people check blind."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Training(Base):
    """``state``: running · live · refused · failed. ``version`` is the artifact's, None until there is one.

    ``reason``: first · corrections · night · hand · return. ``figures`` are of held-out texts, ``decision`` is
    what the gate compared, ``lessons`` how many corrections it had and ``last_label_id`` the newest of them.
    """

    __tablename__ = "training"
    __table_args__ = (Index(None, "state", "id"),)

    version: Mapped[str | None]
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(default="running")
    lessons: Mapped[int] = mapped_column(default=0)
    last_label_id: Mapped[int] = mapped_column(default=0)
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    decision: Mapped[dict[str, Any]] = mapped_column(default=dict)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]


class Audit(Base):
    """A message drawn at random; ``pile``: all · rest. ``label`` is what a person said without seeing the
    suggestion, ``suggested`` what the classifier had said then; such a text is never trained on."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "pile", "label", "id"), Index(None, "drawn_at"))

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), unique=True)
    pile: Mapped[str]
    drawn_at: Mapped[datetime] = mapped_column(default=utc_now)
    suggested: Mapped[str]
    sure: Mapped[bool] = mapped_column(default=False)
    actionable: Mapped[float | None]
    version: Mapped[str | None]
    label: Mapped[str | None]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
