"""What reports count: one row a case, a question to a department, a step, a lead; written by the act itself."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, where

# Each report walks one of the times and needs nothing but its index. PostgreSQL, which knows what is rare, has one
# more for what few filters leave (migration 0056); SQLite would look up half a table by it.
_DIMENSIONS = ("source_id", "kind", "theme", "staff_id", "department_id", "platform", "programme")
_STANDING = (
    "counts", "lead_id", "first_at", "first_due_at", "resolution_due_at", "legal_due_at", "legal_done_at",
)  # fmt: skip
_LEGAL = where("legal_due_at IS NOT NULL")
_QUEUE = where("holder IS NOT NULL")
_PERSON = where("person IS NOT NULL")
_OWED = where("outcome IS NULL")
_PROGRAMME = where("programme IS NOT NULL")


class CaseFact(Base):
    """``id`` is the case's own. Minutes are whole ones of working time unless named otherwise.

    ``counts``: it belongs to the reports; spam, what needed no answer, what was merged, and what stood on the
    platform before its place was watched do not. ``kind`` is None while nobody is sure, ``checked``: a person said
    it. ``department_id`` was asked last, ``staff_id`` sent the first answer, or else leads, ``lead_id`` leads now,
    ``due_staff_id`` sent the first answer, or else led when its term ended. ``themes``: all that its messages are
    about, the leading one first, each between spaces. ``programme``: the course that it is about. ``person``: whose
    it is, as ``person_key`` says, None where nobody knows; ``again``: another case of theirs on this theme ended
    shortly before, None as ``person``.
    ``holder``: desk · department · client, who has had it since ``held_since``; None once it is closed. The three
    sums of minutes reach up to there.
    """

    __tablename__ = "case_fact"
    __table_args__ = (
        Index("ix_case_fact_opened", "opened_at", "counts", "checked", "again", *_DIMENSIONS, "themes"),
        Index("ix_case_fact_first", "first_at", "counts", "first_minutes", "first_here_minutes", *_DIMENSIONS),
        Index(
            "ix_case_fact_first_due", "first_due_at", "counts", "first_at", "holder", "due_staff_id", *_DIMENSIONS
        ),
        Index(
            "ix_case_fact_resolved",
            "resolved_at",
            "counts",
            "desk_minutes",
            "department_minutes",
            "client_minutes",
            *_DIMENSIONS,
        ),
        Index("ix_case_fact_resolution_due", "resolution_due_at", "counts", "holder", "resolved_at", *_DIMENSIONS),
        Index("ix_case_fact_person", "person", "resolved_at", "theme", **_PERSON),
        Index("ix_case_fact_programme", "programme", **_PROGRAMME),
        Index("ix_case_fact_legal", "legal_due_at", **_LEGAL),
        Index("ix_case_fact_queue", "holder", "opened_at", *_STANDING, **_QUEUE),
    )

    id: Mapped[int] = mapped_column(Id, ForeignKey("case.id"), primary_key=True)
    source_id: Mapped[int] = mapped_column(Id)
    platform: Mapped[str]
    kind: Mapped[str | None]
    theme: Mapped[str | None]  # the leading one
    themes: Mapped[str] = mapped_column(default="")
    programme: Mapped[str | None]
    person: Mapped[int | None] = mapped_column(Id)
    again: Mapped[bool | None]
    checked: Mapped[bool]
    department_id: Mapped[int | None] = mapped_column(Id)
    staff_id: Mapped[int | None] = mapped_column(Id)
    lead_id: Mapped[int | None] = mapped_column(Id)
    due_staff_id: Mapped[int | None] = mapped_column(Id)
    counts: Mapped[bool]
    holder: Mapped[str | None]
    held_since: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    ingested_at: Mapped[datetime]
    first_at: Mapped[datetime | None]
    first_by_id: Mapped[int | None] = mapped_column(Id)
    first_minutes: Mapped[int | None]
    first_clock_minutes: Mapped[int | None]  # by the clock on the wall
    first_here_minutes: Mapped[int | None]  # since it reached us
    first_due_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    resolution_due_at: Mapped[datetime | None]
    legal_class: Mapped[str | None]
    legal_due_at: Mapped[datetime | None]
    legal_done_at: Mapped[datetime | None]
    desk_minutes: Mapped[int]
    department_minutes: Mapped[int]
    client_minutes: Mapped[int]
    reopened: Mapped[int]
    answers: Mapped[int]


def person_key(client_id: int | None, author_id: int | None) -> int | None:
    """A card, where there is one, else an account: 2 · client or 2 · author + 1."""
    if client_id is not None:
        return client_id * 2
    return None if author_id is None else author_id * 2 + 1


class RouteFact(Base):
    """``id`` is the question's own. ``due_at`` is of its latest clock, ``late``: an earlier answer came after its.
    ``accept_due_at``: by when it was to be opened, where that is asked for, ``accept_done_at``: when it was.

    ``outcome``: answered · declined · recalled, None while the department owes.
    """

    __tablename__ = "route_fact"
    __table_args__ = (
        Index(None, "case_id"), Index(None, "asked_at"), Index("ix_route_fact_owed", "due_at", **_OWED),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(Id, ForeignKey("route.id"), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    department_id: Mapped[int] = mapped_column(Id)
    asked_at: Mapped[datetime]
    open_minutes: Mapped[int | None]
    answer_minutes: Mapped[int | None]
    due_at: Mapped[datetime | None]
    accept_due_at: Mapped[datetime | None]
    accept_done_at: Mapped[datetime | None]
    late: Mapped[bool]
    outcome: Mapped[str | None]
    returns: Mapped[int]


class CaseStep(Base):
    """``kind``: opened · reopened · resolved · reclassified move the backlog; answered is a reply that stands,
    assigned gave the case to ``staff_id``. ``source_id`` is the case's."""

    __tablename__ = "case_step"
    __table_args__ = (Index(None, "case_id"), Index(None, "kind", "at", "case_id", "staff_id", "source_id"))

    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    kind: Mapped[str]
    at: Mapped[datetime]
    staff_id: Mapped[int | None] = mapped_column(Id)
    source_id: Mapped[int] = mapped_column(Id)


class LeadFact(Base):
    """A stretch in which ``staff_id`` led an open case; ``minutes`` of working time, None while it lasts."""

    __tablename__ = "lead_fact"
    __table_args__ = (
        Index(None, "case_id"),
        Index("ix_lead_fact_since", "since", "until", "staff_id", "minutes", "case_id"),
        Index("ix_lead_fact_until", "until", "since", "staff_id", "case_id"),
    )

    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    staff_id: Mapped[int] = mapped_column(Id)
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    minutes: Mapped[int | None]
