"""Templates that staff edit in Word, the files, and the documents that came of them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class StoredFile(Base):
    """Bytes by their SHA-256, in the database itself: a backup of it holds every signed document."""

    __tablename__ = "stored_file"

    hash: Mapped[str] = mapped_column(unique=True)
    media: Mapped[str]
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Template(Base):
    """``kind`` is a word of services.documents.kinds. ``state``: draft · approval · force · archived.

    ``tokens`` are its placeholders in order (services.documents.placeholders); ``legal`` the codes of the norms it
    cites. It may be used for a document dated from ``valid_from`` to ``valid_to``.
    """

    __tablename__ = "template"
    __table_args__ = (UniqueConstraint("kind", "version"), Index(None, "kind", "state"))

    kind: Mapped[str]
    version: Mapped[int]
    state: Mapped[str] = mapped_column(default="draft")
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"))
    name: Mapped[str]
    tokens: Mapped[list[Any]] = mapped_column(default=list)
    legal: Mapped[list[Any]] = mapped_column(default=list)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    approved_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Document(Base):
    """``state``: making · made · failed · annulled; ``number`` is taken with the row and never again.

    ``uploaded``: a paper that has no template, as a tick with a file. ``data`` is what it was filled with, beyond
    the contract itself. ``signed_at``: this very file was signed, and is frozen.
    """

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("series", "serial"),
        Index(None, "contract_id", "kind"),
        Index(None, "client_id"),
        Index(None, "kind", "id"),
        Index(None, "form_key", unique=True),
    )

    kind: Mapped[str]
    series: Mapped[str | None]
    serial: Mapped[int | None]
    number: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="making")
    contract_id: Mapped[int | None] = mapped_column(ForeignKey("contract.id"))
    amendment_id: Mapped[int | None] = mapped_column(ForeignKey("amendment.id"))
    termination_id: Mapped[int | None] = mapped_column(ForeignKey("termination.id"))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    template_id: Mapped[int | None] = mapped_column(ForeignKey("template.id"))
    dated: Mapped[date]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    docx_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    pdf_id: Mapped[int | None] = mapped_column(ForeignKey("stored_file.id"))
    uploaded: Mapped[bool] = mapped_column(default=False)
    due_on: Mapped[date | None]
    signed_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Text, default="")
    form_key: Mapped[str | None]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
