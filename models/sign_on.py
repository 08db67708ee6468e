"""Which account of the school's own sign-on is which person of the staff."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class StaffIdentity(Base):
    """``issuer`` and ``subject`` as OpenID Connect Core 1.0 §5.7 has them: together they name one account for good.

    ``label`` is what the person recognises it by, an address or a name; nobody is ever found by it.
    """

    __tablename__ = "staff_identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"), Index(None, "staff_id"))

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    issuer: Mapped[str]
    subject: Mapped[str]
    label: Mapped[str] = mapped_column(default="")
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
