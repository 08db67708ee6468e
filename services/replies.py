"""Writing to the author outside: reply, outbox row and event in one transaction (R1)."""

import hashlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from collectors import channel_class
from collectors.base import ActKind, SourceState
from models import Act, Author, Case, Draft, Message, Outreach, Publication, Reply, Route, Source, utc_now
from models.base import storable
from services.agreement import cause_to_wait
from services.candidates import end_waiting, supersede
from services.carriers import carried_context, carrier_of
from services.case_states import MOVES, is_open, move
from services.cases import (
    check_version,
    get_case,
    give_numbers,
    may_end,
    message_answered,
    open_twin,
    reopen,
    same_form,
    touch,
)
from services.errors import Forbidden, NotFound, Refused
from services.events import record
from services.facts import note_facts
from services.holding import is_approved_text
from services.labelling import accept_label
from services.lint import Place, check_text, habits_of
from services.outbox import WRITING, cancel_act, target_of
from services.reply_files import check_files, give_back, named, take_files
from services.rights import Actor, require
from services.routing import accept_route
from services.satisfaction import ask_under, without_line

AFTERWARDS = {"solve": "solved", "wait": "author", "keep": None}
"""What becomes of the case once the reply is written: form value → state."""
LATEST = timedelta(days=90)
"""How far ahead a reply may be sent."""


def reply_by_form(session: Session, form_key: str) -> Reply | None:
    """What a form made when it came before."""
    return session.scalar(select(Reply).where(Reply.form_key == form_key))


def find_reply(session: Session, actor: Actor, reply_id: int) -> tuple[Reply, Act]:
    """A reply and what became of it; raises NotFound as get_case does."""
    row = session.execute(
        select(Reply, Act).join(Act, Act.reply_id == Reply.id).where(Reply.id == reply_id)
    ).one_or_none()
    if row is None:
        raise NotFound("reply.unknown", id=reply_id)
    get_case(session, actor, row[0].case_id)
    return row[0], row[1]


def draft_of(session: Session, actor: Actor, case_id: int) -> str:
    """What this person has typed on this case and not sent."""
    return (
        session.scalar(select(Draft.text).where(Draft.case_id == case_id, Draft.staff_id == actor.staff_id)) or ""
    )


def save_draft(session: Session, actor: Actor, case_id: int, text: str) -> None:
    """Keeps the text on the server; an empty one forgets it."""
    require(actor, "case.reply")
    get_case(session, actor, case_id, hold=True)
    _keep_draft(session, case_id, actor.staff_id, text)


def _keep_draft(session: Session, case_id: int, staff_id: int | None, text: str) -> None:
    row = session.scalar(select(Draft).where(Draft.case_id == case_id, Draft.staff_id == staff_id))
    if not text.strip():
        if row is not None:
            session.delete(row)
    elif row is None:
        session.add(Draft(case_id=case_id, staff_id=staff_id, text=text))
    else:
        row.text, row.updated_at = text, utc_now()


def restore_draft(session: Session, reply: Reply) -> None:
    """The text goes back to who wrote it, above what was begun since; what asks for a mark is asked anew."""
    text = without_line(session, reply)
    begun = session.scalar(
        select(Draft.text).where(Draft.case_id == reply.case_id, Draft.staff_id == reply.staff_id)
    )
    give_back(session, reply.id)
    _keep_draft(session, reply.case_id, reply.staff_id, f"{text}\n\n{begun}" if begun else text)


@dataclass(frozen=True)
class Wish:
    """What the writer wants besides the text.

    ``then``: a key of AFTERWARDS. ``send_at`` holds the reply until then, else ``undo_seconds`` do. ``version``:
    the case as the writer saw it. ``route_id``: the department's answer it was made of. ``overrides``: rule of the
    linter → why it may stand. ``message_id``: the message answered, the newest of the author by default.
    ``promised_until``: it is a holding reply, and this is what it promises. ``beside``: the case of the other half
    of «Разделить», which waits for agreement where either does. ``files``: ids of those beside the draft.
    """

    then: str = "solve"
    message_id: int | None = None
    undo_seconds: float = 10
    send_at: datetime | None = None
    version: int | None = None
    route_id: int | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    promised_until: datetime | None = None
    beside: Case | None = None
    files: Collection[int] = ()


def write_reply(
    session: Session, actor: Actor, case_id: int, text: str, form_key: str, wish: Wish | None = None, **wishes: Any
) -> Reply:
    """Queues a reply under the right parent; the same ``form_key`` twice is the same reply.

    ``wishes`` are fields of Wish. It may have to wait for somebody to agree. Raises Refused when the platform
    cannot take it (too long, empty, deleted, no such capability) or the linter stops it, Stale when the case has
    changed.
    """
    wish = wish or Wish(**wishes)
    require(actor, "case.reply")
    text = storable(text).strip()
    case = get_case(session, actor, case_id, hold=True)
    known = session.scalar(select(Reply).where(Reply.form_key == form_key))
    if known is not None:
        return same_form(known, without_line(session, known), text)
    check_version(case, wish.version)
    message = message_answered(session, case, wish.message_id)
    source = session.get_one(Source, message.source_id if message else case.source_id)
    files = take_files(session, actor, case.id, wish.files)
    carrier = _carrier(session, source, message)
    is_public = (message or case).visibility == "public"
    check_length(carrier, text, files)
    check_files(carrier, files, public=is_public)
    place = Place(is_public, carrier.platform, message.text if message else "")
    reply = Reply(
        case_id=case.id, message_id=message.id if message else None, staff_id=actor.staff_id, text=text,
        form_key=form_key,
        route_id=_answer_used(session, actor, case, wish.route_id), afterwards=AFTERWARDS[wish.then],
        overrides=check_text(text, place, habits_of(session), wish.overrides), promised_until=wish.promised_until,
    )  # fmt: skip
    session.add(reply)
    session.flush()
    if message is not None:
        ask_under(session, reply, message, carrier, longest_of(carrier, files))
    if message is not None and channel_class(source.platform).is_live(message.container):
        wish = replace(wish, undo_seconds=0)
    act = _queue_reply(session, actor, case, reply, source, carrier, message, _due_at(wish))
    act.files = named(files)
    for file in files:
        file.reply_id = reply.id
    if message is not None and message.case_id == case.id:
        accept_label(session, actor, message)
    note_facts(session, reply)
    holding = reply.promised_until is not None and is_approved_text(session, text)
    if not holding and cause_to_wait(session, actor, case, *([wish.beside] if wish.beside else [])):
        _offer(session, actor, act, case, wish.send_at)
    else:
        supersede(session, actor, case, reply.message_id)
        if is_open(case) or open_twin(session, case) is None:
            go_on(session, actor, case, reply.afterwards)
    session.execute(delete(Draft).where(Draft.case_id == case.id, Draft.staff_id == actor.staff_id))
    record(session, "reply.written", actor, case_id=case.id, object_id=reply.id)
    return reply


def _queue_reply(
    session: Session,
    actor: Actor,
    case: Case,
    reply: Reply,
    source: Source,
    carrier: Source,
    message: Message | None,
    due_at: datetime | None,
) -> Act:
    if message is None:
        way = session.scalars(select(Outreach).where(Outreach.case_id == case.id)).one()
        return _queue(
            session, actor, ActKind.MESSAGE, carrier, due_at, text=reply.text, reply_id=reply.id, case_id=case.id,
            target=way.target,
        )  # fmt: skip
    act = queue_act(session, actor, ActKind.REPLY, carrier, message, text=reply.text, reply=reply, due_at=due_at)
    act.case_id = case.id  # which is another than the message's where it was split off
    if carrier.id != source.id:
        act.target = {**act.target, "context": carried_context(source, message)}
    return act


def _offer(session: Session, actor: Actor, act: Act, case: Case, reply_at: datetime | None) -> None:
    """The act waits, and the case says so; several candidates may wait side by side."""
    act.state = "approval"
    if reply_at is None:
        act.due_at = utc_now()  # who agrees has no need of the writer's time for undo
    if is_open(case):
        touch(session, case, actor)
        if (case.state, "approval") in MOVES:
            move(session, case, "approval", actor)
        case.lift = "approval"
    record(session, "reply.offered", actor, case_id=case.id, object_id=act.reply_id)


def _due_at(wish: Wish) -> datetime | None:
    """When the reply may leave; None: at once. Raises Refused for a time that is over or too far away."""
    now = utc_now()
    if wish.send_at is None:
        return now + timedelta(seconds=wish.undo_seconds) if wish.undo_seconds > 0 else None
    if not now < wish.send_at <= now + LATEST:
        raise Refused("reply.time", days=LATEST.days)
    return wish.send_at


def go_on(session: Session, actor: Actor, case: Case, state: str | None) -> None:
    """Answering takes the case and moves it; a closed one beside the author's newer open one stays as it is."""
    if not is_open(case):
        reopen(session, case, actor)
    touch(session, case, actor)
    if state == "solved" and not may_end(session, actor, case):
        return  # the head ends it
    if state is not None and not _is_owed(session, case):
        move(session, case, state, actor, reason="answered" if state == "solved" else None)


def _carrier(session: Session, source: Source, message: Message | None) -> Source:
    """The place by which the reply goes, having looked whether it may."""
    if source.state == "manual":
        raise Refused("source.by_hand", id=source.id)
    carrier = carrier_of(session, source, message)
    if carrier is None:
        raise Refused("source.no_reply", platform=source.platform)
    if message is not None and message.state == SourceState.DELETED.value and message.visibility == "public":
        raise Refused("message.deleted")
    return carrier


def longest_of(source: Source, files: Collection[object] = ()) -> int:
    """The longest text that the place takes, in its own units."""
    can = channel_class(source.platform).can
    return can.files.text if files and can.files and can.files.text else can.max_length


def check_length(source: Source, text: str, files: Collection[object] = ()) -> None:
    """Raises Refused for a text that the place does not take; beside ``files`` it may be shorter."""
    can, limit = channel_class(source.platform).can, longest_of(source, files)
    if not text:
        raise Refused("text.empty")
    if can.length(text) > limit:
        raise Refused("text.long", length=can.length(text), limit=limit)


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
    due_at: datetime | None = None,
) -> Act:
    """Writes the outbox row; with ``due_at`` it is held, and may be taken back, until then."""
    author = session.get(Author, message.author_id) if message.author_id else None
    place = session.get(Publication, message.publication_id) if message.publication_id else None
    target = target_of(
        message, author.external_id if author else None, author.name if author else None,
        place.external_id if place else None,
    )  # fmt: skip
    return _queue(
        session, actor, kind, source, due_at, text=text, reply_id=reply.id if reply else None, target=target,
        case_id=message.case_id, message_id=message.id,
    )  # fmt: skip


def _queue(
    session: Session, actor: Actor, kind: ActKind, source: Source, due_at: datetime | None, **values: Any
) -> Act:
    act = Act(
        kind=kind.value, source_id=source.id, staff_id=actor.staff_id, token=secrets.token_hex(16),
        state="held" if due_at else "queued", due_at=due_at or utc_now(), **values,
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
    end_waiting(session, actor, case)
    restore_draft(session, reply)
    beside = session.scalar(
        select(Act.id).join(Reply, Reply.id == Act.reply_id)
        .where(Reply.form_key == f"{reply.form_key}-private", Act.state == "held")
    )  # fmt: skip
    if beside is not None:  # both halves of «Разделить» were one press
        take_back(session, actor, beside)
    return reply


def change_published(
    session: Session,
    actor: Actor,
    act_id: int,
    form_key: str,
    *,
    text: str | None,
    undo_seconds: float = 10,
    overrides: Mapping[str, str] | None = None,
) -> Act:
    """Edits our own reply where it stands (``text``), or removes it from there (None), through the same ledger.

    The same ``form_key`` twice is one act. Raises Refused where the platform cannot, or the place is not known.
    """
    require(actor, "case.reply")
    own = session.get(Act, act_id)
    if own is None or own.kind not in WRITING:
        raise NotFound("act.unknown", id=act_id)
    case = get_case(session, actor, own.case_id, hold=True) if own.case_id is not None else None
    kind = ActKind.DELETE if text is None else ActKind.EDIT
    token = hashlib.sha256(f"{own.token}:{form_key}".encode()).hexdigest()[:32]
    known = session.scalar(select(Act).where(Act.token == token))
    if known is not None:
        return known
    source = session.get_one(Source, own.source_id)
    if own.state not in ("accepted", "seen") or own.external_id is None:
        raise Refused("act.state", state=own.state)
    if kind not in channel_class(source.platform).can.acts:
        raise Refused("source.cannot", platform=source.platform, act=kind.value)
    limits = channel_class(source.platform).can.files
    if text is not None and own.files and not (limits and limits.edits):
        raise Refused("file.fixed", platform=source.platform)
    if cause_to_wait(session, actor, *([case] if case else [])):
        # What stands there would change without anybody's consent.
        raise Forbidden("forbidden", act="reply.approve")
    if text is not None:
        check_length(source, text.strip(), own.files)
        message = session.get(Message, own.message_id) if own.message_id else None
        seen_by = message or case
        is_public = seen_by is None or seen_by.visibility == "public"
        place = Place(is_public, source.platform, message.text if message else "")
        reply = session.get(Reply, own.reply_id) if own.reply_id else None
        kept = check_text(
            text, place, habits_of(session), {**(reply.overrides if reply else {}), **(overrides or {})}
        )
        if reply is not None:
            reply.overrides = kept
    due_at = utc_now() + timedelta(seconds=undo_seconds) if undo_seconds > 0 else None
    act = Act(
        kind=kind.value, source_id=own.source_id, case_id=own.case_id, of_act_id=own.id, message_id=own.message_id,
        staff_id=actor.staff_id, text=(text or "").strip(), token=token, state="held" if due_at else "queued",
        due_at=due_at or utc_now(), target=_own_target(session, own), files=own.files,
    )  # fmt: skip
    session.add(act)
    session.flush()
    record(session, f"act.{kind.value}", actor, case_id=own.case_id, object_id=act.id)
    return act


def _own_target(session: Session, own: Act) -> dict[str, Any]:
    """Our own message as a target: as the collector met it, else as the receipt named it."""
    message = session.scalar(select(Message).where(Message.act_id == own.id))
    if message is not None:
        author = session.get(Author, message.author_id) if message.author_id else None
        return target_of(message, author.external_id if author else None, author.name if author else None, None)
    return {
        **own.target, "container": own.container or own.target.get("container"), "external_id": own.external_id,
        "parent_external_id": own.target.get("external_id"),
    }  # fmt: skip


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
