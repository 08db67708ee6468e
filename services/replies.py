"""Writing to the author outside: reply, outbox row and event in one transaction (R1)."""

import secrets
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from collectors import channel_class
from collectors.base import ActKind, SourceState
from models import Act, Author, Case, Draft, Message, Publication, Reply, Route, Source, utc_now
from services.case_states import is_open, move
from services.cases import (
    check_version,
    get_case,
    give_numbers,
    newest_incoming,
    open_twin,
    reopen,
    same_form,
    touch,
)
from services.errors import NotFound, Refused
from services.events import record
from services.labelling import accept_label
from services.outbox import cancel_act, target_of
from services.rights import Actor, require
from services.routing import accept_route

AFTERWARDS = {"solve": "solved", "wait": "author", "keep": None}
"""What becomes of the case once the reply is written: form value → state."""


def draft_of(session: Session, actor: Actor, case_id: int) -> str:
    """What this person has typed on this case and not sent."""
    return (
        session.scalar(select(Draft.text).where(Draft.case_id == case_id, Draft.staff_id == actor.staff_id)) or ""
    )


def save_draft(session: Session, actor: Actor, case_id: int, text: str) -> None:
    """Keeps the text on the server; an empty one forgets it."""
    require(actor, "case.reply")
    case = get_case(session, actor, case_id, hold=True)
    row = session.scalar(select(Draft).where(Draft.case_id == case.id, Draft.staff_id == actor.staff_id))
    if not text.strip():
        if row is not None:
            session.delete(row)
    elif row is None:
        session.add(Draft(case_id=case.id, staff_id=actor.staff_id, text=text))
    else:
        row.text, row.updated_at = text, utc_now()


def write_reply(
    session: Session,
    actor: Actor,
    case_id: int,
    text: str,
    form_key: str,
    *,
    message_id: int | None = None,
    then: str = "solve",
    undo_seconds: float = 10,
    version: int | None = None,
    route_id: int | None = None,
) -> Reply:
    """Queues a reply under the right parent; the same ``form_key`` twice is the same reply.

    ``message_id`` names the message answered, the newest of the author by default. Raises Refused when the
    platform cannot take it (too long, empty, deleted, no such capability), Stale when the case changed meanwhile.
    """
    require(actor, "case.reply")
    case = get_case(session, actor, case_id, hold=True)
    known = session.scalar(select(Reply).where(Reply.form_key == form_key))
    if known is not None:
        return same_form(known, known.text, text)
    check_version(case, version)
    message = session.get(Message, message_id) if message_id else newest_incoming(session, case_id)
    if message is None or message.case_id != case.id:
        raise NotFound("message.unknown", id=message_id)
    source = session.get_one(Source, message.source_id)
    text = text.strip()
    _check_text(source, message, text)
    reply = Reply(
        case_id=case.id, message_id=message.id, staff_id=actor.staff_id, text=text, form_key=form_key,
        route_id=_answer_used(session, actor, case, route_id),
    )  # fmt: skip
    session.add(reply)
    session.flush()
    queue_act(session, actor, ActKind.REPLY, source, message, text=text, reply=reply, undo_seconds=undo_seconds)
    accept_label(session, actor, message)
    if is_open(case) or open_twin(session, case) is None:
        _go_on(session, actor, case, AFTERWARDS[then])
    session.execute(delete(Draft).where(Draft.case_id == case.id, Draft.staff_id == actor.staff_id))
    record(session, "reply.written", actor, case_id=case.id, object_id=reply.id)
    return reply


def _go_on(session: Session, actor: Actor, case: Case, state: str | None) -> None:
    """Answering takes the case and moves it; a closed one beside the author's newer open one stays as it is."""
    if not is_open(case):
        reopen(session, case, actor)
    touch(session, case, actor)
    if state is not None and not _is_owed(session, case):
        move(session, case, state, actor, reason="answered" if state == "solved" else None)


def _check_text(source: Source, message: Message, text: str) -> None:
    can = channel_class(source.platform).can
    if not text:
        raise Refused("text.empty")
    if ActKind.REPLY not in can.acts:
        raise Refused("source.no_reply", platform=source.platform)
    if can.length(text) > can.max_length:
        raise Refused("text.long", length=can.length(text), limit=can.max_length)
    if message.state == SourceState.DELETED.value and message.visibility == "public":
        raise Refused("message.deleted")


def _answer_used(session: Session, actor: Actor, case: Case, route_id: int | None) -> int | None:
    """The department's answer that the reply was made of is accepted by using it."""
    route = session.get(Route, route_id) if route_id else None
    if route is None or route.case_id != case.id:
        return None
    if route.state == "answered":
        accept_route(session, actor, route)
    return route.id


def _is_owed(session: Session, case: Case) -> bool:
    """A case with a department that still owes an answer stays where it is."""
    return (
        session.scalar(
            select(Route.id)
            .where(Route.case_id == case.id, Route.state.in_(("sent", "opened", "clarify")))
            .limit(1)
        )
        is not None
    )


def queue_act(
    session: Session,
    actor: Actor,
    kind: ActKind,
    source: Source,
    message: Message,
    *,
    text: str = "",
    reply: Reply | None = None,
    undo_seconds: float = 0,
) -> Act:
    """Writes the outbox row; it goes when the time for undo has passed."""
    author = session.get(Author, message.author_id) if message.author_id else None
    place = session.get(Publication, message.publication_id) if message.publication_id else None
    act = Act(
        kind=kind.value, source_id=source.id, case_id=message.case_id, reply_id=reply.id if reply else None,
        message_id=message.id, staff_id=actor.staff_id, text=text, token=secrets.token_hex(16),
        state="held" if undo_seconds > 0 else "queued", due_at=utc_now() + timedelta(seconds=undo_seconds),
        target=target_of(
            message, author.external_id if author else None, author.name if author else None,
            place.external_id if place else None,
        ),
    )  # fmt: skip
    session.add(act)
    session.flush()
    return act


def take_back(session: Session, actor: Actor, act_id: int) -> Reply | None:
    """Undo: the reply is not sent, its text becomes the draft again and the case is open again."""
    act = cancel_act(session, actor, act_id)
    reply = session.get(Reply, act.reply_id) if act.reply_id else None
    if reply is None:
        return None
    case = get_case(session, actor, reply.case_id, hold=True)
    if not is_open(case):
        if open_twin(session, case) is None:
            move(session, case, "work", actor)
    elif case.state == "author":
        move(session, case, "work", actor)
    save_draft(session, actor, case.id, reply.text)
    return reply


def moderate(session: Session, actor: Actor, message_id: int, kind: ActKind) -> Act:
    """Hides, publishes, deletes, bans or likes on the platform, through the same ledger as a reply."""
    require(actor, "case.moderate")
    message = session.get(Message, message_id)
    if message is None:
        raise NotFound("message.unknown", id=message_id)
    source = session.get_one(Source, message.source_id)
    if kind not in channel_class(source.platform).can.acts or kind in (
        ActKind.REPLY,
        ActKind.MESSAGE,
        ActKind.EDIT,
    ):
        raise Refused("source.cannot", platform=source.platform, act=kind.value)
    if message.case_id is not None:
        # Whoever acts on it makes the case real: one that dissolved would leave the act without it.
        give_numbers(session, [get_case(session, actor, message.case_id, hold=True)], actor)
    act = queue_act(session, actor, kind, source, message)
    record(session, f"act.{kind.value}", actor, case_id=message.case_id, object_id=act.id)
    return act
