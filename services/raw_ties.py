"""Which raws a message was made of: by its own identity, and by ties where a raw bears another one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, select, tuple_, union
from sqlalchemy.orm import Session

from collectors.base import Incoming
from models import Message, RawItem, RawTie
from services.leases import insert_missing


@dataclass(frozen=True, slots=True)
class Made:
    """A raw and the message it produced elsewhere or under another id."""

    raw_id: int
    source_id: int
    container: str
    external_id: str


def raws_of(messages: Sequence[int]) -> Select[tuple[int]]:
    """Ids of all raws that these messages were made of, for erasure and for what is held of a person."""
    same = (
        select(RawItem.id)
        .join(
            Message,
            (Message.source_id == RawItem.source_id)
            & (Message.container == RawItem.container)
            & (Message.external_id == RawItem.external_id),
        )
        .where(Message.id.in_(messages))
    )
    tied = select(RawTie.raw_id).where(RawTie.message_id.in_(messages))
    both = union(same, tied).subquery()
    return select(both.c.id)


def strange(raw: Row[Any], source_id: int, items: Sequence[Incoming]) -> list[Made]:
    """Those of a raw's (a row of raw_item) messages that do not bear its identity."""
    return [
        Made(raw.id, source_id, item.container, item.external_id)
        for item in items
        if source_id != raw.source_id or (item.container, item.external_id) != (raw.container, raw.external_id)
    ]


def note_ties(session: Session, made: Sequence[Made]) -> None:
    """Ties raws to the messages that are stored by now; safe to repeat."""
    for source_id in sorted({one.source_id for one in made}):
        here = [one for one in made if one.source_id == source_id]
        keys = sorted({(one.container, one.external_id) for one in here})
        found = select(Message.container, Message.external_id, Message.id).where(
            Message.source_id == source_id, tuple_(Message.container, Message.external_id).in_(keys)
        )
        ids = {(row[0], row[1]): row[2] for row in session.execute(found)}
        pairs = {(one.raw_id, ids.get((one.container, one.external_id))) for one in here}
        rows = [{"raw_id": raw, "message_id": message} for raw, message in sorted(p for p in pairs if p[1])]
        if rows:
            insert_missing(session, RawTie, rows, "raw_id", "message_id")
