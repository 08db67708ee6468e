"""Broadcasts: what is planned, the places whose chats belong to it, its questions, incidents and recorded chats."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class Broadcast(Base):
    """``kind``: stream · lesson · webinar (an autowebinar). ``state`` is a word of services.broadcasts.states.

    ``starts_at`` and ``ends_at`` are planned, ``started_at`` and ``ended_at`` are what happened. ``staff_id``
    watches it. ``plan`` is how its chats are read within the day's units. ``report`` holds the figures
    as they were handed in. ``origin`` names what it was made of by itself, so that it is made once.
    """

    __tablename__ = "broadcast"
    __table_args__ = (Index(None, "starts_at", "id"), Index(None, "state", "starts_at"))

    kind: Mapped[str]
    title: Mapped[str] = mapped_column(Text)
    speaker: Mapped[str] = mapped_column(default="")
    speaker_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))  # where the name is one of the staff
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    state: Mapped[str] = mapped_column(default="planned")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))  # None: by the platform or the clock
    drops: Mapped[int] = mapped_column(default=0)
    viewers: Mapped[int | None]  # the most that were there at once
    plan: Mapped[dict[str, Any]] = mapped_column(default=dict)
    moved_to_id: Mapped[int | None] = mapped_column(ForeignKey("broadcast.id"))
    reason: Mapped[str] = mapped_column(Text, default="")  # why it was moved or cancelled
    told_at: Mapped[datetime | None]  # the notice before it
    report_due_at: Mapped[datetime | None]
    reported_at: Mapped[datetime | None]
    reported_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)
    note: Mapped[str] = mapped_column(Text, default="")
    origin: Mapped[str | None] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class BroadcastPlace(Base):
    """Where it is shown. With a source and a ``publication`` (its id on the platform) what is said there is the
    chat of the broadcast; a link alone is only a link.

    ``chat`` is the platform's own address of a live chat that has to be asked for; then ``cursor``, ``due_at`` and
    the lease say how far and when it is read, ``pause_seconds`` what the platform demanded last.
    """

    __tablename__ = "broadcast_place"
    __table_args__ = (
        UniqueConstraint("source_id", "publication"),
        Index(None, "broadcast_id"),
        Index(None, "due_at"),
    )

    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"))
    platform: Mapped[str]
    url: Mapped[str] = mapped_column(Text, default="")
    source_id: Mapped[int | None] = mapped_column(ForeignKey("source.id"))
    publication: Mapped[str | None]
    chat: Mapped[str | None]
    cursor: Mapped[dict[str, Any]] = mapped_column(default=dict)
    due_at: Mapped[datetime | None]  # None: nobody asks
    lease_until: Mapped[datetime | None]
    lease_holder: Mapped[str | None]
    pause_seconds: Mapped[float] = mapped_column(default=0.0)
    read_at: Mapped[datetime | None]
    reads: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    error_code: Mapped[str | None]
    ended_at: Mapped[datetime | None]


class BroadcastCheck(Base):
    """One of the eight points, as it was last ticked."""

    __tablename__ = "broadcast_check"
    __table_args__ = (UniqueConstraint("broadcast_id", "code"),)

    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"))
    code: Mapped[str]
    passed: Mapped[bool]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime] = mapped_column(default=utc_now)


class BroadcastQuestion(Base):
    """``state``: open · aloud · chat · routed · carried · dismissed. One with ``into_id`` stands in another one and
    shares its end. ``second`` and ``spoken_at`` are seconds of the broadcast.

    ``held_by_id`` is writing an answer until ``held_until``. ``failed``: its answer did not get out.
    """

    __tablename__ = "broadcast_question"
    __table_args__ = (
        UniqueConstraint("message_id"),
        Index(None, "broadcast_id", "state", "id"),
        Index(None, "into_id"),
        Index(None, "act_id"),
    )

    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"))
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    state: Mapped[str] = mapped_column(default="open")
    label: Mapped[str] = mapped_column(default="question")
    theme: Mapped[str | None]
    urgent: Mapped[bool] = mapped_column(default=False)
    found_by: Mapped[str] = mapped_column(default="classifier")  # classifier · person
    second: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime]
    into_id: Mapped[int | None] = mapped_column(ForeignKey("broadcast_question.id"))
    held_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    held_until: Mapped[datetime | None]
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    settled_at: Mapped[datetime | None]
    spoken_at: Mapped[int | None]
    reason: Mapped[str | None]
    act_id: Mapped[int | None] = mapped_column(ForeignKey("act.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    route_id: Mapped[int | None] = mapped_column(ForeignKey("route.id"))
    failed: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class BroadcastIncident(Base):
    """What went wrong for many. ``state``: open · contained · fixed · reviewed. ``open_key`` is «broadcast:kind»
    until it is fixed: the database itself forbids two of one kind."""

    __tablename__ = "broadcast_incident"
    __table_args__ = (UniqueConstraint("open_key"), Index(None, "broadcast_id"))

    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"))
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="open")
    open_key: Mapped[str | None]
    count: Mapped[int] = mapped_column(default=0)
    second: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    route_id: Mapped[int | None] = mapped_column(ForeignKey("route.id"))
    cause: Mapped[str] = mapped_column(Text, default="")


class BroadcastMention(Base):
    """One «нет звука»; enough of them within the window are an incident."""

    __tablename__ = "broadcast_mention"
    __table_args__ = (UniqueConstraint("message_id"), Index(None, "broadcast_id", "kind", "second"))

    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"))
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    kind: Mapped[str]
    second: Mapped[int]
    author_id: Mapped[int | None]
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("broadcast_incident.id"))


class Tape(Base):
    """A recorded chat. ``lines`` is JSON: [second, author, text, platform, id] in order of time.

    ``state``: ready · running · paused · done. ``clock_at`` is when it stood at the second ``clock_second``.
    """

    __tablename__ = "tape"
    __table_args__ = (Index(None, "state"), Index(None, "broadcast_id"))

    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"))
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    name: Mapped[str]
    form: Mapped[str]  # youtube · text · csv
    lines: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    count: Mapped[int]
    seconds: Mapped[int]
    state: Mapped[str] = mapped_column(default="ready")
    speed: Mapped[float] = mapped_column(default=1.0)
    place: Mapped[int] = mapped_column(default=0)  # how many lines were said
    clock_at: Mapped[datetime | None]
    clock_second: Mapped[float] = mapped_column(default=0.0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
