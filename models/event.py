"""Who did what, append-only: ids and codes, never a person's text."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now, where


class Event(Base):
    """``kind`` is «noun.verb»; ``case_id`` is set for all that a case's history shows, ``client_id`` for a card's;
    screens follow ``id``."""

    __tablename__ = "event"
    __table_args__ = (
        Index(None, "case_id", "id"),
        Index(
            "ix_event_client",
            "client_id",
            "id",
            **where("client_id IS NOT NULL"),
        ),
    )

    at: Mapped[datetime] = mapped_column(default=utc_now)
    kind: Mapped[str]
    staff_id: Mapped[int | None]
    case_id: Mapped[int | None]
    client_id: Mapped[int | None]
    object_id: Mapped[int | None]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
