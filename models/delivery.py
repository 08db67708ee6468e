"""A letter of the desk's own on its way to one of its people: written when it is sent, kept without its words."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Delivery(Base):
    """``channel``: mail · telegram · max. ``state``: queued · sending · sent · dead · cancelled (nothing to tell).

    ``token`` stands in the Message-ID, the same through all attempts: whoever answers the letter proves by it that
    it came to them. ``data`` holds ids and codes; texts are made anew at each attempt, codes of links too.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        Index(None, "state", "due_at"),
        Index(None, "staff_id", "kind", "state"),
        Index(None, "source_id", "external_id"),
    )

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    channel: Mapped[str] = mapped_column(default="mail")
    kind: Mapped[str]
    form_key: Mapped[str] = mapped_column(unique=True)
    token: Mapped[str] = mapped_column(unique=True)
    source_id: Mapped[int | None] = mapped_column(ForeignKey("source.id"))  # the bot that sent it
    external_id: Mapped[str | None]  # what the messenger calls it: an answer to it names this
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(default="queued")
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    error_code: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
