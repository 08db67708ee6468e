"""What somebody is to do about a client, and what colleagues write beside a card."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now, where

_OPEN = where("state = 'open'")


class Task(Base):
    """``kind``: todo · call_back · promise. ``state``: open · done · dropped.

    ``staff_id`` None: whoever of the desk comes first. ``remind_at`` is when its people are told next, None when
    they were. ``tries`` counts calls that reached nobody. ``open_key`` is «call_back:+7…» while a call-back of a
    number is open, so that five missed calls make one task.
    """

    __tablename__ = "task"
    __table_args__ = (
        Index(None, "client_id", "id"),
        Index(None, "case_id"),
        Index("ix_task_due", "due_at", "id", **_OPEN),
        Index("ix_task_staff_due", "staff_id", "due_at", "id", **_OPEN),
        Index("ix_task_remind", "remind_at", **_OPEN),
    )

    kind: Mapped[str] = mapped_column(default="todo")
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(default="open")
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    call_id: Mapped[int | None] = mapped_column(ForeignKey("call.id"))
    number: Mapped[str | None]
    open_key: Mapped[str | None] = mapped_column(unique=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    due_at: Mapped[datetime]
    remind_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    result: Mapped[str] = mapped_column(Text, default="")
    form_key: Mapped[str | None] = mapped_column(unique=True)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    done_at: Mapped[datetime | None]
    done_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class ClientNote(Base):
    """What staff write to one another beside a card."""

    __tablename__ = "client_note"
    __table_args__ = (Index(None, "client_id", "created_at"),)

    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    text: Mapped[str] = mapped_column(Text)
    form_key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
