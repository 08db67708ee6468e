"""Which outside person is which client, and how we know."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Identity(Base):
    """``basis``: said · order · contact · form · call · confirmed · moved (by a merge). ``state``: linked ·
    unlinked · refused («not the same person», so that it is not suggested again).

    ``evidence`` holds kinds and ids, never a text. ``linked_author_id`` is the author while linked and None after:
    an author is one client's at a time.
    """

    __tablename__ = "identity"
    __table_args__ = (
        UniqueConstraint("linked_author_id"),
        Index(None, "author_id", "client_id"),
        Index(None, "client_id", "state"),
    )

    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    linked_author_id: Mapped[int | None]
    basis: Mapped[str]
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(default="linked")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]


class Merge(Base):
    """``gone_id`` became a part of ``kept_id``; ``moved`` tells what went over, so that it can go back exactly."""

    __tablename__ = "merge"
    __table_args__ = (Index(None, "kept_id"), Index(None, "gone_id"))

    kept_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    gone_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    moved: Mapped[dict[str, Any]] = mapped_column(default=dict)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    undone_at: Mapped[datetime | None]
