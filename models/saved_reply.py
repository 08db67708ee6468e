"""Texts that staff use again, and the facts that replies rest on."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class SavedReply(Base):
    """A text with placeholders; ``scope`` is «all», or «own» for its writer alone. Archived: not offered."""

    __tablename__ = "saved_reply"

    title: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(default="all")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    uses: Mapped[int] = mapped_column(default=0)
    archived_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    form_key: Mapped[str | None] = mapped_column(unique=True)


class Fact(Base):
    """A price, a date, a link: one value that many replies carry, with its owner and until when it holds."""

    __tablename__ = "fact"

    code: Mapped[str] = mapped_column(unique=True)  # the word in {{fact.code}}
    title: Mapped[str]
    value: Mapped[str] = mapped_column(Text)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    valid_to: Mapped[date | None] = mapped_column(Date)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class FactUse(Base):
    """A reply that carries a fact, with the value as it stood then."""

    __tablename__ = "fact_use"
    __table_args__ = (UniqueConstraint("fact_id", "reply_id"),)

    fact_id: Mapped[int] = mapped_column(ForeignKey("fact.id"))
    reply_id: Mapped[int] = mapped_column(ForeignKey("reply.id"))
    value: Mapped[str] = mapped_column(Text)
