"""What the classifier or a person said of a message."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Label(Base):
    """``classifier`` is the artifact's version, or None where a person spoke (``staff_id``).

    The newest row of a message counts. ``why`` is a list of [start, end, weight, text]. ``themes`` has the
    leading one first; None where a person spoke of the label alone.
    """

    __tablename__ = "label"
    __table_args__ = (Index(None, "message_id", "id"), Index(None, "staff_id", "id"))

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    label: Mapped[str]
    labels: Mapped[list[Any]] = mapped_column(default=list)
    themes: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    p: Mapped[dict[str, Any]] = mapped_column(default=dict)
    why: Mapped[list[Any]] = mapped_column(default=list)
    sure: Mapped[bool] = mapped_column(default=True)
    actionable: Mapped[float | None]
    classifier: Mapped[str | None]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    weak: Mapped[bool] = mapped_column(default=False)  # accepted by answering, not said by hand
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
