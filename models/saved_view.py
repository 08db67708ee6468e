"""A view of the inbox that somebody has named."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class SavedView(Base):
    """``query`` is what the address bar says, name → value. ``team``: others have it in the left column too, those
    who hold ``role``, or everybody where it is None."""

    __tablename__ = "saved_view"
    __table_args__ = (Index(None, "staff_id"),)

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    name: Mapped[str]
    query: Mapped[dict[str, Any]] = mapped_column(default=dict)
    team: Mapped[bool] = mapped_column(default=False)
    role: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
