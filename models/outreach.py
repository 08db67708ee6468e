"""A conversation that the desk began: by which way, and where its first word goes."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Outreach(Base):
    """One a case. ``kind``: dialogue · letter · publication. ``target`` is a collectors.base.Target as it was known
    when the way was chosen: later changes do not redirect what is written.

    Until somebody outside has answered the case has no first message, and no clock and no report knows of it.
    """

    __tablename__ = "outreach"
    __table_args__ = (Index(None, "created_at"),)

    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), unique=True)
    kind: Mapped[str]
    target: Mapped[dict[str, Any]] = mapped_column(default=dict)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
