"""What came of an act: receipts, errors, the settling of what is unknown, and our own replies coming home.

Rules R3–R7 of reliability.md §2: a result is written only by the attempt that still owns the row, and one id of the
platform settles one row.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, tuple_, update
from sqlalchemy.orm import Session

from collectors import channel_class
from collectors.base import ActKind, Capabilities, ChannelError, Proof, Receipt, Sent, Verdict, normalise
from models import Act, Case, FactUse, Message, Reply, Source, TextVersion, utc_now
from services.cases import HOLD, lift
from services.events import record
from services.facts import note_facts
from services.outbox import (
    CLOCK_SLACK,
    MASS,
    MAX_ATTEMPTS,
    MOVES,
    RETRY_SECONDS,
    WAITING,
    WRITING,
    hold_case,
    move_act,
    note_reply,
)
from services.rights import DESK

ASKS_TO_WAIT = frozenset({"rate", "quota", "share"})
"""Nothing is wrong with the act: it waits its turn however often it was told to."""

_FENCED = select(Act).where(
    Act.id == bindparam("act"), Act.attempt == bindparam("try"), Act.state.in_(bindparam("states", expanding=True))
).with_for_update()  # fmt: skip
_TAKEN = (
    update(Act)
    .where(Act.id == bindparam("act"), Act.attempt == bindparam("try"), Act.state.in_(("sending", "unknown")))
    .values(
        state="accepted", container=bindparam("place"), external_id=bindparam("there"), url=bindparam("link"),
        accepted_at=bindparam("moment"), lease_until=None, error_code=None, error_text=None,
    )
    .returning(Act)
    .execution_options(populate_existing=True, synchronize_session=False)
)  # fmt: skip
_OWNER = select(Act.id).where(
    Act.source_id == bindparam("source"), Act.container == bindparam("container"),
    Act.external_id == bindparam("external"), Act.id != bindparam("act"),
).limit(1)  # fmt: skip
_STORED = select(Message.id).where(
    Message.source_id == bindparam("source"), Message.container == bindparam("container"),
    Message.external_id == bindparam("external"),
).limit(1)  # fmt: skip
_KNOWN = select(_OWNER.scalar_subquery(), _STORED.scalar_subquery())


def fenced(session: Session, act: Act, states: Sequence[str] = ("sending",)) -> Act | None:
    """The row, if this attempt still owns it (R7)."""
    return session.scalar(_FENCED, {"act": act.id, "try": act.attempt, "states": list(states)})


def record_receipt(session: Session, act: Act, receipt: Receipt, at: datetime | None = None) -> None:
    """The platform has taken the act: its id, link and time stand in the row from now on.

    One statement fences (R7) and writes: an attempt that does not own the row any more changes nothing.
    """
    container = receipt.container or act.target.get("container")
    external_id, stored = _look_up(session, act, container, receipt.external_id)
    row = session.scalar(
        _TAKEN,
        {
            "act": act.id, "try": act.attempt, "place": container, "there": external_id, "link": receipt.url,
            "moment": at or receipt.at or utc_now(),
        },
    )  # fmt: skip
    if row is None:
        return
    # Messages before cases, and both before anything is written that refers to them: as everybody takes them.
    seen = session.get_one(Message, stored, with_for_update=HOLD) if stored is not None else None
    if row.of_act_id is not None:
        session.execute(select(Act.id).where(Act.id == row.of_act_id).with_for_update())
        session.execute(select(Message.id).where(Message.act_id == row.of_act_id).with_for_update(key_share=True))
    hold_case(session, row)
    record(session, "act.accepted", DESK, case_id=row.case_id, object_id=row.id, attempt=row.attempt)
    note_reply(session, row)
    if seen is not None:  # the collector may have met our reply before its receipt was written
        _mark_seen(session, row, seen)
    if row.of_act_id is not None:
        _change_own(session, row)


def _change_own(session: Session, row: Act) -> None:
    """Our own reply was edited or removed: what we show follows, the old text stays as a version."""
    own = session.get_one(Act, row.of_act_id)
    if row.kind == ActKind.DELETE:
        mark_removed(session, own)
        return
    message = session.scalar(select(Message).where(Message.act_id == own.id))
    if message is not None and message.text != row.text:
        session.add(
            TextVersion(
                message_id=message.id, number=message.versions, text=message.text, stood_until=row.accepted_at
            )
        )
        message.text, message.edited_at, message.versions = row.text, row.accepted_at, message.versions + 1
    reply = session.get(Reply, own.reply_id) if own.reply_id else None
    if reply is not None:  # the first text stays in the row of its own act
        reply.text = row.text
        session.execute(delete(FactUse).where(FactUse.reply_id == reply.id))
        note_facts(session, reply)
    record(session, "act.edited", DESK, case_id=own.case_id, object_id=own.id)


def mark_removed(session: Session, row: Act) -> None:
    """What we had published stands there no more, whoever took it away."""
    if (row.state, "removed") in MOVES:
        move_act(row, "removed")
        record(session, "act.removed", DESK, case_id=row.case_id, object_id=row.id)


def _look_up(
    session: Session, row: Act, container: str | None, external_id: str | None
) -> tuple[str | None, int | None]:
    """The platform's id unless another act owns it, and our message if it is stored already.

    A like or a deletion bears the id of its target: it names nothing of its own.
    """
    if external_id is None or row.kind not in WRITING:
        return None, None
    key = {"source": row.source_id, "container": container, "external": external_id, "act": row.id}
    owner, stored = session.execute(_KNOWN, key).one()
    return (None, None) if owner else (external_id, stored)


def record_error(session: Session, act: Act, error: ChannelError) -> None:
    """R3: perhaps done is ``unknown``; certainly not done goes again, or is dead where waiting cannot help."""
    row = fenced(session, act)
    if row is None:
        return
    row.error_code, row.error_text, row.lease_until = error.code, error.message[:500], None
    now = utc_now()
    if error.sent is Sent.UNKNOWN:
        move_act(row, "unknown")
        row.due_at = now + timedelta(seconds=min(_can(session, row).settle_seconds, 5))
        record(session, "act.unknown", DESK, case_id=row.case_id, object_id=row.id, **_said(error))
    elif error.permanent or (row.attempt >= MAX_ATTEMPTS and error.code not in ASKS_TO_WAIT):
        hold_case(session, row)
        move_act(row, "dead")
        record(session, "act.failed", DESK, case_id=row.case_id, object_id=row.id, **_said(error))
        _lift(session, row, "failed")
    else:
        move_act(row, "retry")
        row.due_at = now + timedelta(
            seconds=error.retry_after or RETRY_SECONDS[min(row.attempt, len(RETRY_SECONDS)) - 1]
        )
        record(session, "act.retried", DESK, case_id=row.case_id, object_id=row.id, **_said(error))
        if error.retry_after is not None:
            _hold_others(session, row, only_mass=error.code == "share")


def _said(error: ChannelError) -> dict[str, Any]:
    """The platform's own words stay in the history: the row keeps the last ones only."""
    return {"code": error.code, "said": error.message[:300]} if error.message else {"code": error.code}


def _hold_others(session: Session, row: Act, *, only_mass: bool) -> None:
    """The platform named a time: nothing else goes to it before, in that chat or from that account."""
    others = session.scalars(
        select(Act).where(
            Act.source_id == row.source_id, Act.state.in_(WAITING), Act.due_at < row.due_at, Act.id != row.id,
            Act.priority >= (MASS if only_mass else 0),
        )
    )  # fmt: skip
    per_chat = _can(session, row).rate_scope == "container"
    for other in others:
        if not per_chat or other.target.get("container") == row.target.get("container"):
            other.due_at = row.due_at


def _can(session: Session, row: Act) -> Capabilities:
    return channel_class(session.get_one(Source, row.source_id).platform).can


def _lift(session: Session, row: Act, reason: str) -> None:
    if row.case_id is not None:
        lift(session, session.get_one(Case, row.case_id), reason)


def judge(session: Session, row: Act, proof: Proof) -> None:
    """R4–R6: what a look on the platform means for an act whose outcome is unknown.

    The settle time counts from the latest attempt: an earlier one may be long ago, and this one still on its way.
    """
    if proof.verdict is Verdict.SEEN and _id_is_free(session, row, proof.external_id):
        record_receipt(session, row, Receipt(proof.external_id, proof.url, proof.at), at=proof.at)
        return
    can = _can(session, row)
    now = utc_now()
    settled_at = (row.attempted_at or row.created_at) + timedelta(seconds=can.settle_seconds)
    if now < settled_at:
        row.due_at = min(settled_at, now + timedelta(seconds=10))
    elif can.send_token or row.kind not in WRITING or (proof.verdict is Verdict.ABSENT and can.list_own):
        move_act(row, "retry")
        row.due_at = utc_now()
        record(session, "act.retried", DESK, case_id=row.case_id, object_id=row.id, code="absent")
    else:
        ask_a_person(session, row)


def ask_a_person(session: Session, row: Act) -> None:
    """Nobody but a person can tell whether it stands there."""
    hold_case(session, row)
    move_act(row, "review")
    record(session, "act.review", DESK, case_id=row.case_id, object_id=row.id)
    _lift(session, row, "unknown")


def taken_ids(session: Session, act: Act) -> frozenset[str]:
    """Ids in the act's container that settle other acts of ours: of two equal «Спасибо!» each has its own (R5)."""
    since = (act.first_attempt_at or act.created_at) - CLOCK_SLACK
    found = select(Act.external_id).where(
        Act.source_id == act.source_id, Act.container == act.target.get("container"), Act.id != act.id,
        Act.external_id.is_not(None), Act.accepted_at >= since,
    )  # fmt: skip
    return frozenset(str(one) for one in session.scalars(found))


def _id_is_free(session: Session, row: Act, external_id: str | None) -> bool:
    """Another act may have taken the id while the platform was asked."""
    container = row.container or row.target.get("container")
    return external_id is None or _look_up(session, row, container, external_id)[0] is not None


def match_own(session: Session, messages: Sequence[Message]) -> dict[Message, Act | None]:
    """Our replies among what came back, by the platform's id, else by parent, text and time (R5); None for what
    somebody wrote past the desk. The acts are held."""
    if not messages:
        return {}
    known = {
        (row.container, row.external_id): row
        for row in session.scalars(
            select(Act).where(
                Act.source_id == messages[0].source_id,
                tuple_(Act.container, Act.external_id).in_([(m.container, m.external_id) for m in messages]),
            )
        )
    }
    own: dict[Message, Act | None] = {}
    for message in messages:
        by_id = known.get((message.container, message.external_id))
        own[message] = by_id or _match_unproven(session, message, [row.id for row in own.values() if row])
    ids = [row.id for row in own.values() if row is not None]
    if not ids:
        return own
    held = select(Act).where(Act.id.in_(ids)).order_by(Act.id).with_for_update()
    session.scalars(held.execution_options(populate_existing=True)).all()
    # Of two equal replies one may have had its receipt meanwhile: it is the other's message then.
    return {
        message: row if row is not None and row.external_id in (None, message.external_id) else None
        for message, row in own.items()
    }


def join_own(session: Session, own: Mapping[Message, Act | None]) -> None:
    """Our replies stand there: what ``match_own`` found. Their cases are held by the caller."""
    for message, row in own.items():
        message.work = "labelled"
        if row is not None:
            _mark_seen(session, row, message)


def _match_unproven(session: Session, message: Message, taken: Collection[int]) -> Act | None:
    """An act whose outcome nobody knows; of two equal ones ``taken`` is another message's already."""
    candidates = session.scalars(
        select(Act).where(
            Act.source_id == message.source_id, Act.state.in_(("sending", "unknown", "review")),
            Act.kind.in_(WRITING), Act.external_id.is_(None), Act.id.not_in(taken),
        ).order_by(Act.id)
    )  # fmt: skip
    for row in candidates:
        parents = {row.target.get("external_id"), row.target.get("thread")}
        started = row.first_attempt_at or row.created_at
        if (
            row.target.get("container") == message.container
            and (message.parent_external_id in parents or message.thread in parents)
            and normalise(row.text) == normalise(message.text)
            and message.published_at >= started - CLOCK_SLACK
        ):
            return row
    return None


def _mark_seen(session: Session, row: Act, message: Message) -> None:
    message.act_id, message.case_id, message.work = row.id, row.case_id, "labelled"
    was_accepted = row.accepted_at is not None
    if row.state != "seen":
        move_act(row, "seen")
    row.seen_at = row.seen_at or utc_now()
    row.container, row.external_id = message.container, message.external_id
    row.url, row.accepted_at = message.url or row.url, message.published_at
    row.error_code = row.error_text = row.lease_until = None
    record(session, "act.seen", DESK, case_id=row.case_id, object_id=row.id, accepted=was_accepted)
    note_reply(session, row, again=was_accepted)
