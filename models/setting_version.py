"""What the department had decided before: one row for each state of a setting, none ever changed or removed."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class SettingVersion(Base):
    """``number`` counts from 0, what there was before the first change that was kept; ``value`` None: as it came.

    ``restored`` is the number of the version that this one brought back. Secrets never stand in ``value``.
    """

    __tablename__ = "setting_version"
    __table_args__ = (UniqueConstraint("name", "number"),)

    name: Mapped[str]
    number: Mapped[int]
    value: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    restored: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(default=utc_now)
