"""Cards that come in from a file, and cards that go out into one."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class ClientImport(Base):
    """``state``: preview · running · done · undoing · undone. ``mapping``: column of the file → field of the card.
    ``options``: what to do with a row whose contact a card already has (``duplicates``: join · skip).

    ``place`` is how far it came in the file, in rows, ``counts`` how many were made · joined · skipped · refused,
    or undone · kept.
    """

    __tablename__ = "client_import"
    __table_args__ = (Index(None, "state", "id"),)

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    file_name: Mapped[str]
    kind: Mapped[str]  # csv · xlsx
    state: Mapped[str] = mapped_column(default="preview")
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    columns: Mapped[list[Any]] = mapped_column(default=list)
    total: Mapped[int] = mapped_column(default=0)
    place: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    done_at: Mapped[datetime | None]


class ImportRow(Base):
    """What became of one row, where more is to be said than «a card was made».

    ``outcome``: joined · skipped · refused · kept (edited since, so the undo left it). ``cells`` is the row of the
    file for a refused one; ``before`` and ``after`` what a joined card had, ``version`` of the card after.
    """

    __tablename__ = "import_row"
    __table_args__ = (UniqueConstraint("import_id", "number"), Index(None, "import_id", "outcome", "number"))

    import_id: Mapped[int] = mapped_column(ForeignKey("client_import.id"))
    number: Mapped[int]
    outcome: Mapped[str]
    code: Mapped[str] = mapped_column(default="")
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    version: Mapped[int | None]
    cells: Mapped[dict[str, Any]] = mapped_column(default=dict)
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)


class ClientExport(Base):
    """``state``: waiting (for the head) · allowed · running · ready · refused. ``wanted`` is what is taken,
    ``reason`` why. ``mark`` stands in the file and in the log. The file is dropped after ``expires_at``.
    """

    __tablename__ = "client_export"
    __table_args__ = (Index(None, "state", "id"),)

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    reason: Mapped[str] = mapped_column(Text)
    wanted: Mapped[dict[str, Any]] = mapped_column(default=dict)
    kind: Mapped[str] = mapped_column(default="xlsx")
    count: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(default="allowed")
    mark: Mapped[str] = mapped_column(unique=True)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
