"""Where a person is logged in, the links that let somebody in once, and who asked for one at the door."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class StaffSession(Base):
    """One browser of one person. ``kind``: login (a password was given) · device (a link was traded for a cookie).

    ``digest`` is the SHA-256 of the secret in the browser's cookie. ``pin`` (Argon2id) only on a device.
    """

    __tablename__ = "staff_session"
    __table_args__ = (Index(None, "staff_id", "ended_at"),)

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    kind: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    agent: Mapped[str] = mapped_column(default="")
    pin: Mapped[str | None]
    pin_failures: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]


class OneTimeLink(Base):
    """A code that went out to one person, kept as its SHA-256; ``purpose``: device · invite · reset ·
    bind.<platform> (an account of a messenger becomes theirs), and nothing else.

    ``route_id`` is the question that the letter was about, where it was about one.
    """

    __tablename__ = "one_time_link"
    __table_args__ = (Index(None, "staff_id", "purpose"),)

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    purpose: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    route_id: Mapped[int | None] = mapped_column(ForeignKey("route.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class PasswordAsked(Base):
    """Somebody pressed «Забыли пароль?» and typed this; the row goes when the desk has looked it up."""

    __tablename__ = "password_asked"

    typed: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(default=utc_now)
