"""A key by which a program of a person's own speaks to the desk."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class ApiKey(Base):
    """``digest`` is the SHA-256 of the key, which nobody sees twice; ``hint`` are its first letters, to tell keys
    apart by. ``scopes`` are words of services.api_keys.SCOPES. ``used_at``: about when it was used last."""

    __tablename__ = "api_key"
    __table_args__ = (Index(None, "staff_id", "revoked_at"),)

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    name: Mapped[str]
    hint: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
