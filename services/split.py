"""«Разделить»: a line that everybody sees and a private message, made of one text and sent together."""

from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from collectors import channel_class
from collectors.base import ActKind, SourceState
from models import Case, Message, Reply, Source
from services.case_states import is_open
from services.cases import get_case
from services.errors import Refused
from services.replies import Wish, draft_of, write_reply
from services.rights import Actor, require


@dataclass(frozen=True, slots=True)
class PrivateLine:
    """Where the author of a public comment can be written to unseen: a conversation that they began themselves."""

    case_id: int
    message_id: int
    source: Source
    draft: str


def private_line(session: Session, actor: Actor, case: Case) -> PrivateLine | None:
    """The newest private conversation with the same author that can be answered; None where there is none.

    Platforms let a page write first to hardly anybody, so a line is where the author has written to us.
    """
    if case.visibility != "public" or case.author_id is None:
        return None
    found = session.execute(
        select(Message, Source)
        .join(Case, Case.id == Message.case_id)
        .join(Source, Source.id == Message.source_id)
        .where(
            Case.author_id == case.author_id, Case.visibility == "private", Message.direction == "in",
            Message.state != SourceState.DELETED.value, Source.state.not_in(("paused", "manual")),
        )
        .order_by(Message.published_at.desc(), Message.id.desc())
        .limit(5)
    )  # fmt: skip
    for message, source in found:
        if ActKind.REPLY in channel_class(source.platform).can.acts and message.case_id is not None:
            return PrivateLine(message.case_id, message.id, source, draft_of(session, actor, message.case_id))
    return None


def write_split(
    session: Session, actor: Actor, case_id: int, text: str, private_text: str, form_key: str, wish: Wish
) -> tuple[Reply, Reply]:
    """The public reply and the private one, or neither; the same ``form_key`` twice is the same pair."""
    require(actor, "case.reply")
    case = get_case(session, actor, case_id, hold=True)
    line = private_line(session, actor, case)
    if line is None:
        raise Refused("reply.no_private")
    unseen = get_case(session, actor, line.case_id)
    then = "keep" if is_open(unseen) else "solve"
    beside = replace(
        wish,
        message_id=line.message_id,
        version=None,
        route_id=None,
        promised_until=None,
        then=then,
        beside=case,
        files=(),
    )
    private = write_reply(session, actor, line.case_id, private_text, f"{form_key}-private", beside)
    return write_reply(session, actor, case_id, text, form_key, replace(wish, beside=unseen)), private
