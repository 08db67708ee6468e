"""A watched place on a platform and how far it was read."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class Source(Base):
    """``cursor`` is written in the same transaction as the raws it stands for.

    ``state``: active · paused (by a person) · stopped (by an error that waiting does not heal) · manual (people
    bring the texts meanwhile).
    ``coverage``: places listed whole by the last deep walk, what stands in them, and what of it we held then;
    ``verified_at`` is its end.
    ``history``: how deep it was chosen, see services.history.
    ``typed``: secret → when a person gave it, ISO, «» before that was kept; what the desk renews itself changes
    nothing there. ``removed_at``: it is paused for good, off the lists, and what came from it stays.
    ``lease_until`` keeps two collectors off one place; ``due_at`` says when it is read next.
    """

    __tablename__ = "source"
    __table_args__ = (Index(None, "state", "due_at"),)

    platform: Mapped[str]
    title: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    secrets: Mapped[str] = mapped_column(Text, default="")  # encrypted JSON, see services.secrets
    declared_as: Mapped[str | None] = mapped_column(
        unique=True
    )  # its name in config.yaml; None: made on the screen
    state: Mapped[str] = mapped_column(default="active")
    cursor: Mapped[dict[str, Any]] = mapped_column(default=dict)
    deep_cursor: Mapped[dict[str, Any]] = mapped_column(default=dict)
    every_seconds: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    deep_due_at: Mapped[datetime] = mapped_column(default=utc_now)
    lease_until: Mapped[datetime | None]
    lease_holder: Mapped[str | None]
    read_at: Mapped[datetime | None]
    backfilled_at: Mapped[datetime | None]  # when the first complete reading ended
    failures: Mapped[int] = mapped_column(default=0)
    error_code: Mapped[str | None]
    error_text: Mapped[str | None] = mapped_column(Text)
    verified_at: Mapped[datetime | None]
    coverage: Mapped[dict[str, Any] | None]
    token_until: Mapped[datetime | None]  # the desk renews it by itself before
    consent_until: Mapped[datetime | None]  # then a person must press «Подключить» again
    history_from: Mapped[datetime | None]  # what is older is not kept; None: the whole history
    history_paused: Mapped[bool] = mapped_column(default=False)
    history: Mapped[dict[str, Any] | None]
    gap_at: Mapped[datetime | None]
    typed: Mapped[dict[str, Any]] = mapped_column(default=dict)
    removed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
