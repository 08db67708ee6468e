"""What a person agreed to, one purpose a row, as 152-ФЗ wants it proven."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class ConsentText(Base):
    """A text that people agree to; ``hash`` is SHA-256 of it, and a changed text is another row."""

    __tablename__ = "consent_text"
    __table_args__ = (UniqueConstraint("purpose", "hash"),)

    purpose: Mapped[str]
    hash: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Consent(Base):
    """``purpose`` is a word of services.crm.consents.PURPOSES; ``client_id`` None while only the author is known.

    ``how``: form · paper · site · call · letter; ``address`` the Internet address it came from; ``evidence`` ids of
    what proves it. It stands while ``withdrawn_at`` is None and ``valid_to`` has not come.
    """

    __tablename__ = "consent"
    __table_args__ = (
        Index(None, "client_id", "purpose"),
        Index(None, "author_id"),
        UniqueConstraint("message_id", "purpose"),
    )

    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("author.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    purpose: Mapped[str]
    text_id: Mapped[int | None] = mapped_column(ForeignKey("consent_text.id"))
    text_hash: Mapped[str]
    given_at: Mapped[datetime]
    how: Mapped[str]
    address: Mapped[str | None]
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    valid_to: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_how: Mapped[str | None]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
