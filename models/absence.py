"""Who is away and who stands in, and whose duty a day is."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Absence(Base):
    """One person's days away, both ends of them included; ``reason``: vacation · illness · trip · other.

    ``deputy_id`` stands in: what would go to the person goes to the deputy. ``handed_at`` says when the open cases
    went there, where ``hand_over`` asked for it.
    """

    __tablename__ = "absence"
    __table_args__ = (Index(None, "staff_id", "to_day"), Index(None, "to_day"))

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    from_day: Mapped[date]
    to_day: Mapped[date]
    reason: Mapped[str] = mapped_column(default="vacation")
    deputy_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    hand_over: Mapped[bool] = mapped_column(default=False)
    handed_at: Mapped[datetime | None]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class DutyDay(Base):
    """Who has the duty of one day, where it differs from the week's usual (the setting «rota»)."""

    __tablename__ = "duty_day"

    day: Mapped[date] = mapped_column(unique=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
