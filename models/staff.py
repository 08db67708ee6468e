"""Who logs in, and in which roles."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, utc_now
from models.route import Department


class StaffRole(Base):
    """A role a person holds; ``department_id`` only for the role «manager».

    With ``absence_id`` it is held in another's stead, from ``starts_at`` until ``ends_at``.
    """

    __tablename__ = "staff_role"
    __table_args__ = (
        UniqueConstraint("staff_id", "role", "department_id", "absence_id"),
        Index(None, "absence_id"),
    )

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    role: Mapped[str]
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    absence_id: Mapped[int | None] = mapped_column(ForeignKey("absence.id"))
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    department: Mapped[Department | None] = relationship(lazy="joined")


class Staff(Base):
    """``session_key`` changes when every session of the person must end.

    ``deputy_id`` stands in whenever the person is away. ``hours``: «days» (0 is Monday), «from», «to» in the desk's
    zone; empty: as the desk works. ``choices``: which notice by which channel, see services.choices.
    """

    __tablename__ = "staff"

    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password: Mapped[str | None]  # Argon2id, None: cannot log in by password
    must_change: Mapped[bool] = mapped_column(default=False)
    totp: Mapped[str | None]  # the shared secret, sealed; None: no second factor yet
    totp_step: Mapped[int] = mapped_column(default=0)  # the last one used: a code opens once
    recovery: Mapped[list[Any]] = mapped_column(default=list)  # SHA-256 of codes that are not used yet
    session_key: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    trainee: Mapped[bool] = mapped_column(default=False)  # somebody agrees to each reply
    locale: Mapped[str] = mapped_column(default="ru")
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    deputy_id: Mapped[int | None] = mapped_column(BigInteger)  # no foreign key: a move copies row by row
    hours: Mapped[dict[str, Any]] = mapped_column(default=dict)
    choices: Mapped[dict[str, Any]] = mapped_column(default=dict)
    roles: Mapped[list[StaffRole]] = relationship(lazy="selectin", cascade="all, delete-orphan")
