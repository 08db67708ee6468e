"""What a new version of the classifier says of messages that are there already: piece by piece, opening nothing."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy import insert, or_, select
from sqlalchemy.orm import Session

from classifier import Verdict
from models import Case, Label, Message, Setting, utc_now
from models.database import Database
from services.case_states import is_open
from services.cases import hold_matters, lift_message
from services.events import record
from services.findings import note_findings
from services.kinds import renew_kind
from services.labelling import LabelsTexts, label_row, labels_of, try_classify
from services.reports.upkeep import touch_cases
from services.rights import DESK

NAME = "relabel"
BATCH = 100
PIECES = 3
"""So many batches a run: the inbox has the processor in between."""
RECENT = timedelta(days=30)
"""Older ones keep what was said of them, but for those of which nothing but a label was ever said."""


def run_relabel(database: Database, classifier: LabelsTexts | None) -> int:
    """Goes on with the messages that the present version has not seen, newest first; returns how many it did.

    Cases stay as people left them: a label somebody named stands, nothing is closed or opened again. Only a signal
    that is found in «Остальное» makes a case of its message.
    """
    if classifier is None:
        return 0
    done = 0
    for _ in range(PIECES):
        with database.read.begin() as session:
            waiting = _waiting(session, classifier.version)
        if not waiting:
            break
        verdicts = try_classify(classifier, waiting)
        with database.write.begin() as session:
            _store(session, waiting, {key: verdict for key, (_, verdict) in verdicts.items()}, classifier.version)
        done += len(waiting)
    return done


def _waiting(session: Session, version: str) -> list[Message]:
    state = session.scalar(select(Setting).where(Setting.name == NAME))
    last = state.value["last"] if state is not None and state.value.get("version") == version else None
    query = select(Message).where(
        Message.direction == "in", Message.work.in_(("labelled", "rest", "spam")),
        or_(Message.fingerprint.is_(None), Message.ingested_at > utc_now() - RECENT),
    )  # fmt: skip
    if last is not None:
        query = query.where(Message.id < last)
    return list(session.scalars(query.order_by(Message.id.desc()).limit(BATCH)))


def _store(session: Session, seen: Sequence[Message], verdicts: Mapping[int, Verdict], version: str) -> None:
    _keep_place(session, version, min(message.id for message in seen))
    ids = list(verdicts)
    query = select(Message).where(Message.id.in_(ids)).order_by(Message.id).with_for_update(key_share=True)
    messages = [message for message in session.scalars(query) if message.work not in ("received", "unlabelled")]
    words = labels_of(session, ids)
    known = set(
        session.scalars(select(Label.message_id).where(Label.message_id.in_(ids), Label.classifier == version))
    )
    rows = [label_row(message.id, verdicts[message.id], version) for message in messages if message.id not in known]
    if rows:
        session.execute(insert(Label), rows)
        told = {row["message_id"] for row in rows}
        touch_cases(session, (one.case_id for one in messages if one.id in told and one.case_id is not None))
    note_findings(session, messages, verdicts, partial(hold_matters, session, messages))
    for message in messages:
        said = words.get(message.id)
        is_said = said is not None and said.staff_id is not None and not said.weak
        _renew(session, message, None if is_said else verdicts[message.id])


def _renew(session: Session, message: Message, verdict: Verdict | None) -> None:
    if message.case_id is None:
        if verdict is not None and verdict.signals and message.work == "rest":
            lift_message(session, DESK, message.id)
        return
    case = session.get_one(Case, message.case_id)
    if case.first_message_id != message.id or not is_open(case):
        return
    if verdict is not None and not _was_chosen(session, case):
        case.label, case.sure = verdict.label, verdict.sure
    case.wave_id = message.wave_id
    renew_kind(session, case, message)


def _was_chosen(session: Session, case: Case) -> bool:
    """A person named the label of some message of the case: it is theirs now."""
    return (
        session.scalar(
            select(Label.id)
            .join(Message, Message.id == Label.message_id)
            .where(Message.case_id == case.id, Label.staff_id.is_not(None), Label.weak.is_(False))
            .limit(1)
        )
        is not None
    )


def _keep_place(session: Session, version: str, last: int) -> None:
    row = session.scalar(select(Setting).where(Setting.name == NAME).with_for_update())
    if row is None:
        row = Setting(name=NAME)
        session.add(row)
    if (row.value or {}).get("version") != version:
        record(session, "relabel.begun", DESK, code=version)
    row.value, row.updated_at = {"version": version, "last": last}, utc_now()
