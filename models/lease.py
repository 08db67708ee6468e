"""Who leads and what is counted: the small rows that processes agree by."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Lease(Base):
    """Held by one process at a time; taken over when ``until`` has passed."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(unique=True)
    holder: Mapped[str]
    until: Mapped[datetime]


class Counter(Base):
    """The last number given out under ``name`` (case numbers of a year)."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(unique=True)
    value: Mapped[int] = mapped_column(default=0)


class Setting(Base):
    """What the department decides and a screen edits; the event log keeps who changed it."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(unique=True)
    value: Mapped[dict[str, Any]] = mapped_column(default=dict)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
