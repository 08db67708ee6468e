"""What the desk does by itself with what comes: conditions and acts as data, in an order."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Rule(Base):
    """``conditions`` and ``acts`` are rows of services.rules; ``hits`` counts how often it held."""

    __tablename__ = "rule"

    position: Mapped[int] = mapped_column(default=0)
    title: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    conditions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    acts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    hits: Mapped[int] = mapped_column(default=0)
    form_key: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
