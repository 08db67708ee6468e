"""What was said in a chat is looked at once: questions are lifted, troubles counted, the rest goes by."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from classifier import Verdict
from models import Broadcast, BroadcastMention, BroadcastQuestion, Label, Message, utc_now
from models.database import Database
from services.broadcasts.airing import broadcast_for, go_live, may_return
from services.broadcasts.incidents import raise_incidents
from services.broadcasts.places import broadcasts_of, second_of_message
from services.broadcasts.troubles import trouble_of
from services.cases import APPLICATION, lift_message
from services.events import record
from services.labelling import LabelsTexts, label_row, try_classify
from services.leases import insert_missing
from services.rights import DESK

BATCH = 200
PATIENCE = timedelta(seconds=20)
"""Without a classifier a text waits so long for one, then plain words decide."""
QUESTION = 0.12
"""A text is lifted from this probability of a question on: in a chat a missed one is dearer than one too many."""
COMPLAINT = 0.5
LIFTED = ("question", "complaint")
_ASKS = re.compile(
    r"\?|\b(подскажите|скажите|расскажите|объясните|поясните|как|когда|где|сколько|почему|зачем|можно ли|куда|"
    r"какой|какая|какие|кто|чем|а если|будет ли|есть ли)\b",
    re.IGNORECASE,
)
_ONLY_MARKS = re.compile(r"^[\W\d_]*$")


def run_lift(database: Database, classifier: LabelsTexts | None, now: datetime | None = None) -> int:
    """Looks at all that was said and not looked at yet, batch by batch; returns how many messages."""
    done, unbearable = 0, set[int]()
    while True:
        with database.read.begin() as session:
            query = select(Message).where(Message.work == "live")
            if classifier is None:
                query = query.where(Message.ingested_at < (now or utc_now()) - PATIENCE)
            rows = session.scalars(query.order_by(Message.id).limit(BATCH + len(unbearable)))
            waiting = [message for message in rows if message.id not in unbearable]
        if not waiting:
            return done
        theirs = [message for message in waiting if message.direction == "in" and message.text.strip()]
        verdicts = {} if classifier is None or not theirs else try_classify(classifier, theirs)
        with database.write.begin() as session:
            left = _look(session, [message.id for message in waiting], verdicts, classifier)
        unbearable |= left
        done += len(waiting)


def _look(
    session: Session,
    ids: Sequence[int],
    verdicts: Mapping[int, tuple[int, Verdict]],
    classifier: LabelsTexts | None,
) -> set[int]:
    """Locked until the commit: of two who look at once the second finds nothing left to do."""
    query = select(Message).where(Message.id.in_(ids), Message.work == "live").order_by(Message.id)
    messages = list(session.scalars(query.with_for_update(key_share=True)))
    homes = broadcasts_of(session, {message.publication_id or 0 for message in messages})
    by_broadcast: dict[int, list[Message]] = defaultdict(list)
    for message in messages:
        if message.publication_id is not None:
            if message.publication_id not in homes:
                homes[message.publication_id] = broadcast_for(session, message.publication_id).id
            by_broadcast[homes[message.publication_id]].append(message)
    for broadcast_id, said in by_broadcast.items():
        row = session.get_one(Broadcast, broadcast_id)
        if row.state in ("planned", "duty", "ended", "review") and may_return(row) and _is_fresh(row, said):
            go_live(session, DESK, row, min(message.published_at for message in said))
        _lift(session, row, said, verdicts, classifier)
    session.execute(
        update(Message)
        .where(Message.id.in_([message.id for message in messages]), Message.work == "live")
        .values(work="chat")
        .execution_options(synchronize_session=False)
    )
    return set(ids) - {message.id for message in messages}


def _is_fresh(row: Broadcast, said: Sequence[Message]) -> bool:
    """Something said now, and not left from before it was switched off, puts it on air (again)."""
    return (
        any(
            not message.context.get("second") and (row.ended_at is None or message.published_at > row.ended_at)
            for message in said
        )
        and not row.reported_at
    )


def _lift(
    session: Session, row: Broadcast, said: Sequence[Message], verdicts: Mapping[int, tuple[int, Verdict]],
    classifier: LabelsTexts | None,
) -> None:  # fmt: skip
    questions: list[dict[str, Any]] = []
    mentions: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    late: list[int] = []
    for message in said:
        if message.direction != "in" or message.state == "deleted":
            continue
        verdict = verdicts[message.id][1] if message.id in verdicts else None
        trouble = trouble_of(message.text, verdict.signals if verdict else ())
        second = second_of_message(row, message)
        if trouble is not None:
            mentions.append(
                {
                    "broadcast_id": row.id, "message_id": message.id, "kind": trouble, "second": second,
                    "author_id": message.author_id, "incident_id": None,
                }
            )  # fmt: skip
            continue
        label = worth_lifting(message.text, verdict)
        if label is None:
            continue
        if row.reported_at is not None:
            late.append(message.id)
        else:
            questions.append(_question(row, message, verdict, label, second))
        if verdict is not None and classifier is not None:
            labels.append(label_row(message.id, verdict, classifier.version))
    if questions:
        insert_missing(session, BroadcastQuestion, questions, "message_id")
    if labels:
        session.execute(insert(Label), labels)
    for message_id in late:  # after the report nothing more is added to it: what is asked becomes work at once
        lift_message(session, DESK, message_id)
    if mentions:
        insert_missing(session, BroadcastMention, mentions, "message_id")
        raise_incidents(session, row, {str(one["kind"]) for one in mentions})
    if questions or mentions:
        record(session, "broadcast.asked", DESK, object_id=row.id, count=len(questions), troubles=len(mentions))


def worth_lifting(text: str, verdict: Verdict | None) -> str | None:
    """The label under which a text is lifted, None for what goes by."""
    if _ONLY_MARKS.match(text):
        return None
    if verdict is None:
        return "question" if _ASKS.search(text) else None
    if verdict.label in LIFTED and (verdict.sure or verdict.p.get(verdict.label, 0) >= COMPLAINT):
        return verdict.label
    if set(verdict.signals) - {"broadcast_failure"}:
        return verdict.label if verdict.label in LIFTED else "complaint"
    if APPLICATION in verdict.themes[:1] and verdict.label != "spam":
        return "question"
    if verdict.p.get("question", 0) >= QUESTION or (_ASKS.search(text) and "?" in text and verdict.label != "spam"):
        return "question"
    return None


def _question(row: Broadcast, message: Message, verdict: Verdict | None, label: str, second: int) -> dict[str, Any]:
    return {
        "broadcast_id": row.id, "message_id": message.id, "state": "open", "label": label,
        "theme": verdict.themes[0] if verdict and verdict.themes else None,
        "urgent": bool(verdict and set(verdict.signals) & {"crisis", "state_body", "legal_claim"}),
        "found_by": "classifier" if verdict else "words", "second": second, "asked_at": message.published_at,
        "failed": False, "created_at": utc_now(),
    }  # fmt: skip
