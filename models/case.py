"""One piece of work: the messages of one author on one matter."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now, where

_OPEN = where("open_key IS NOT NULL")
_CLOSED = where("stage = 'closed'")

_APPLICATION = where("kind = 'application'")
_COUNTED = ("stage", "label", "sure", "kind", "priority", "assignee_id", "lift")


class Case(Base):
    """``number`` is None until the first label or the first act of a person: such a case may still dissolve,
    and its ``stage`` is «arriving».

    ``state`` is a word of services.case_states. ``open_key`` is «source:author:publication» while the case is open
    and None after, so that the database itself forbids two open cases of one author under one publication.
    ``lift`` says why a person should look now: message · answer · failed · unknown · snooze. ``version`` counts
    changes. ``last_message_at`` is where it stands in the list: the newest message, or when it was woken.
    ``due_at`` is the nearest deadline of its running clocks, ``warn_at`` when it begins to burn (services.sla).
    """

    __tablename__ = "case"
    __table_args__ = (
        UniqueConstraint("number"),
        UniqueConstraint("open_key"),
        Index("ix_case_list", "stage", "last_message_at", "id"),
        Index("ix_case_stage_label", "stage", "label", "last_message_at", "id"),
        Index("ix_case_assignee", "assignee_id", "stage", "last_message_at", "id"),
        Index("ix_case_all", "last_message_at", "id"),
        # Open cases are few beside the closed ones: their views walk these, in order and without sorting.
        Index("ix_case_open", "last_message_at", "id", **_OPEN),
        Index("ix_case_open_assignee", "assignee_id", "last_message_at", "id", **_OPEN),
        Index("ix_case_open_lift", "lift", "last_message_at", "id", **_OPEN),
        # SQLite reads an index alone only if the column of its condition stands in it too.
        Index("ix_case_open_counts", *_COUNTED, "open_key", **_OPEN),
        Index("ix_case_open_due", "due_at", "id", **_OPEN),
        Index("ix_case_open_warn", "warn_at", "stage", "open_key", **_OPEN),
        Index("ix_case_open_theme", "theme", "last_message_at", "id", **_OPEN),
        Index("ix_case_open_kind", "kind", "last_message_at", "id", **_OPEN),
        Index("ix_case_open_source", "source_id", "last_message_at", "id", **_OPEN),
        Index("ix_case_open_priority", "priority", "last_message_at", "id", **_OPEN),
        Index("ix_case_open_priority_due", "priority", "due_at", "id", **_OPEN),
        Index("ix_case_open_wave", "wave_id", "stage", "open_key", **_OPEN),
        # Of the many closed ones a page of any theme, kind or place is found without walking the others.
        Index("ix_case_closed_theme", "theme", "last_message_at", "id", **_CLOSED),
        Index("ix_case_closed_kind", "kind", "last_message_at", "id", **_CLOSED),
        Index("ix_case_closed_source", "source_id", "last_message_at", "id", **_CLOSED),
        Index("ix_case_application", "id", **_APPLICATION),
        Index(None, "author_id", "id"),
        Index(None, "subject_key", "id"),
    )

    number: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="new")
    stage: Mapped[str] = mapped_column(default="arriving")  # arriving, then new · work · wait · later · closed
    subject_key: Mapped[str]
    open_key: Mapped[str | None]
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    publication_id: Mapped[int | None] = mapped_column(ForeignKey("publication.id"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("author.id"))
    first_message_id: Mapped[int | None]  # the message the list shows; None: we began (models.Outreach)
    visibility: Mapped[str]
    label: Mapped[str | None]
    sure: Mapped[bool] = mapped_column(default=False)
    kind: Mapped[str | None]  # the kind of work: services.kinds
    theme: Mapped[str | None]  # the leading one
    department: Mapped[str | None]  # code of the department that the theme or kind leads to
    priority: Mapped[int] = mapped_column(default=2)  # 0 critical · 1 high · 2 ordinary · 3 low
    sentiment: Mapped[int] = mapped_column(default=0)  # −1 · 0 · 1
    wave_id: Mapped[int | None] = mapped_column(BigInteger)  # of its first message
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    lift: Mapped[str | None] = mapped_column(default="message")
    opened_at: Mapped[datetime]
    last_message_at: Mapped[datetime]
    first_reply_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    close_reason: Mapped[str | None]
    due_at: Mapped[datetime | None]
    warn_at: Mapped[datetime | None]
    reopened: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Note(Base):
    """What staff write to one another beside a case; the author outside never sees it."""

    __tablename__ = "note"
    __table_args__ = (Index(None, "case_id"),)

    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    text: Mapped[str]
    form_key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
