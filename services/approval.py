"""Approval: what waits (services.agreement) is published, changed or sent back by whoever may (day.md §1.6)."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Act, Case, Message, Reply, Source, utc_now
from services.candidates import end_waiting, require_agreeing, supersede
from services.case_states import is_open
from services.cases import check_version, get_case, lift, open_twin
from services.errors import NotFound, Refused
from services.events import record
from services.lint import Place, check_text, habits_of
from services.outbox import move_act
from services.replies import check_length, go_on, restore_draft
from services.rights import Actor, require


def decided_in(session: Session, case_id: int) -> list[Reply]:
    """The replies of a case that somebody agreed to or sent back, as that was decided."""
    query = select(Reply).where(Reply.case_id == case_id, Reply.decided_at.is_not(None))
    return list(session.scalars(query.order_by(Reply.decided_at, Reply.id)))


def approve(
    session: Session,
    actor: Actor,
    act_id: int,
    text: str | None = None,
    version: int | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Reply:
    """Lets a reply go, with another ``text`` if one is given; the other candidates for the message are superseded.

    Raises Stale when the case moved on since the approver looked, Refused when the linter stops the new text.
    """
    act, reply, case = _undecided(session, actor, act_id)
    check_version(case, version)
    if text is not None and text.strip() != reply.text:
        message = session.get(Message, reply.message_id) if reply.message_id else None
        source = session.get_one(Source, act.source_id)
        check_length(source, text.strip(), act.files)
        is_public = (message.visibility if message else case.visibility) == "public"
        place = Place(is_public, source.platform, message.text if message else "")
        reply.overrides = check_text(text, place, habits_of(session), {**reply.overrides, **(overrides or {})})
        reply.text = act.text = text.strip()
    later = act.due_at > utc_now()
    move_act(act, "held" if later else "queued")
    act.due_at = act.due_at if later else utc_now()
    _decide(session, actor, reply, "reply.approved")
    supersede(session, actor, case, reply.message_id)
    if is_open(case) or open_twin(session, case) is None:
        end_waiting(session, actor, case)
        go_on(session, actor, case, reply.afterwards)
    return reply


def reject(session: Session, actor: Actor, act_id: int, note: str) -> Reply:
    """Not like this: the note is kept with the reply, the text goes back to its writer as the draft."""
    act, reply, case = _undecided(session, actor, act_id)
    if not note.strip():
        raise Refused("text.empty")
    move_act(act, "cancelled")
    reply.verdict_note = note.strip()
    _decide(session, actor, reply, "reply.rejected")
    restore_draft(session, reply)
    end_waiting(session, actor, case)
    lift(session, case, "rejected")
    return reply


def _undecided(session: Session, actor: Actor, act_id: int) -> tuple[Act, Reply, Case]:
    require(actor, "case.reply")
    act = session.get(Act, act_id, with_for_update=True)
    if act is None or act.reply_id is None:
        raise NotFound("act.unknown", id=act_id)
    if act.state != "approval":
        raise Refused("act.state", state=act.state)
    require_agreeing(session, actor, act)
    reply = session.get_one(Reply, act.reply_id)
    return act, reply, get_case(session, actor, reply.case_id, hold=True)


def _decide(session: Session, actor: Actor, reply: Reply, kind: str) -> None:
    reply.approver_id, reply.decided_at = actor.staff_id, utc_now()
    record(session, kind, actor, case_id=reply.case_id, object_id=reply.id)
