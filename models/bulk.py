"""One act upon many cases, done piece by piece."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Bulk(Base):
    """``act`` is a word of services.bulks.ACTS with its ``value``; ``cases`` the ids in order, ``done`` how many of
    them were dealt with, ``results`` one {case, before} or {case, code} each. ``state``: running · done · undone.
    """

    __tablename__ = "bulk"
    __table_args__ = (Index(None, "state", "id"),)

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    act: Mapped[str]
    value: Mapped[dict[str, Any]] = mapped_column(default=dict)
    cases: Mapped[list[Any]] = mapped_column(default=list)
    results: Mapped[list[Any]] = mapped_column(default=list)
    done: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(default="running")
    of_bulk_id: Mapped[int | None] = mapped_column(ForeignKey("bulk.id"))  # what it takes back
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
