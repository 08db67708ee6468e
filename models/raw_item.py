"""What a platform gave, kept as it came before anybody understood it."""

import zlib
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, TypeDecorator, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Text, utc_now

_MARK = b"\x00z1"
"""Before a packed body: neither JSON nor a letter begins with NUL."""
_SMALL = 200


class Packed(TypeDecorator[bytes]):
    """Bytes that lie compressed; what was stored before, and what is too short to gain, lies plain."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        if value is None:
            return value
        marked = value.startswith(_MARK)  # by nobody who means well: packed, lest it be taken for packed
        if len(value) < _SMALL and not marked:
            return value
        packed = _MARK + zlib.compress(value, 1)
        return packed if marked or len(packed) < len(value) else value

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        if value is None or not value.startswith(_MARK):
            return value
        return zlib.decompress(value[len(_MARK) :])


class RawItem(Base):
    """``state``: new · parsed · quarantined · older (see services.history). ``attempts`` is counted before the
    parser runs, so that a raw which kills the process is found by its count."""

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
    body: Mapped[bytes] = mapped_column(Packed)
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
