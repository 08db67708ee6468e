"""Where the desk's own people are reached besides mail: a messenger's account that they have bound themselves."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class StaffContact(Base):
    """``channel``: telegram · max. ``address`` is the chat as the messenger names it, written by the bot that the
    person pressed «start» of; ``source_id`` is that bot's place. None until then: ``code`` (SHA-256) binds it.
    """

    __tablename__ = "staff_contact"
    __table_args__ = (
        UniqueConstraint("staff_id", "channel"),
        UniqueConstraint("channel", "source_id", "address"),
    )

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    channel: Mapped[str]
    source_id: Mapped[int | None] = mapped_column(ForeignKey("source.id"))
    address: Mapped[str | None]
    account: Mapped[str | None]  # the account that answers must come from
    code: Mapped[str | None] = mapped_column(unique=True)
    code_until: Mapped[datetime | None]
    bound_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
