"""By which place an answer goes: where the message stands, or by letter to the address that a visitor left."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from collectors import channel_class
from collectors.base import ActKind
from models import Act, Author, Case, Message, Source

ADDRESS = "email"
"""Key of a message's context under which a visitor's address stands."""
OF_REPLY = re.compile(r"^otklik\.([0-9a-f]{32})@")
"""Our Message-ID of a reply, see collectors.mail.smtp: the thread of whatever comes back to it."""


def carrier_of(session: Session, source: Source, message: Message | None) -> Source | None:
    """The place whose channel takes an answer to ``message`` of ``source``; None: a person must answer there."""
    can = channel_class(source.platform).can
    if source.state == "manual":
        return None
    if ActKind.REPLY in can.acts:
        return source
    if not can.answered_by or message is None or not message.context.get(ADDRESS):
        return None
    boxes = select(Source).where(Source.platform == can.answered_by, Source.state == "active")
    return session.scalars(boxes.order_by(Source.id).limit(1)).one_or_none()


def carried_context(source: Source, message: Message) -> Mapping[str, Any]:
    """What the carrying channel must know instead of the message's own context.

    Nothing of what the visitor wrote goes into the letter: anybody may leave a stranger's address in a form.
    """
    return {"from": message.context[ADDRESS], "subject": source.title}


def answered_cases(session: Session, messages: Sequence[Message]) -> dict[int, str]:
    """Message id → the subject key of the case that its letter answers, sent by whom the reply went to."""
    named = {one.id: found[1] for one in messages if one.thread and (found := OF_REPLY.match(one.thread))}
    if not named:
        return {}
    rows = session.execute(
        select(Act.token, Act.target, Case.subject_key)
        .join(Case, Case.id == Act.case_id)
        .join(Source, Source.id == Case.source_id)
        .where(Act.token.in_(named.values()))
    )
    cases = {token: (str(target.get("context", {}).get("from", "")).lower(), key) for token, target, key in rows}
    writers = {one.id: one.author_id for one in messages if one.id in named and one.author_id}
    known = select(Author.id, Author.external_id).where(Author.id.in_(writers.values()))
    addresses = {author: external.lower() for author, external in session.execute(known)}
    return {
        id_: cases[token][1] for id_, token in named.items()
        if token in cases and addresses.get(writers.get(id_, 0)) == cases[token][0]
    }  # fmt: skip
