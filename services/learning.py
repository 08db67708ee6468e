"""How the classifier learns from people: what they corrected, when it trains anew, and whether that goes live."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from classifier import LABELS, ClassifierError, Verdict
from classifier.labels import SECONDARY, WEAK
from models import Audit, Label, Message, Signal, Training, utc_now
from models.database import Database
from services.errors import NotFound, Refused
from services.events import record
from services.findings import full_text
from services.rights import DESK, Actor, require

ENOUGH = 50
"""So many new corrections start a training by themselves; at night a few do."""
A_FEW = 5
NIGHT = (2, 5)
APART = timedelta(hours=1)
STRONG = 3.0
"""What a correction weighs beside a text of the corpus: of this school's own words there are few."""
MOST = 20_000
FIGURES = ("n", "macro_f1", "f1", "calibration_error", "share_sure", "sure", "gate", "taught")


class Learns(Protocol):
    """What learning needs of the labeller."""

    def train_candidate(self, lessons: Sequence[Mapping[str, Any]]) -> str: ...
    def facts_of(self, version: str | None = None) -> dict[str, Any]: ...
    def answers_of(self, version: str | None, texts: Sequence[str]) -> list[Verdict]: ...
    def promote(self, version: str) -> None: ...
    def versions(self) -> list[str]: ...


def trainings(session: Session, limit: int = 30) -> list[Training]:
    """The newest first."""
    return list(session.scalars(select(Training).order_by(Training.id.desc()).limit(limit)))


def new_corrections(session: Session) -> int:
    """How many labels people have named since the last training."""
    last = session.scalar(select(func.max(Training.last_label_id)).where(Training.state != "failed")) or 0
    query = select(func.count()).select_from(Label).where(Label.id > last)
    return session.scalar(query.where(Label.staff_id.is_not(None), Label.weak.is_(False))) or 0


def due_reason(session: Session, now: datetime, zone: str) -> str | None:
    """Why a training should begin now; None: it need not."""
    newest = session.scalar(select(func.max(Training.started_at)).where(Training.reason != "return"))
    states = set(session.scalars(select(Training.state).where(Training.state.in_(("asked", "running")))))
    if "running" in states:
        return None
    if "asked" in states:
        return "hand"
    if newest is not None and newest > now - APART:
        return None
    count = new_corrections(session)
    if count >= ENOUGH:
        return "corrections"
    hour = now.astimezone(ZoneInfo(zone)).hour
    return "night" if count >= A_FEW and NIGHT[0] <= hour < NIGHT[1] else None


def lessons(session: Session) -> list[dict[str, Any]]:
    """What people taught, the newest word on each message: corrections in full, what somebody let stand a little.

    Texts of the audit are left out: they are what a version is measured on. Signals that a person decided come too.
    """
    audited = select(Audit.message_id)
    query = (
        select(Label, Message)
        .join(Message, Message.id == Label.message_id)
        .where(Label.staff_id.is_not(None), Label.message_id.not_in(audited))
        .order_by(Label.weak.desc(), Label.id)
    )
    found: dict[int, dict[str, Any]] = {}
    for label, message in session.execute(query):
        if label.label not in LABELS:
            continue
        secondary = [name for name in label.labels if name in SECONDARY and name != label.label]
        found[message.id] = {
            "text": full_text(message), "primary": label.label, "secondary": secondary, "lang": "",
            "weight": WEAK if label.weak else STRONG, "group": f"place-{message.source_id}",
        }  # fmt: skip
    decided = (
        select(Signal, Message)
        .join(Message, Message.id == Signal.message_id)
        .where(Signal.state != "proposed", Signal.message_id.not_in(audited))
        .order_by(Signal.id.desc())
        .limit(MOST)
    )
    signals = [
        {"text": full_text(message), "signal": signal.name, "is_so": signal.state == "yes"}
        for signal, message in session.execute(decided)
    ]
    return [*list(found.values())[-MOST:], *signals]


def ask_training(session: Session, actor: Actor) -> Training:
    """«Обучить сейчас»: the job begins it soon."""
    require(actor, "classifier.train")
    if session.scalar(select(Training.id).where(Training.state.in_(("asked", "running"))).limit(1)) is not None:
        raise Refused("training.running")
    row = Training(reason="hand", state="asked", staff_id=actor.staff_id)
    session.add(row)
    record(session, "training.asked", actor)
    return row


def run_learning(database: Database, learner: Learns, zone: str) -> bool:
    """Trains when it is due, and lets the new version go live only if it is not worse; True when it did."""
    with database.write.begin() as session:
        _end_broken(session)
        reason = due_reason(session, utc_now(), zone)
        if reason is None:
            return False
        taught = lessons(session)
        row = session.scalar(select(Training).where(Training.state == "asked")) or Training(reason=reason)
        row.state, row.started_at, row.lessons = "running", utc_now(), len(taught)
        row.last_label_id = session.scalar(select(func.max(Label.id))) or 0
        session.add(row)
        session.flush()
        training_id = row.id
    try:
        version = learner.train_candidate(taught)
        with database.read.begin() as session:
            checked = checked_texts(session)
        decision = _decide(learner, version, checked)
        if decision["may_go_live"]:
            learner.promote(version)
    except Exception as error:
        with database.write.begin() as session:
            _end(session, training_id, "failed", None, {"error": type(error).__name__}, {})
        raise
    state = "live" if decision["may_go_live"] else "refused"
    figures = {name: learner.facts_of(version).get(name) for name in FIGURES} if state == "live" else {}
    with database.write.begin() as session:
        _end(session, training_id, state, version, figures, decision)
    return state == "live"


def _end_broken(session: Session) -> None:
    """A training whose process ended without a word has failed."""
    late = select(Training).where(Training.state == "running", Training.started_at < utc_now() - APART)
    for row in session.scalars(late):
        row.state, row.ended_at = "failed", utc_now()


def _end(
    session: Session,
    training_id: int,
    state: str,
    version: str | None,
    figures: dict[str, Any],
    decision: dict[str, Any],
) -> None:
    row = session.get_one(Training, training_id)
    row.state, row.version, row.figures, row.decision, row.ended_at = state, version, figures, decision, utc_now()
    record(session, f"training.{state}", DESK, object_id=training_id, code=version)


def checked_texts(session: Session) -> list[tuple[str, str]]:
    """(text, label) of the random texts that people have checked blind."""
    query = (
        select(Message, Audit.label)
        .join(Audit, Audit.message_id == Message.id)
        .where(Audit.label.is_not(None))
        .order_by(Audit.id.desc())
        .limit(MOST)
    )
    return [(full_text(message), str(label)) for message, label in session.execute(query)]


def _decide(learner: Learns, version: str, checked: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Compares the candidate with the version in use on texts that neither was taught: those of the corpus as each
    answered while they were held out, and those that people checked."""
    from classifier import compare, read_corpus, text_key

    try:
        old, new = learner.facts_of(), learner.facts_of(version)
    except ClassifierError:
        return {"may_go_live": True, "n": 0}
    before, after = old.get("held_out", {}), new.get("held_out", {})
    truth, said_before, said_after = [], [], []
    for example in read_corpus():
        key = text_key(example.text)
        if key in before and key in after:
            truth.append(example.primary)
            said_before.append(LABELS[before[key]])
            said_after.append(LABELS[after[key]])
    texts = [text for text, _ in checked]
    truth += [label for _, label in checked]
    said_before += [verdict.label for verdict in learner.answers_of(None, texts)]
    said_after += [verdict.label for verdict in learner.answers_of(version, texts)]
    decision = compare(truth, said_before, said_after, _recalls(learner, version))
    return {**asdict(decision), "checked": len(checked), "may_go_live": decision.may_go_live}


def _recalls(learner: Learns, version: str) -> dict[str, tuple[float, float]]:
    """signal → (recall of the version in use, of the candidate) on the texts of signals."""
    from classifier.signal_files import signal_texts

    texts, wanted = [text for text, _ in signal_texts()], [name for _, name in signal_texts()]
    old, new = learner.answers_of(None, texts), learner.answers_of(version, texts)
    return {name: (_recall(name, wanted, old), _recall(name, wanted, new)) for name in dict.fromkeys(wanted)}


def _recall(name: str, wanted: Sequence[str], verdicts: Sequence[Verdict]) -> float:
    found = [name in verdict.signals for want, verdict in zip(wanted, verdicts, strict=True) if want == name]
    return sum(found) / len(found)


def return_to(session: Session, actor: Actor, learner: Learns, version: str) -> None:
    """One click goes back to an earlier version; it stays until the next training that is not worse."""
    require(actor, "classifier.train")
    if version not in learner.versions():
        raise NotFound("training.unknown")
    learner.promote(version)
    now = utc_now()
    session.add(
        Training(
            version=version, reason="return", state="live", staff_id=actor.staff_id, started_at=now, ended_at=now
        )
    )
    record(session, "training.returned", actor, code=version)


def write_lessons(rows: Sequence[Mapping[str, Any]]) -> str:
    """As ``python -m classifier`` reads them."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
