"""Whose account of a messenger is whose: there the desk's bot tells them, and from there they answer."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now, where

_LIVE = where("ended_at IS NULL")


class MessengerAccount(Base):
    """One account of one person on one platform; both ways only one lives at a time.

    ``source_id`` is the bot that the person opened the dialogue with, ``chat`` that dialogue: a bot writes nowhere
    else. ``account`` is the platform's id of the person, ``name`` how they are called there.
    """

    __tablename__ = "messenger_account"
    __table_args__ = (
        Index("uq_messenger_account_person", "staff_id", "platform", unique=True, **_LIVE),
        Index("uq_messenger_account_account", "platform", "account", unique=True, **_LIVE),
        Index(None, "source_id", "chat"),
    )

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    platform: Mapped[str]
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    account: Mapped[str]
    chat: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]
