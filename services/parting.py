"""One message of two matters: the chosen words become a case of their own, and may be joined to the first again."""

import hashlib

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from classifier import LABELS, Verdict
from models import Act, Case, Draft, Excerpt, Message, Note, Route
from models.base import storable
from services.case_states import is_open, move
from services.cases import get_case, give_numbers
from services.errors import NotFound, Refused
from services.events import record
from services.excerpts import MARK, excerpt_of
from services.kinds import own_table, renew_kind, set_kind
from services.labelling import correct_label
from services.responsibility import assign_by_table
from services.rights import Actor, require
from services.rota import assign_duty
from services.rules import apply_rules

FEWEST = 3
"""Characters that can be a matter."""
USED = (Act, Route, Note, Draft)
"""A case in which somebody has done something is joined to no other."""


def split_off(
    session: Session, actor: Actor, case_id: int, message_id: int, text: str, form_key: str, verdict: Verdict | None
) -> Case:
    """Makes a case of the words ``text`` of a message; the same ``form_key`` twice is the same case.

    ``verdict``: what the classifier says of the words alone; None: a person must say. Clocks run from the receipt
    of the message. Raises Refused for words that do not stand there, or are all that stands there.
    """
    require(actor, "case.assign")
    case = get_case(session, actor, case_id, hold=True)
    message = session.get(Message, message_id)
    if message is None or message.direction != "in" or message.case_id != case.id:
        raise NotFound("message.unknown", id=message_id)
    words = _standing(message.text, text)
    give_numbers(session, [case], actor)
    digest = hashlib.sha256(form_key.encode()).hexdigest()[:16]
    key = f"{message.source_id}:m{message.id}{MARK}{digest}"
    known = session.scalar(select(Case).where(Case.subject_key == key))
    if known is not None:  # joined again since, perhaps: what came twice is still the same
        return known
    part = Case(
        subject_key=key, open_key=key, source_id=case.source_id, publication_id=message.publication_id,
        author_id=message.author_id, first_message_id=message.id, visibility=message.visibility,
        opened_at=message.published_at, last_message_at=message.published_at, state="new", stage="arriving",
        lift="message", sure=False, assignee_id=case.assignee_id, created_at=message.ingested_at,
    )  # fmt: skip
    session.add(part)
    session.flush()
    session.add(
        Excerpt(case_id=part.id, from_case_id=case.id, message_id=message.id, text=words, staff_id=actor.staff_id)
    )
    session.flush()
    part.label, part.sure = (verdict.label, verdict.sure) if verdict else (None, False)
    set_kind(session, part, verdict.themes if verdict else (), (), words, own_table(session))
    give_numbers(session, [part], actor)
    apply_rules(session, [part])
    assign_by_table(session, [part])
    assign_duty(session, [part])
    record(session, "case.split_off", actor, case_id=case.id, object_id=part.id)
    record(session, "case.split_off", actor, case_id=part.id, object_id=case.id)
    return part


def _standing(whole: str, text: str) -> str:
    """``text`` as it stands in ``whole``: a browser gives a selection with its own spaces and line ends."""
    wanted, spread = storable(text).split(), whole.split()
    if len("".join(wanted)) < FEWEST:
        raise Refused("excerpt.none")
    line = " ".join(wanted)
    if line not in " ".join(spread):
        raise Refused("excerpt.none")
    if wanted == spread:
        raise Refused("excerpt.whole")
    return line


def correct_kind(session: Session, actor: Actor, case_id: int, message_id: int, label: str) -> None:
    """A person's word on the kind of a message in a case. Of a part it is the case's: the message keeps its own.

    Raises as services.labelling.correct_label.
    """
    part = excerpt_of(session, case_id)
    if part is None or part.message_id != message_id:
        correct_label(session, actor, message_id, label)
        return
    require(actor, "message.label")
    if label not in LABELS:
        raise Refused("label.unknown", label=label)
    case = get_case(session, actor, case_id, hold=True)
    case.label, case.sure = label, True
    case.version += 1
    renew_kind(session, case)
    record(session, "label.corrected", actor, case_id=case.id, object_id=part.message_id, label=label)


def join_again(session: Session, actor: Actor, case_id: int) -> Case:
    """Takes the splitting back; returns the case that the words came from. Refuses one in which somebody worked."""
    require(actor, "case.assign")
    part = get_case(session, actor, case_id, hold=True)
    excerpt = excerpt_of(session, part.id)
    if excerpt is None:
        raise NotFound("case.unknown", id=case_id)
    if any(session.scalar(select(exists().where(table.case_id == part.id))) for table in USED):
        raise Refused("excerpt.used")
    if is_open(part):
        move(session, part, "merged", actor)
    session.execute(delete(Excerpt).where(Excerpt.id == excerpt.id))
    record(session, "case.joined_again", actor, case_id=part.id, object_id=excerpt.from_case_id)
    record(session, "case.joined_again", actor, case_id=excerpt.from_case_id, object_id=part.id)
    return session.get_one(Case, excerpt.from_case_id)
