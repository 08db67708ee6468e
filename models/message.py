"""One text on a platform, the author's or ours, with the versions it had."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now, where


class Message(Base):
    """``direction``: in · out. ``state`` is the platform's (published, held, hidden, spam, deleted);
    ``work`` is ours: received · labelled · rest · spam (domain.md §6.1),
    of what is said in a broadcast live (not looked at yet) · chat. ``thread`` is the id of the top message,
    ``parent_external_id`` of the one answered: ids, not keys, because a reply may arrive before its parent."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("source_id", "container", "external_id"),
        Index(None, "source_id", "container", "thread"),
        Index(None, "case_id", "published_at"),
        Index(None, "author_id", "published_at"),
        Index(None, "work", "id"),
        Index(
            "ix_message_unread",
            "work",
            **where("read_at IS NULL"),
        ),
        Index(None, "ingested_at", "id"),
        Index(None, "wave_id"),
        Index(None, "publication_id", "id"),
    )

    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    container: Mapped[str]
    external_id: Mapped[str]
    parent_external_id: Mapped[str | None]
    thread: Mapped[str | None]
    publication_id: Mapped[int | None] = mapped_column(ForeignKey("publication.id"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("author.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    act_id: Mapped[int | None] = mapped_column(unique=True)  # our act; act → reply → message is a circle
    direction: Mapped[str]
    visibility: Mapped[str]
    state: Mapped[str]
    work: Mapped[str] = mapped_column(default="received")
    read_at: Mapped[datetime | None]
    subject: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    automatic: Mapped[bool] = mapped_column(default=False)
    context: Mapped[dict[str, Any]] = mapped_column(default=dict)
    published_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    ingested_at: Mapped[datetime] = mapped_column(default=utc_now)
    versions: Mapped[int] = mapped_column(default=1)
    language: Mapped[str | None]  # ru · en · uk · translit, empty without letters
    fingerprint: Mapped[int | None] = mapped_column(BigInteger)  # of the text: near copies differ in few bits
    wave_id: Mapped[int | None] = mapped_column(BigInteger)  # the first message of its near copies, where there are


class MessageBand(Base):
    """A key that near copies share: see classifier.duplicates."""

    __tablename__ = "message_band"
    __table_args__ = (UniqueConstraint("message_id", "band"), Index(None, "band", "message_id"))

    band: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))


class TextVersion(Base):
    """A text as it stood before an edit; number 1 is the first. The present text stands in ``message``."""

    __tablename__ = "text_version"
    __table_args__ = (UniqueConstraint("message_id", "number"),)

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    number: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    stood_until: Mapped[datetime]


class Attachment(Base):
    """A file beside a message: an address on the platform, or our stored copy under ``stored_as``."""

    __tablename__ = "attachment"
    __table_args__ = (Index(None, "message_id"),)

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(Text, default="")
    url: Mapped[str | None] = mapped_column(Text)
    content_type: Mapped[str | None]
    size: Mapped[int | None]
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
