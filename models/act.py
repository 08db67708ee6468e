"""The outbox: every act on a platform, from the intention to the proof."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class Act(Base):
    """One row is one act through all its attempts (reliability §2); ``state`` is a word of services.outbox.STATES.

    ``attempt`` fences a late worker: results are written only where it still matches. A platform's id settles one
    row only, hence the unique (source, container, external id). ``of_act_id`` names our earlier act that this one
    edits or removes. ``priority``: 0 for a single act, more for one of many that wait for the same place. ``files``
    name what goes with the text (digest, name, type, kind, size): the bytes lie in ReplyFile, by the digest.
    """

    __tablename__ = "act"
    __table_args__ = (
        UniqueConstraint("source_id", "container", "external_id"),
        Index(None, "state", "due_at", "id"),
        Index(None, "source_id", "state", "priority", "due_at", "id"),
        Index(None, "case_id"),
    )

    kind: Mapped[str]
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    reply_id: Mapped[int | None] = mapped_column(ForeignKey("reply.id"), unique=True)
    of_act_id: Mapped[int | None] = mapped_column(ForeignKey("act.id"))
    message_id: Mapped[int | None]  # what is acted on; no foreign key, since message points here
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    target: Mapped[dict[str, Any]] = mapped_column(default=dict)
    text: Mapped[str] = mapped_column(Text, default="")
    files: Mapped[list[Any]] = mapped_column(default=list)
    token: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(default="queued")
    priority: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    attempt: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    first_attempt_at: Mapped[datetime | None]
    attempted_at: Mapped[datetime | None]  # the latest attempt
    container: Mapped[str | None]
    external_id: Mapped[str | None]
    url: Mapped[str | None] = mapped_column(Text)
    accepted_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    error_code: Mapped[str | None]
    error_text: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
