"""What an incoming message means for cards, beyond being a message: a call is a call, a form brings consents."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from models import Message, Source
from services.crm.calls import note_call
from services.crm.consents import note_form

ARRIVALS: Mapping[str, Callable[[Session, Message, Source], Any]] = {
    "calls": lambda session, message, _source: note_call(session, message),
    "form": note_form,
}
"""Platform → what is done with its messages in the transaction that stores them."""


def note_arrivals(session: Session, source_id: int, platform: str, messages: Sequence[Message]) -> None:
    """For new and changed messages; safe to repeat."""
    do = ARRIVALS.get(platform)
    if do is None:
        return
    source = session.get_one(Source, source_id)
    for message in messages:
        do(session, message, source)
