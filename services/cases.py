"""Cases: which messages open one, who leads it, how it ends (day.md §1.1–1.3, domain.md §6.1)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from sqlalchemy import BigInteger, Table, delete, exists, func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from classifier import Verdict
from models import Case, Draft, Label, Message, Note, Route, Staff, UtcDateTime, utc_now
from models.base import storable
from services.candidates import supersede
from services.carriers import answered_cases
from services.case_states import CLOSE_REASONS, STAGES, is_open, move, wake
from services.columns import among, for_each, rows_given
from services.errors import Forbidden, NotFound, Refused, Stale
from services.events import record
from services.excerpts import message_of
from services.kinds import HIGH, confirmed_signals, own_table, renew_kind, set_kind
from services.leases import hold_cases, insert_missing, next_numbers
from services.presets import ANSWERED_KINDS, GRAVE_KINDS
from services.responsibility import assign_by_table
from services.rights import DESK, Actor, actor_of, require
from services.rota import assign_duty
from services.rules import apply_rules
from services.search_index import index_note
from services.sla import clocks_of, note_author, start_clocks

T = TypeVar("T")
HOLD = {"key_share": True}
"""A lock that others' rows may still refer through: who answers a case waits for nobody who writes beside it."""
ACTIONABLE = frozenset({"question", "complaint", "wish"})
APPLICATION = "application"
"""The theme of whoever wants to buy, enrol or be called back."""
STRENGTH = ("other", "spam", "praise", "wish", "question", "complaint")
"""Labels from the weakest to the strongest: a case shows the strongest of its messages."""
REOPEN_WITHIN = timedelta(days=14)
_MESSAGES = cast(Table, Message.__table__)
_CASES = cast(Table, Case.__table__)
_LINK = for_each(
    lambda row: update(_MESSAGES).where(_MESSAGES.c.id == row.of).values(case_id=row.to),
    of=BigInteger(), to=BigInteger(),
)  # fmt: skip
_RISE = for_each(
    lambda row: update(_CASES).where(_CASES.c.id == row.of).values(last_message_at=row.at),
    of=BigInteger(), at=UtcDateTime(),
)  # fmt: skip


def get_case(session: Session, actor: Actor, case_id: int, *, hold: bool = False) -> Case:
    """The case, if the actor may see it; raises NotFound otherwise, so that numbers tell nothing.

    ``hold`` keeps others from changing it until the commit: of two who act on one version the second is told.
    """
    if not actor.may("case.view"):
        raise Forbidden("forbidden", act="case.view")
    case = session.get(Case, case_id, with_for_update=HOLD if hold else None)
    if case is None:
        raise NotFound("case.unknown", id=case_id)
    return case


def check_version(case: Case, version: int | None) -> None:
    """Raises Stale when the actor looked at an older state of the case."""
    if version is not None and case.version != version:
        raise Stale("case.stale", state=case.state, version=case.version)


def same_form(known: T, written: str, text: str) -> T:
    """What a form that came twice has made; raises Stale when it came with another text, which would be lost."""
    if written != text.strip():
        raise Stale("case.stale")
    return known


def admit(session: Session, messages: Sequence[Message]) -> None:
    """Gives new messages a case: the open one of the same author and matter, a recently closed one, or a new one.

    The case stays without a number until labels say that it is worth one, see ``settle_case``.
    """
    received = [message for message in messages if message.work == "received"]
    waiting = sorted(received, key=lambda m: (m.published_at, m.id))
    if not waiting:
        return
    keys = {message.id: subject_key(message) for message in waiting} | answered_cases(session, waiting)
    cases = _known_cases(session, set(keys.values()))
    fresh: dict[str, Message] = {}
    for message in waiting:
        if keys[message.id] not in cases:
            fresh.setdefault(keys[message.id], message)
    if fresh:
        rows = [_new_case(key, fresh[key]) for key in sorted(fresh)]
        insert_missing(session, Case, rows, "open_key")
        cases.update(_known_cases(session, set(fresh)))
    links: list[dict[str, Any]] = []
    risen: dict[int, dict[str, Any]] = {}
    for message in waiting:
        case = cases[keys[message.id]]
        links.append({"of": message.id, "to": case.id})
        set_committed_value(message, "case_id", case.id)
        if case.first_message_id is None:
            _answered_us(case, message)
        if is_open(case) and message.published_at > case.last_message_at:
            set_committed_value(case, "last_message_at", message.published_at)
            risen[case.id] = {"of": case.id, "at": message.published_at}
    dialect = session.get_bind().dialect.name
    for statement, given in ((_LINK, links), (_RISE, list(risen.values()))):
        if given:
            session.connection().execute(statement[dialect], rows_given(session, given))
    record(session, "messages.received", DESK, object_id=waiting[0].source_id, count=len(waiting))


def subject_key(message: Message) -> str:
    """Messages with one key belong together: one author under one publication, or in one dialogue."""
    if message.author_id is None:
        return f"{message.source_id}:m{message.id}"
    place = message.container if message.visibility == "private" else message.publication_id or message.container
    if message.visibility == "private" and message.thread and message.subject is not None:
        place = message.thread  # a letter thread is one matter
    return f"{message.source_id}:{message.author_id}:{place}"


def _known_cases(session: Session, keys: set[str]) -> dict[str, Case]:
    closed = select(Case).where(
        among(session, Case.subject_key, keys), Case.open_key.is_(None), Case.state != "merged",
        Case.closed_at > utc_now() - REOPEN_WITHIN,
    )  # fmt: skip
    cases = {case.subject_key: case for case in session.scalars(closed.order_by(Case.id))}
    # Held, so that none of them dissolves before the messages stand in it.
    cases.update({case.subject_key: case for case in hold_cases(session, (), keys)})
    return cases


def hold_matters(session: Session, messages: Sequence[Message], others: Collection[int] = ()) -> list[Case]:
    """Every case that these messages stand in, are to be given or may be moved to, and ``others``, held as by
    ``hold_cases``."""
    ids = {*others, *(message.case_id for message in messages if message.case_id is not None)}
    loose = [message for message in messages if message.case_id is None]
    keys = {subject_key(message) for message in loose} | set(answered_cases(session, loose).values())
    over = select(Case.subject_key).where(Case.id.in_(ids), Case.open_key.is_(None))  # their author's newer one
    return hold_cases(session, ids, keys | set(session.scalars(over)))


def _answered_us(case: Case, message: Message) -> None:
    """Whom we wrote to first has answered: from here on it is a case like any other."""
    case.first_message_id, case.publication_id = message.id, message.publication_id
    case.opened_at = message.published_at


def _new_case(key: str, message: Message) -> dict[str, object]:
    return {
        "subject_key": key, "open_key": key, "source_id": message.source_id,
        "publication_id": message.publication_id, "author_id": message.author_id,
        "first_message_id": message.id, "visibility": message.visibility,
        "opened_at": message.published_at, "last_message_at": message.published_at, "state": "new",
        "stage": "arriving", "lift": "message", "sure": False, "reopened": 0, "version": 1,
        "created_at": utc_now(),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known of a message that came: ``worth``: it needs an answer; ``themes``: the leading first."""

    message: Message
    label: str
    sure: bool
    worth: bool
    themes: tuple[str, ...] = ()


def worth_a_case(
    message: Message, verdict: Verdict, label: str, sure: bool, gate: float | None, answers_us: bool
) -> bool:
    """Whether a message needs an answer (day.md §1.1); ``gate`` None: it is shut, all that is public needs one.

    ``label`` and ``sure`` are what counts, which may be a person's word and not the verdict's.
    """
    if message.automatic:
        return False
    if message.visibility == "private" or gate is None or verdict.signals:
        return True
    if label in ACTIONABLE or verdict.actionable >= gate:
        return True
    if APPLICATION in verdict.themes[:1] and label != "spam":
        return True
    return answers_us and not sure


def settle_cases(session: Session, judged: Sequence[Judged]) -> None:
    """After labelling: numbers for cases that are worth one, reopening, and the end of those that are not."""
    by_case: dict[int, list[Judged]] = {}
    for one in judged:
        if one.message.case_id is not None:
            by_case.setdefault(one.message.case_id, []).append(one)
    # Held and read anew: a person may have made one of them real since it was admitted.
    held = hold_matters(session, [one.message for one in judged if one.message.case_id is not None])
    cases = [case for case in held if case.id in by_case]
    table, said = own_table(session), confirmed_signals(session, list(by_case))
    clocks = clocks_of(session, [case.id for case in cases if case.number is not None])
    promoted = []
    for case in cases:
        members = by_case[case.id]
        worthy = [member for member in members if member.worth]
        for one in members:
            one.message.work = "labelled" if one.worth or case.number is not None else _set_aside(one.label)
            if _strengthens(case, one):
                case.label, case.sure = one.label, one.sure
                set_kind(session, case, one.themes, said.get(case.id, ()), one.message.text, table)
        if case.number is None and worthy:
            promoted.append(case)
        elif case.number is None:
            _dissolve(session, case)
        elif worthy and not is_open(case):
            _reopen_or_hand_over(session, case, [member.message for member in worthy])
        elif worthy:
            stood = case.state == "author" or case.stage == "later"
            wake(session, case, DESK)
            if case.state == "author":  # we waited for just this
                move(session, case, "work", DESK)
            case.lift = "message"
            had_none = case.due_at is None
            known = None if stood else clocks.get(case.id, [])
            note_author(session, case, worthy[0].message.published_at, known)
            if had_none and case.due_at is not None:
                renew_kind(session, case)  # what was history is today's now
            record(session, "case.attached", DESK, case_id=case.id, object_id=worthy[0].message.id)
    give_numbers(session, promoted)
    apply_rules(session, promoted)
    assign_by_table(session, promoted)
    assign_duty(session, promoted)


def _reopen_or_hand_over(session: Session, case: Case, messages: Sequence[Message]) -> None:
    """A closed case has news; they go to the author's newer case where one is open on the same matter."""
    twin_id = open_twin(session, case)
    if twin_id is None:
        reopen(session, case, DESK)
        return
    twin = session.get_one(Case, twin_id)
    for message in messages:
        message.case_id = twin.id
    wake(session, twin, DESK)
    twin.lift = "message"
    twin.version += 1
    record(session, "case.attached", DESK, case_id=twin.id, object_id=messages[0].id)


def _set_aside(label: str) -> str:
    return "spam" if label == "spam" else "rest"


def _strengthens(case: Case, one: Judged) -> bool:
    """A case shows its first message's label, or the strongest of those that came after."""
    stronger = case.label is None or STRENGTH.index(one.label) > STRENGTH.index(case.label)
    return one.message.id == case.first_message_id or (one.worth and stronger)


def _dissolve(session: Session, case: Case) -> None:
    """A case without number, of messages that need no answer: it never was one."""
    others = session.scalar(
        select(func.count()).where(Message.case_id == case.id, Message.work.in_(("received", "labelled")))
    )
    if others:
        return  # a neighbour still waits for its label
    if session.scalar(select(exists().where(Draft.case_id == case.id))):
        give_numbers(session, [case])  # somebody is already writing an answer
        return
    session.execute(update(Message).where(Message.case_id == case.id).values(case_id=None))
    session.execute(delete(Case).where(Case.id == case.id, Case.number.is_(None)))


def give_numbers(session: Session, cases: Sequence[Case], actor: Actor = DESK) -> None:
    """Numbers (ОБ-ГГГГ-NNNNNN, by the year of opening) for cases that have none."""
    waiting = sorted((case for case in cases if case.number is None), key=lambda case: case.opened_at)
    for year in sorted({case.opened_at.year for case in waiting}):
        of_year = [case for case in waiting if case.opened_at.year == year]
        numbers = next_numbers(session, f"case.{year}", len(of_year))
        for case, number in zip(of_year, numbers, strict=True):
            case.number = f"ОБ-{year}-{number:06d}"
            if case.stage == "arriving":
                case.stage = STAGES[case.state]
            record(session, "case.opened", actor, case_id=case.id, object_id=case.id, label=case.label)
    start_clocks(session, waiting)


def touch(session: Session, case: Case, actor: Actor) -> None:
    """Any act of a person makes a case real and takes it: no transition is a click of its own (day.md §1.3)."""
    give_numbers(session, [case], actor)
    if case.state in ("new", "triage"):
        move(session, case, "work", actor)
    if case.assignee_id is None and actor.staff_id is not None:
        case.assignee_id = actor.staff_id
        record(session, "case.assigned", actor, case_id=case.id, object_id=actor.staff_id)
    case.lift = None
    case.version += 1


def assign(session: Session, actor: Actor, case_id: int, staff_id: int | None, version: int | None = None) -> Case:
    """Gives the case to a person who may answer it, or to nobody with None."""
    require(actor, "case.assign")
    case = get_case(session, actor, case_id, hold=True)
    check_version(case, version)
    person = session.get(Staff, staff_id) if staff_id is not None else None
    if staff_id is not None and (person is None or not actor_of(person).may("case.reply")):
        raise NotFound("staff.unknown", id=staff_id)
    give_numbers(session, [case], actor)
    if case.assignee_id != staff_id:
        case.assignee_id = staff_id
        case.version += 1
        record(session, "case.assigned", actor, case_id=case.id, object_id=staff_id)
    return case


def close(session: Session, actor: Actor, case_id: int, reason: str, version: int | None = None) -> Case:
    """Closes without a reply; spam and «no answer needed» are reasons. Refuses while a department still owes."""
    require(actor, "case.close")
    if reason not in CLOSE_REASONS:
        raise Refused("case.reason", reason=reason)
    case = get_case(session, actor, case_id, hold=True)
    check_version(case, version)
    if session.scalar(
        select(exists().where(Route.case_id == case.id, Route.state.in_(("sent", "opened", "clarify"))))
    ):
        raise Refused("case.open_routes", id=case.id)
    check_closing(session, actor, case, reason)
    give_numbers(session, [case], actor)
    supersede(session, actor, case)
    move(session, case, "spam" if reason == "spam" else "no_answer", actor, reason=reason)
    return case


def check_closing(session: Session, actor: Actor, case: Case, reason: str) -> None:
    """What a person has found to be grave is closed by the head, and never as spam or without an answer."""
    grave = _grave_kinds(session, case)
    if grave.intersection(ANSWERED_KINDS) and reason in ("spam", "no_answer_needed"):
        raise Refused("case.grave", kind=case.kind)
    if not may_end(session, actor, case):
        raise Forbidden("forbidden", act="case.close_grave")


def may_end(session: Session, actor: Actor, case: Case) -> bool:
    """Whether the actor may be the one who ends this case."""
    return not _grave_kinds(session, case).intersection(GRAVE_KINDS) or actor.may("case.close_grave")


def _grave_kinds(session: Session, case: Case) -> set[str | None]:
    """The kind of the case, and the signals beside it that a person confirmed: «удалите мои данные и не пишите»."""
    return {case.kind, *confirmed_signals(session, [case.id]).get(case.id, ())}


def open_twin(session: Session, case: Case) -> int | None:
    """The author's other case on the same matter that is open: two open ones there may not be."""
    return session.scalar(select(Case.id).where(Case.open_key == case.subject_key, Case.id != case.id))


def reopen(session: Session, case: Case, actor: Actor) -> None:
    """The author wrote again, a reply failed, or a person wants it back; refuses beside another open one."""
    twin_id = open_twin(session, case)
    if twin_id is not None:
        raise Refused("case.has_open", id=twin_id)
    move(session, case, "work", actor)
    case.reopened += 1
    case.priority = min(case.priority, HIGH)
    case.lift = "message"
    record(session, "case.reopened", actor, case_id=case.id, object_id=case.id)


def reopen_case(session: Session, actor: Actor, case_id: int) -> Case:
    """«Открыть снова»; refuses when the same author already has an open case on the matter."""
    require(actor, "case.close")
    case = get_case(session, actor, case_id, hold=True)
    if is_open(case):
        return case
    reopen(session, case, actor)
    return case


def lift(session: Session, case: Case, reason: str) -> None:
    """Brings a case before people's eyes: an answer came, a reply failed or is unknown."""
    if not is_open(case):
        if open_twin(session, case) is None:
            move(session, case, "work", DESK)
        else:
            return  # the author's newer case is open; the failed reply is shown in «Исходящие»
    wake(session, case, DESK)
    if case.state in ("department", "author") and reason != "answer":
        move(session, case, "work", DESK)
    case.lift = reason
    case.version += 1
    record(session, "case.lifted", DESK, case_id=case.id, object_id=case.id, reason=reason)


def lift_message(session: Session, actor: Actor, message_id: int) -> Case:
    """A person makes a case of a message of «Остальное»."""
    require(actor, "case.assign")
    message = session.get(Message, message_id, with_for_update=HOLD)  # before its case, as labelling takes them
    if message is None or message.direction != "in":
        raise NotFound("message.unknown", id=message_id)
    if message.case_id is None:
        message.work = "received"
        admit(session, [message])
        message.work = "labelled"
    case = session.get_one(Case, message.case_id)
    if not is_open(case):
        reopen(session, case, actor)
    case.label = session.scalar(
        select(Label.label).where(Label.message_id == message.id).order_by(Label.id.desc()).limit(1)
    )
    renew_kind(session, case, message)
    give_numbers(session, [case], actor)
    return case


def add_note(session: Session, actor: Actor, case_id: int, text: str, form_key: str) -> Note:
    """A note for colleagues; the same form sent twice makes one note."""
    require(actor, "case.note")
    text = storable(text)
    case = get_case(session, actor, case_id, hold=True)
    if not text.strip():
        raise Refused("text.empty")
    known = session.scalar(select(Note).where(Note.form_key == form_key))
    if known is not None:
        return same_form(known, known.text, text)
    give_numbers(session, [case], actor)
    note = Note(case_id=case.id, staff_id=actor.staff_id, text=text.strip(), form_key=form_key)
    session.add(note)
    session.flush()
    index_note(session, note)
    record(session, "note.added", actor, case_id=case.id, object_id=note.id)
    return note


def note_printed(session: Session, actor: Actor, case_id: int) -> None:
    """That the whole of a case left the desk as a file: whose words it holds may be somebody's personal data."""
    get_case(session, actor, case_id)
    record(session, "case.printed", actor, case_id=case_id)


def newest_incoming(session: Session, case_id: int) -> Message | None:
    """The message that a reply answers unless another one was chosen."""
    own = session.scalar(
        select(Message)
        .where(Message.case_id == case_id, Message.direction == "in")
        .order_by(Message.published_at.desc(), Message.id.desc())
        .limit(1)
    )
    return own or message_of(session, case_id)


def message_answered(session: Session, case: Case, message_id: int | None = None) -> Message | None:
    """The message chosen, else the newest; None in a conversation that we begin. Raises NotFound for any other."""
    newest = newest_incoming(session, case.id)
    message = session.get(Message, message_id) if message_id else newest
    if message is None and message_id is None and case.first_message_id is None:
        return None
    if message is None or (message.case_id != case.id and message is not newest):
        raise NotFound("message.unknown", id=message_id)
    return message


def stale_before(now: datetime) -> datetime:
    """Messages older than this go to people without a label (the classifier is not there)."""
    return now - timedelta(minutes=2)
