"""152-ФЗ: sensitive fields, requests of a person with their clocks, what was erased and by which act."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class SensitiveField(Base):
    """``field`` is a word of services.crm.sensitive.FIELDS; ``sealed`` its value, encrypted by services.secrets."""

    __tablename__ = "sensitive_field"
    __table_args__ = (UniqueConstraint("client_id", "field"),)

    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    field: Mapped[str]
    sealed: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class PrivacyRequest(Base):
    """``kind``: access · correction · blocking · stop · erasure · withdrawal. ``state``: received · known (the
    person is who they say) · work · prolonged · answered · closed.

    ``due_at`` is the last moment by law; ``prolonged_at`` says that its one prolongation was used.
    """

    __tablename__ = "privacy_request"
    __table_args__ = (Index(None, "client_id"), Index(None, "state", "due_at"))

    number: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="received")
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("author.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    channel: Mapped[str] = mapped_column(default="")
    text: Mapped[str] = mapped_column(Text, default="")
    received_at: Mapped[datetime]
    due_at: Mapped[datetime]
    known_by: Mapped[str] = mapped_column(default="")  # how the person was recognised
    prolonged_at: Mapped[datetime | None]
    prolonged_why: Mapped[str] = mapped_column(Text, default="")
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_at: Mapped[datetime | None]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Erasure(Base):
    """One destruction of personal data: the act (order 179 of РКН) without any of the data. ``subject``: client ·
    author. ``digest`` is SHA-256 of the log export made beside it. The ledger file outlives a restored backup.
    """

    __tablename__ = "erasure"
    __table_args__ = (Index(None, "subject", "subject_id"),)

    number: Mapped[str] = mapped_column(unique=True)
    subject: Mapped[str]
    subject_id: Mapped[int]
    ground: Mapped[str]
    method: Mapped[str]
    categories: Mapped[dict[str, Any]] = mapped_column(default=dict)
    kept: Mapped[list[Any]] = mapped_column(default=list)  # what the law bids to keep, with the reason
    log: Mapped[str] = mapped_column(Text, default="")
    digest: Mapped[str] = mapped_column(default="")
    request_id: Mapped[int | None]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime] = mapped_column(default=utc_now)
