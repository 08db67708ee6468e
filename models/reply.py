"""A text that staff wrote to an author outside."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class Reply(Base):
    """``form_key`` comes with the form: pressing twice makes one reply (reliability R1).

    ``overrides``: rule of the linter → why it was sent nevertheless. ``afterwards`` is the state that the case goes
    to once the reply may leave. ``approver_id`` and ``verdict_note`` say who agreed, or what is to be done better.
    """

    __tablename__ = "reply"
    __table_args__ = (Index(None, "case_id"),)

    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))  # answered; None: we speak first
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    route_id: Mapped[int | None] = mapped_column(ForeignKey("route.id"))  # the department's answer it was made of
    text: Mapped[str] = mapped_column(Text)
    form_key: Mapped[str] = mapped_column(unique=True)
    overrides: Mapped[dict[str, Any]] = mapped_column(default=dict)
    afterwards: Mapped[str | None]
    promised_until: Mapped[datetime | None]  # a holding reply: «взяли в работу, вернёмся до …»
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
    verdict_note: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Draft(Base):
    """What a person has typed and not sent, kept on the server."""

    __tablename__ = "draft"
    __table_args__ = (Index(None, "case_id", "staff_id", unique=True),)

    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    text: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class ReplyFile(Base):
    """A file that goes with a reply; without ``reply_id`` it waits beside the draft of who added it."""

    __tablename__ = "reply_file"
    __table_args__ = (Index(None, "case_id", "staff_id"), Index(None, "reply_id"), Index(None, "digest"))

    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    reply_id: Mapped[int | None] = mapped_column(ForeignKey("reply.id"))
    kind: Mapped[str]  # photo · video · audio · document
    name: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    digest: Mapped[str]  # SHA-256 of the content
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
