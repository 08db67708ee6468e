"""A batch of events sealed by a hash over them and the seal before: a row changed later does not fit any more."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, utc_now


class Seal(Base):
    """Over events after ``first_id`` - 1 up to ``last_id``, ``count`` of them; ``digest`` is a SHA-256."""

    __tablename__ = "seal"

    first_id: Mapped[int] = mapped_column(Id, unique=True)
    last_id: Mapped[int] = mapped_column(Id, unique=True)
    count: Mapped[int]
    digest: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=utc_now)
