"""What people keep of reports: named views, whom they go to by mail, and months that were signed."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class ReportView(Base):
    """``code`` of the report («answers» for the first page), ``query``: what its address says, periods by name.

    ``common``: everybody who sees reports has it.
    """

    __tablename__ = "report_view"
    __table_args__ = (UniqueConstraint("staff_id", "name"),)

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    name: Mapped[str]
    code: Mapped[str]
    query: Mapped[dict[str, Any]] = mapped_column(default=dict)
    common: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ReportOrder(Base):
    """A page that goes to ``staff_id`` by mail. ``what``: view (then ``view_id``) · morning · week ·
    month. ``rhythm``: day · week (Monday) · month (its first day), at ``hour`` local.

    ``next_at`` is the moment of the next letter: the row is the schedule, and moving it on is what sends once.
    """

    __tablename__ = "report_order"
    __table_args__ = (Index(None, "next_at"), UniqueConstraint("staff_id", "what", "view_id"))

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    what: Mapped[str] = mapped_column(default="view")
    view_id: Mapped[int | None] = mapped_column(ForeignKey("report_view.id"))
    rhythm: Mapped[str]
    hour: Mapped[int]
    next_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Snapshot(Base):
    """The figures of a month as they stood; never changed. ``month``: YYYY-MM, ``number``: made so often.

    ``figures``: report → table as plain values. ``digest`` is SHA-256 over them and over the files' own.
    """

    __tablename__ = "snapshot"
    __table_args__ = (UniqueConstraint("month", "number"),)

    month: Mapped[str]
    number: Mapped[int]
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    digest: Mapped[str]
    conclusions: Mapped[str] = mapped_column(Text, default="")
    proposals: Mapped[str] = mapped_column(Text, default="")
    made_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    made_at: Mapped[datetime] = mapped_column(default=utc_now)
    signed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    signed_at: Mapped[datetime | None]
    seen_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    seen_at: Mapped[datetime | None]


class SnapshotFile(Base):
    """A file of a month with the SHA-256 of its bytes."""

    __tablename__ = "snapshot_file"
    __table_args__ = (UniqueConstraint("snapshot_id", "name"),)

    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id"))
    name: Mapped[str]
    digest: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
