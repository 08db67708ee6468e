"""What a platform gave, kept as it came before anybody understood it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now


class RawItem(Base):
    """``state``: new · parsed · quarantined. ``attempts`` is counted before the parser runs, so that a raw
    which kills the process is found by its count."""

    __tablename__ = "raw_item"
    __table_args__ = (
        UniqueConstraint("source_id", "kind", "container", "external_id"),
        Index(None, "state", "source_id", "id"),
        Index(None, "received_at"),
    )

    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    kind: Mapped[str]
    container: Mapped[str]
    external_id: Mapped[str]
    digest: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(default=utc_now)
    state: Mapped[str] = mapped_column(default="new")
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)


class RawTie(Base):
    """A message that a raw of another identity has produced: a letter that told of a comment, an event of a hook.

    A raw that bears its message's own (container, external id) needs no tie.
    """

    __tablename__ = "raw_tie"
    __table_args__ = (UniqueConstraint("raw_id", "message_id"), Index(None, "message_id"))

    raw_id: Mapped[int] = mapped_column(ForeignKey("raw_item.id"))
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
