"""Letters that tell of a message of another place: the message goes there, the letter opens no case of its own."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from collectors import channel_class
from collectors.base import Channel, Incoming
from models import Message, Source
from services.leases import next_numbers

READERS = ("getcourse",)
"""Platforms whose channels read letters; named here so that a letter loads no channel that does not."""
APART = timedelta(days=3)
"""How far apart in time a letter and an event of one message may be."""


def take_reports(
    session: Session, incoming: Sequence[Incoming]
) -> tuple[list[Incoming], list[tuple[Incoming, Source, Incoming]]]:
    """(what is left for the mailbox, what goes elsewhere as letter, place, message).

    Only letters come into question, and only where a place that reads them is watched.
    """
    letters = [item for item in incoming if item.context.get("from")]
    readers = _readers(session) if letters else []
    if not readers:
        return list(incoming), []
    left, taken = [], []
    for item in incoming:
        reported = _reported(readers, item) if item.context.get("from") else None
        if reported is None:
            left.append(item)
        else:
            source, message = reported
            found = join_twin(session, source, replace(message, attachments=item.attachments))
            taken.append((item, source, found))
    return left, taken


def _readers(session: Session) -> list[Source]:
    query = select(Source).where(Source.platform.in_(READERS), Source.state != "paused")
    return list(session.scalars(query.order_by(Source.id)))


def _reported(readers: Sequence[Source], letter: Incoming) -> tuple[Source, Incoming] | None:
    for source in readers:
        channel = channel_class(source.platform)
        found = channel.from_letter(channel.Settings(**source.settings), letter)
        if found is not None:
            return source, found
    return None


def join_twins(session: Session, source_id: int, channel: Channel, incoming: Sequence[Incoming]) -> list[Incoming]:
    """For a channel that tells twice: what is held already keeps its identity."""
    if not channel.tells_twice or not incoming:
        return list(incoming)
    source = session.get_one(Source, source_id)
    return [join_twin(session, source, item) for item in incoming]


def join_twin(session: Session, source: Source, item: Incoming) -> Incoming:
    """``item`` under the identity of the stored message that tells of its event, where there is one.

    One at a time for each place, or a letter and an event that come together would not see one another.
    """
    next_numbers(session, f"twins.{source.id}")
    near = select(Message).where(
        Message.source_id == source.id, Message.published_at >= item.published_at - APART,
        Message.published_at <= item.published_at + APART,
    ).order_by(Message.id)  # fmt: skip
    channel = channel_class(source.platform)
    for row in session.scalars(near):
        if channel.is_same_event(item, row.text, row.context):
            fuller = item.text if len(item.text) >= len(row.text) else row.text
            return replace(
                item, container=row.container, external_id=row.external_id, text=fuller, thread=row.thread,
                published_at=row.published_at, context={**item.context, **row.context}, publication=None,
                publication_external_id=None, attachments=(),
            )  # fmt: skip
    return item
