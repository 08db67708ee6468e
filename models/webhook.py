"""An address outside that is told what happens on the desk, and what became of telling it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class Webhook(Base):
    """``state``: on · off (a person's word) · failed (nothing got there for a day). ``events`` are words of
    services.webhooks.KINDS, ``secret`` is sealed and was
    made at ``secret_at``. ``failing_since``: from when on every call has failed."""

    __tablename__ = "webhook"

    name: Mapped[str]
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[Any]] = mapped_column(default=list)
    secret: Mapped[str] = mapped_column(Text)
    secret_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="on")
    failing_since: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class WebhookCall(Base):
    """One event on its way to one address. ``state``: queued · sending · sent · dead · cancelled.

    ``message_id`` is the header «webhook-id», the same through all attempts: whoever hears it twice can tell.
    ``body`` holds ids and codes. ``attempts`` fences a late sender: it notes its result only where it matches.
    """

    __tablename__ = "webhook_call"
    __table_args__ = (Index(None, "state", "due_at"), Index(None, "webhook_id", "id"))

    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id"))
    message_id: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    body: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(default="queued")
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    first_at: Mapped[datetime | None]  # of the first attempt, since it was last sent by hand
    attempts: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)  # since it was last sent by hand
    lease_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class WebhookTry(Base):
    """One attempt: the status that was answered, or the code of what stood in the way, and how the answer began."""

    __tablename__ = "webhook_try"
    __table_args__ = (Index(None, "call_id", "id"),)

    call_id: Mapped[int] = mapped_column(ForeignKey("webhook_call.id"))
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=utc_now)
    status: Mapped[int | None]
    code: Mapped[str | None]
    answer: Mapped[str] = mapped_column(Text, default="")
    milliseconds: Mapped[int] = mapped_column(default=0)
