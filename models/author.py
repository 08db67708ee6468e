"""The outside person or page who writes on a platform."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text


class Author(Base):
    """One per platform account; ``is_us`` marks the accounts that the desk itself writes from.

    ``hidden_at``: name, address and id were put out, by age or by erasure; what they wrote stands without them.
    """

    __tablename__ = "author"
    __table_args__ = (UniqueConstraint("platform", "external_id"),)

    platform: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    picture: Mapped[str | None] = mapped_column(Text)
    hidden_at: Mapped[datetime | None]
    is_us: Mapped[bool] = mapped_column(default=False)
    ads_stopped_at: Mapped[datetime | None]  # since then nothing is advertised to them; taken back by a person
