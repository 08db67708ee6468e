"""Labels for messages: the classifier's words kept with their reasons, a person's correction above them."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, aliased

from classifier import LABELS, Verdict, theme_names
from models import Author, Case, Label, Message, utc_now
from models.database import Database
from services.cases import (
    ACTIONABLE,
    Judged,
    admit,
    hold_matters,
    lift_message,
    settle_cases,
    stale_before,
    worth_a_case,
)
from services.errors import NotFound, Refused
from services.events import record
from services.findings import full_text, note_findings
from services.kinds import renew_kind, themes_said
from services.rights import DESK, Actor, require
from services.signals import obey_at_once

BATCH = 200
log = logging.getLogger(__name__)


class LabelsTexts(Protocol):
    """What labelling needs of a classifier."""

    version: str
    gate: float

    def classify(self, texts: Sequence[str]) -> list[Verdict]: ...


def label_of(session: Session, message_id: int) -> Label | None:
    """The label that counts: a person's newest word, else the classifier's newest."""
    return labels_of(session, [message_id]).get(message_id)


def labels_of(session: Session, message_ids: Sequence[int]) -> dict[int, Label]:
    """message id → the label that counts."""
    return counting_among(label_rows(session, message_ids))


def label_rows(session: Session, message_ids: Sequence[int]) -> list[Label]:
    """Everything that was ever said of the messages, in order."""
    if not message_ids:
        return []
    return list(session.scalars(select(Label).where(Label.message_id.in_(message_ids)).order_by(Label.id)))


def counting_among(rows: Iterable[Label]) -> dict[int, Label]:
    """message id → the one of these rows that counts."""
    found: dict[int, Label] = {}
    for row in rows:
        old = found.get(row.message_id)
        if old is None or _is_said(row) or not _is_said(old):
            found[row.message_id] = row
    return found


def _is_said(row: Label) -> bool:
    return row.staff_id is not None and not row.weak


def reasons_among(rows: Iterable[Label]) -> dict[int, Label]:
    """message id → what the classifier said last, also after a correction: it carries the reasons."""
    return {row.message_id: row for row in rows if row.classifier is not None}


def run_labelling(database: Database, classifier: LabelsTexts | None, *, gate_open: bool) -> int:
    """Labels all that waits, batch by batch; returns how many messages.

    Without a classifier, messages that waited two minutes go to people unlabelled; nothing is guessed (F17).
    ``gate_open``: praise and talk may stay without a case (day.md §1.1).
    """
    done, unbearable = 0, set[int]()
    while True:
        with database.read.begin() as session:
            states = ("received",) if classifier is None else ("received", "unlabelled")
            query = select(Message).where(Message.work.in_(states), Message.direction == "in")
            if classifier is None:
                query = query.where(Message.ingested_at < stale_before(utc_now()))
            query = query.order_by(Message.work, Message.id).limit(BATCH + len(unbearable))
            waiting = [message for message in session.scalars(query) if message.id not in unbearable]
        if not waiting:
            return done
        verdicts = {} if classifier is None else try_classify(classifier, waiting)
        with database.write.begin() as session:
            if classifier is not None and verdicts:
                _write_labels(session, verdicts, classifier.version, classifier.gate if gate_open else None)
            left = {message.id for message in waiting} - verdicts.keys()
            _pass_unlabelled(session, [message.id for message in waiting if message.id in left])
        unbearable |= left
        done += len(waiting)
        if len(waiting) < BATCH:
            return done  # what came meanwhile has its own call, and is cheaper together


def try_classify(classifier: LabelsTexts, messages: Sequence[Message]) -> dict[int, tuple[int, Verdict]]:
    """message id → (the version that was read, verdict); a text that the classifier cannot bear is left out."""
    try:
        verdicts = classifier.classify([full_text(message) for message in messages])
    except Exception:
        if len(messages) == 1:
            if messages[0].work == "received":  # it is tried again at every run, but told of once
                log.exception("message %s cannot be classified", messages[0].id)
            return {}
        return {key: value for message in messages for key, value in try_classify(classifier, [message]).items()}
    return {m.id: (m.versions, verdict) for m, verdict in zip(messages, verdicts, strict=True)}


def try_text(classifier: LabelsTexts | None, text: str) -> Verdict | None:
    """What the classifier says of a text that is no message; None where it is absent or cannot bear it."""
    if classifier is None or not text.strip():
        return None
    try:
        return classifier.classify([text])[0]
    except Exception:
        log.exception("a text of %s letters cannot be classified", len(text))
        return None


def _pass_unlabelled(session: Session, ids: Sequence[int]) -> None:
    messages = [message for message in _still_waiting(session, ids) if message.work == "received"]
    if not messages:
        return
    admit(session, [message for message in messages if message.case_id is None])
    settle_cases(session, [Judged(m, "other", False, True) for m in messages])
    for message in messages:
        message.work = "unlabelled"
        case = session.get(Case, message.case_id) if message.case_id else None
        if case is not None and case.label == "other" and not case.sure:
            case.label = case.kind = None
    record(session, "classifier.absent", DESK, count=len(messages))


def _still_waiting(session: Session, ids: Sequence[int]) -> list[Message]:
    """Locked until the commit: of two who label at once the second finds nothing left to do."""
    query = select(Message).where(Message.id.in_(ids), Message.work.in_(("received", "unlabelled")))
    return list(session.scalars(query.order_by(Message.id).with_for_update(key_share=True)))


def _write_labels(
    session: Session, verdicts: Mapping[int, tuple[int, Verdict]], version: str, gate: float | None
) -> None:
    messages = [m for m in _still_waiting(session, list(verdicts)) if m.versions == verdicts[m.id][0]]
    if not messages:
        return
    ids = [message.id for message in messages]
    said = {row.message_id: row for row in labels_of(session, ids).values() if _is_said(row)}
    answering = _answers_us(session, ids)
    told = themes_said(session, ids)
    rows, judged, lifted = [], [], []
    for message in messages:
        verdict = verdicts[message.id][1]
        rows.append(label_row(message.id, verdict, version))
        person = said.get(message.id)
        label, sure = (person.label, True) if person else (verdict.label, verdict.sure)
        worth = message.work == "unlabelled" or worth_a_case(
            message, verdict, label, sure, gate, message.id in answering
        )
        themes = tuple(told.get(message.id, verdict.themes))
        judged.append(Judged(message, label, sure, worth, themes))
        if message.case_id is None and worth:
            message.work = "received"
            lifted.append(message)  # an edit made a question of what was talk
        elif message.case_id is None:
            message.work = "rest"
    session.execute(insert(Label), rows)

    def ready(others: Collection[int]) -> None:
        placed = [message for message in messages if message.case_id is not None]
        hold_matters(session, [*placed, *lifted], others)
        admit(session, lifted)

    note_findings(session, messages, {message.id: verdicts[message.id][1] for message in messages}, ready)
    settle_cases(session, judged)
    obey_at_once(session, messages)


def label_row(message_id: int, verdict: Verdict, version: str) -> dict[str, object]:
    return {
        "message_id": message_id, "label": verdict.label, "labels": list(verdict.labels), "p": verdict.p,
        "why": [[r.start, r.end, round(r.weight, 4), r.text] for r in verdict.why], "sure": verdict.sure,
        "actionable": verdict.actionable, "themes": list(verdict.themes), "classifier": version, "weak": False,
        "created_at": utc_now(),
    }  # fmt: skip


def _answers_us(session: Session, ids: Sequence[int]) -> set[int]:
    """Which of the messages answer one of ours."""
    parent = aliased(Message)
    return set(
        session.scalars(
            select(Message.id)
            .join(
                parent,
                (parent.source_id == Message.source_id)
                & (parent.container == Message.container)
                & (parent.external_id == Message.parent_external_id),
            )
            .join(Author, Author.id == parent.author_id)
            .where(Message.id.in_(ids), Author.is_us)
        )
    )


def correct_label(session: Session, actor: Actor, message_id: int, label: str) -> Label:
    """A person's word on a message; kept for training. What becomes actionable gets a case."""
    require(actor, "message.label")
    if label not in LABELS:
        raise Refused("label.unknown", label=label)
    message = session.get(Message, message_id)
    if message is None or message.direction != "in":
        raise NotFound("message.unknown", id=message_id)
    row = Label(message_id=message_id, label=label, labels=[label], staff_id=actor.staff_id, sure=True)
    session.add(row)
    session.flush()
    if message.case_id is None and label in ACTIONABLE:
        lift_message(session, actor, message_id)
    if message.case_id is not None:
        case = session.get_one(Case, message.case_id)
        if case.first_message_id == message.id or case.label is None:
            case.label, case.sure = label, True
            case.version += 1
            renew_kind(session, case, message)
    record(session, "label.corrected", actor, case_id=message.case_id, object_id=message_id, label=label)
    return row


def accept_label(session: Session, actor: Actor, message: Message) -> None:
    """Answering accepts the suggested label, as a weak sign for training (day.md §1.3)."""
    current = label_of(session, message.id)
    if current is not None and current.staff_id is None and current.sure:
        session.add(
            Label(
                message_id=message.id, label=current.label, labels=current.labels, staff_id=actor.staff_id,
                sure=True, weak=True,
            )
        )  # fmt: skip


def correct_themes(session: Session, actor: Actor, message_id: int, themes: Sequence[str]) -> Label:
    """A person's word on what a message is about, the leading theme first; its label stays whose it was."""
    require(actor, "message.label")
    known = theme_names()
    if len(set(themes)) != len(themes) or any(theme not in known for theme in themes):
        raise Refused("theme.unknown")
    message = session.get(Message, message_id)
    if message is None or message.direction != "in":
        raise NotFound("message.unknown", id=message_id)
    current = label_of(session, message_id)
    said = current is not None and _is_said(current)
    row = Label(
        message_id=message_id, label=current.label if current else "other",
        labels=current.labels if current else ["other"], staff_id=actor.staff_id,
        sure=bool(current and current.sure), weak=not said, themes=list(themes),
    )  # fmt: skip
    session.add(row)
    session.flush()
    case = session.get(Case, message.case_id) if message.case_id else None
    if case is not None and case.first_message_id in (message_id, None):
        renew_kind(session, case, message)
        case.version += 1
    record(session, "themes.corrected", actor, case_id=message.case_id, object_id=message_id, themes=list(themes))
    return row
