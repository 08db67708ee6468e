"""One key each: answered aloud, answered in the chat, to a department, hidden, merged, dismissed, and back again.

Every key is one statement that takes the question only while it is open: of two people the second is told who was
quicker, and nothing is done twice.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from classifier import kind_of
from collectors import channel_class
from collectors.base import ActKind
from models import Act, Author, Broadcast, BroadcastQuestion, Case, Label, Message, Source, Staff, utc_now
from models.base import storable
from services.agreement import cause_to_wait
from services.broadcasts.places import broadcasts_of, second_of_message
from services.broadcasts.states import REASONS, WATCH, check_question
from services.cases import lift_message
from services.errors import NotFound, Refused, Stale
from services.events import record
from services.kinds import own_table
from services.lint import Place, check_text, habits_of
from services.replies import moderate, queue_act, write_reply
from services.rights import Actor, require
from services.routing import ask_department

Question = BroadcastQuestion
HOLD = timedelta(seconds=60)
"""Whoever has begun to write has it for so long, and longer with every letter."""


def get_question(session: Session, actor: Actor, question_id: int) -> BroadcastQuestion:
    require(actor, WATCH)
    found = session.get(Question, question_id, populate_existing=True)
    if found is None:
        raise NotFound("question.unknown", id=question_id)
    return found


def _mine(actor: Actor) -> ColumnElement[bool]:
    """Nobody else is writing an answer to it."""
    return or_(
        Question.held_by_id.is_(None), Question.held_by_id == actor.staff_id, Question.held_until < utc_now()
    )


def settle(session: Session, actor: Actor, question_id: int, state: str, **values: Any) -> BroadcastQuestion:
    """Ends an open question and all that stand in it, in one statement; raises Stale when somebody was quicker."""
    require(actor, WATCH)
    taken = session.scalars(
        update(Question)
        .where(_with_joined(question_id), Question.state == "open")
        .where(_mine(actor))
        .values(
            state=state, settled_by_id=actor.staff_id, settled_at=utc_now(), held_by_id=None, held_until=None,
            failed=False, **values,
        )
        .returning(Question.id)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    done = set(taken)
    question = get_question(session, actor, question_id)
    if question_id not in done:
        raise _late(session, question)
    record(session, f"question.{state}", actor, object_id=question.broadcast_id, question=question_id)
    return question


def _with_joined(question_id: int) -> ColumnElement[bool]:
    """A question and all that stand in it; nothing for one that itself stands in another."""
    return or_(and_(Question.id == question_id, Question.into_id.is_(None)), Question.into_id == question_id)


def _late(session: Session, question: BroadcastQuestion) -> Stale:
    """Why a press came too late: its page still showed what somebody has changed meanwhile."""
    if question.into_id is not None and question.state == "open":
        return Stale("question.merged")
    return Stale("question.taken", state=question.state, name=_who(session, question))


def _who(session: Session, question: BroadcastQuestion) -> str:
    staff_id = question.settled_by_id if question.state != "open" else question.held_by_id
    return session.scalar(select(Staff.name).where(Staff.id == staff_id)) or ""


def hold(session: Session, actor: Actor, question_id: int) -> BroadcastQuestion:
    """«Пишу ответ»: others see it and cannot settle it meanwhile."""
    require(actor, WATCH)
    taken = session.execute(
        update(Question)
        .where(Question.id == question_id, Question.into_id.is_(None), Question.state == "open", _mine(actor))
        .values(held_by_id=actor.staff_id, held_until=utc_now() + HOLD)
        .execution_options(synchronize_session=False)
    )
    question = get_question(session, actor, question_id)
    if not taken.rowcount:  # type: ignore[attr-defined]
        raise _late(session, question)
    record(session, "question.held", actor, object_id=question.broadcast_id, question=question_id)
    return question


def release(session: Session, actor: Actor, question_id: int) -> None:
    """The writer has thought better of it."""
    question = get_question(session, actor, question_id)
    session.execute(
        update(Question)
        .where(Question.id == question_id, Question.held_by_id == actor.staff_id)
        .values(held_by_id=None, held_until=None)
    )
    record(session, "question.held", actor, object_id=question.broadcast_id, question=question_id)


def answer_aloud(session: Session, actor: Actor, question_id: int, second: int) -> BroadcastQuestion:
    """«Ответили вслух»; ``second`` of the broadcast is where the recording has the answer."""
    if second < 0:
        raise Refused("question.second")
    return settle(session, actor, question_id, "aloud", spoken_at=second)


def may_answer(source: Source) -> bool:
    return ActKind.REPLY in channel_class(source.platform).can.acts


def answer_in_chat(session: Session, actor: Actor, question_id: int, text: str) -> BroadcastQuestion:
    """The answer goes out as every other one does, without time for undo: a chat does not wait.

    One that must wait for somebody to agree (a trainee's, a row of «Согласование») makes a case of the question.
    """
    require(actor, "case.reply")
    text = storable(text).strip()
    question = get_question(session, actor, question_id)
    check_question(question, "chat")
    message = session.get_one(Message, question.message_id)
    source = session.get_one(Source, message.source_id)
    if not may_answer(source):
        raise Refused("source.no_reply", platform=source.platform)
    if message.state == "deleted":
        raise Refused("message.deleted")
    author = session.get(Author, message.author_id) if message.author_id else None
    check_chat_length(source, message, author.name if author else "", text)
    if cause_to_wait(session, actor, _as_case(session, question, message)):
        question = settle(session, actor, question_id, "carried")
        case = _case_of(session, actor, question)
        write_reply(session, actor, case.id, text, f"live-{question_id}", message_id=message.id)
        return question
    check_text(text, Place(True, source.platform, message.text), habits_of(session), {})
    question = settle(session, actor, question_id, "chat")
    act = queue_act(session, actor, ActKind.REPLY, source, message, text=text)
    question.act_id = act.id
    record(session, "reply.written", actor, object_id=question.broadcast_id, act=act.id)
    return question


def _as_case(session: Session, question: BroadcastQuestion, message: Message) -> Case:
    """The case that it would be, of no session: what the table of agreement is asked about."""
    themes = [question.theme] if question.theme else []
    kind = kind_of(question.label, themes, (), own_table(session), text=message.text, visibility=message.visibility)
    return Case(
        kind=kind.name, visibility=message.visibility, theme=question.theme,
        priority=0 if question.urgent else kind.priority,
    )  # fmt: skip


def check_chat_length(source: Source, message: Message, author: str, text: str) -> None:
    """A live chat takes less than the comments of the same platform, and the name of whom it answers counts."""
    can = channel_class(source.platform).can
    told = str(message.context.get("limit", ""))
    limit = int(told) - len(author) - 2 if told.isdigit() else can.max_length
    if not text:
        raise Refused("text.empty")
    if can.length(text) > limit:
        raise Refused("text.long", length=can.length(text), limit=limit)


def ask(session: Session, actor: Actor, question_id: int, department_id: int, text: str) -> BroadcastQuestion:
    """To a department: the question becomes a case that waits for it, urgently."""
    question = settle(session, actor, question_id, "routed")
    case = _case_of(session, actor, question)
    route = ask_department(
        session, actor, case.id, department_id, text, f"live-{question_id}", urgent=True
    )  # fmt: skip
    question.route_id = route.id
    return question


def _case_of(session: Session, actor: Actor, question: BroadcastQuestion) -> Case:
    case = lift_message(session, actor, question.message_id)
    question.case_id = case.id
    session.flush()
    return case


def hide(session: Session, actor: Actor, question_id: int) -> BroadcastQuestion:
    """Takes it from the platform, as far as that can, and from the column."""
    question = settle(session, actor, question_id, "dismissed", reason="hidden")
    moderate(session, actor, question.message_id, hiding(session, question))
    return question


def hiding(session: Session, question: BroadcastQuestion) -> ActKind:
    """What a platform has for it: a live chat only removes. Raises Refused where there is nothing."""
    message = session.get_one(Message, question.message_id)
    platform = session.get_one(Source, message.source_id).platform
    can = channel_class(platform).can.acts
    wanted = (ActKind.DELETE,) if message.context.get("chat") else (ActKind.HIDE, ActKind.DELETE)
    found = next((kind for kind in wanted if kind in can), None)
    if found is None:
        raise Refused("source.cannot", platform=platform, act=ActKind.HIDE.value)
    return found


def dismiss(session: Session, actor: Actor, question_id: int, reason: str) -> BroadcastQuestion:
    """Needs no answer, and why."""
    if reason not in REASONS:
        raise Refused("question.reason")
    return settle(session, actor, question_id, "dismissed", reason=reason)


def merge(session: Session, actor: Actor, question_id: int, into_id: int) -> BroadcastQuestion:
    """Both are one from now on: they have one end. What stood in the first one comes along."""
    head, other = aliased(Question), get_question(session, actor, into_id)
    into_id = other.into_id or other.id
    if into_id == question_id:
        raise Refused("question.self")
    taken = session.scalars(
        update(Question)
        .where(or_(Question.id == question_id, Question.into_id == question_id), Question.state == "open")
        .where(_mine(actor), exists().where(
            and_(head.id == into_id, head.state == "open", head.broadcast_id == Question.broadcast_id)
        ))
        .values(into_id=into_id, held_by_id=None, held_until=None)
        .returning(Question.id)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    if question_id not in set(taken):
        question = get_question(session, actor, question_id)
        raise _late(session, question)
    question = get_question(session, actor, question_id)
    record(session, "question.merged", actor, object_id=question.broadcast_id, question=question_id, into=into_id)
    return question


def put_back(session: Session, actor: Actor, question_id: int) -> BroadcastQuestion:
    """Undo of «вслух» and «не нужен ответ», and of a merge; what has left the desk stays as it is."""
    question = get_question(session, actor, question_id)
    if question.into_id is not None:
        if question.state != "open":
            raise Refused("question.state", state=question.state)
        question.into_id = None
    elif question.state == "chat" or question.reason == "hidden":
        raise Refused("question.state", state=question.state)
    else:
        check_question(question, "open")
        reopen(session, question_id)
    record(session, "question.back", actor, object_id=question.broadcast_id, question=question_id)
    return get_question(session, actor, question_id)


def reopen(session: Session, question_id: int, *, failed: bool = False) -> None:
    session.execute(
        update(Question)
        .where(or_(Question.id == question_id, Question.into_id == question_id))
        .where(Question.state.in_(("aloud", "chat", "dismissed")))
        .values(
            state="open",
            settled_by_id=None,
            settled_at=None,
            spoken_at=None,
            reason=None,
            act_id=None,
            failed=failed,
        )
        .execution_options(synchronize_session=False)
    )


def lift(session: Session, actor: Actor, message_id: int) -> BroadcastQuestion:
    """A person makes a question of what the classifier let go by; it learns from that."""
    require(actor, WATCH)
    message = session.get(Message, message_id)
    if message is None or message.publication_id is None or message.direction != "in":
        raise NotFound("message.unknown", id=message_id)
    known = session.scalar(select(Question).where(Question.message_id == message_id))
    if known is not None:
        return known
    home = broadcasts_of(session, [message.publication_id]).get(message.publication_id)
    if home is None:
        raise NotFound("broadcast.unknown", id=0)
    row = session.get_one(Broadcast, home)
    made = Question(
        broadcast_id=row.id, message_id=message.id, label="question", found_by="person",
        second=second_of_message(row, message), asked_at=message.published_at,
    )  # fmt: skip
    session.add(made)
    session.add(
        Label(message_id=message.id, label="question", labels=["question"], staff_id=actor.staff_id, sure=True)
    )
    session.flush()
    record(session, "question.lifted", actor, object_id=row.id, question=made.id)
    return made


def note_outcomes(session: Session, broadcast_ids: Sequence[int]) -> int:
    """Answers that did not get out bring their questions back; returns how many."""
    query = (
        select(Question.id, Question.broadcast_id)
        .join(Act, Act.id == Question.act_id)
        .where(
            Question.broadcast_id.in_(broadcast_ids), Question.state == "chat", Act.state.in_(("dead", "cancelled"))
        )
    )  # fmt: skip
    found = list(session.execute(query))
    for question_id, _ in found:
        reopen(session, question_id, failed=True)
    return len(found)
