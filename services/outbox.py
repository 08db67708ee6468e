"""The send protocol: claim, commit, act, record; what may have been sent is looked up before anything else.

Rules R1–R7 of reliability.md §2. The states are one table for every kind of act.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from collectors import channel_class
from collectors.base import Act as ChannelAct
from collectors.base import (
    ActKind,
    Channel,
    ChannelError,
    Proof,
    Receipt,
    Sent,
    Target,
    Verdict,
    normalise,
)
from models import Act, Case, Message, Reply, Source, utc_now
from models.database import Database
from services.cases import lift
from services.errors import NotFound, Refused
from services.events import record
from services.rights import DESK, Actor, require

STATES = (
    "held",  # undo is still possible, goes at due_at
    "queued",
    "sending",  # lease, attempt and token are set
    "retry",  # certainly not sent, goes again at due_at
    "unknown",  # perhaps sent, looked up at due_at
    "review",  # a person must say
    "accepted",  # the platform gave an id
    "seen",  # read back from the platform
    "removed",  # was there, is not any more
    "dead",
    "cancelled",
)
UNPROVEN = ("held", "queued", "sending", "retry", "unknown", "review", "dead")
WAITING = ("held", "queued", "retry")
LEASE_SECONDS = 100  # above connect and read time-outs, and every HTTP platform's settle time
RETRY_SECONDS = (5, 20, 60, 300, 900, 3600)
MAX_ATTEMPTS = 12
CLOCK_SLACK = timedelta(minutes=2)
OpenChannel = Callable[[Source], Channel]


def unproven(session: Session, actor: Actor, limit: int = 200) -> list[Act]:
    """«Исходящие»: everything not yet proven, oldest first."""
    require(actor, "outbox.view")
    return list(session.scalars(select(Act).where(Act.state.in_(UNPROVEN)).order_by(Act.id).limit(limit)))


def count_unproven(session: Session) -> dict[str, int]:
    """State → how many acts are in it, for the counters of the header."""
    rows = session.execute(select(Act.state, func.count()).where(Act.state.in_(UNPROVEN)).group_by(Act.state))
    return {row[0]: row[1] for row in rows}


def acts_of(session: Session, case_id: int) -> list[Act]:
    return list(session.scalars(select(Act).where(Act.case_id == case_id).order_by(Act.id)))


def run_outbox(database: Database, open_channel: OpenChannel, *, limit: int = 50) -> int:
    """Does what is due, one act at a time, and settles what is unknown; returns how many acts it touched."""
    done = 0
    while done < limit:
        with database.write.begin() as session:
            act = claim_act(session)
        if act is None:
            break
        _perform(database, act, open_channel)
        done += 1
    return done + run_settle(database, open_channel)


def claim_act(session: Session, now: datetime | None = None) -> Act | None:
    """Takes one due act for sending by a conditional update (R2); the caller commits, then calls the platform."""
    now = now or utc_now()
    due = (
        select(Act.id).join(Source, Source.id == Act.source_id)
        .where(Act.state.in_(WAITING), Act.due_at <= now, Source.state != "paused")
        .order_by(Act.due_at, Act.id).limit(1)
    )  # fmt: skip
    act_id = session.scalar(due.with_for_update(skip_locked=True, of=Act))
    if act_id is None:
        return None
    act = session.scalar(
        update(Act)
        .where(Act.id == act_id, Act.state.in_(WAITING))
        .values(
            state="sending", attempt=Act.attempt + 1, lease_until=now + timedelta(seconds=LEASE_SECONDS),
            first_attempt_at=func.coalesce(Act.first_attempt_at, now),
        )
        .returning(Act)
    )  # fmt: skip
    return act


def _perform(database: Database, act: Act, open_channel: OpenChannel) -> None:
    with database.read.begin() as session:
        source = session.get_one(Source, act.source_id)
        still = session.scalar(
            select(Act.id).where(Act.id == act.id, Act.attempt == act.attempt, Act.state == "sending")
        )
    if still is None or (act.lease_until is not None and act.lease_until <= utc_now()):
        return  # R7: a late worker does not call
    try:
        channel = open_channel(source)
        try:
            receipt = channel.act(channel_act(act))
        finally:
            channel.close()
    except ChannelError as error:
        with database.write.begin() as session:
            _record_error(session, act, error)
    else:
        with database.write.begin() as session:
            _record_receipt(session, act, receipt)


def channel_act(act: Act) -> ChannelAct:
    """The row as the channel takes it."""
    since = act.first_attempt_at if act.attempt > 1 or act.state == "unknown" else None
    # The row's id would repeat in a new database, and a platform that knows the number would swallow the message.
    key = (int(act.token[:8], 16) & 0x7FFFFFFF) or 1
    return ChannelAct(ActKind(act.kind), key, act.token, Target(**act.target), act.text, since)


def target_of(
    message: Message, author_external_id: str | None, author_name: str | None, place: str | None
) -> dict[str, Any]:
    """What an act on ``message`` must know, kept with the row so that later edits do not redirect it."""
    return asdict(
        Target(
            container=message.container, external_id=message.external_id, thread=message.thread,
            parent_external_id=message.parent_external_id, publication_external_id=place,
            author_external_id=author_external_id, author_name=author_name, subject=message.subject,
            context=message.context,
        )
    )  # fmt: skip


def _fenced(session: Session, act: Act, states: Sequence[str] = ("sending",)) -> Act | None:
    """The row, if this attempt still owns it (R7)."""
    return session.scalar(
        select(Act).where(Act.id == act.id, Act.attempt == act.attempt, Act.state.in_(states)).with_for_update()
    )


def _record_receipt(session: Session, act: Act, receipt: Receipt, at: datetime | None = None) -> None:
    row = _fenced(session, act, ("sending", "unknown"))
    if row is None:
        return
    row.state = "accepted"
    row.container = receipt.container or row.target.get("container")
    row.external_id, row.url = _free_id(session, row, receipt.external_id), receipt.url
    row.accepted_at = at or receipt.at or utc_now()
    row.lease_until = row.error_code = row.error_text = None
    record(session, "act.accepted", DESK, case_id=row.case_id, object_id=row.id, attempt=row.attempt)
    _first_reply(session, row)
    _join_stored(session, row)


def _free_id(session: Session, row: Act, external_id: str | None) -> str | None:
    """The platform's id unless another act owns it: a like or a deletion bears the id of its target."""
    if external_id is None or row.kind not in (ActKind.REPLY, ActKind.MESSAGE):
        return None
    taken = session.scalar(
        select(Act.id).where(
            Act.source_id == row.source_id, Act.container == row.container, Act.external_id == external_id,
            Act.id != row.id,
        )
    )  # fmt: skip
    return None if taken else external_id


def _first_reply(session: Session, row: Act) -> None:
    if row.case_id is not None and row.kind in (ActKind.REPLY, ActKind.MESSAGE):
        case = session.get_one(Case, row.case_id)
        case.first_reply_at = case.first_reply_at or row.accepted_at


def _record_error(session: Session, act: Act, error: ChannelError) -> None:
    row = _fenced(session, act)
    if row is None:
        return
    row.error_code, row.error_text, row.lease_until = error.code, error.message[:500], None
    now = utc_now()
    if error.sent is Sent.UNKNOWN:
        can = channel_class(_platform(session, row)).can
        row.state, row.due_at = "unknown", now + timedelta(seconds=min(can.settle_seconds, 5))
        record(session, "act.unknown", DESK, case_id=row.case_id, object_id=row.id, code=error.code)
    elif error.permanent or row.attempt >= MAX_ATTEMPTS:
        row.state = "dead"
        record(session, "act.failed", DESK, case_id=row.case_id, object_id=row.id, code=error.code)
        _lift(session, row, "failed")
    else:
        pause = error.retry_after or RETRY_SECONDS[min(row.attempt, len(RETRY_SECONDS)) - 1]
        row.state, row.due_at = "retry", now + timedelta(seconds=pause)
        record(session, "act.retried", DESK, case_id=row.case_id, object_id=row.id, code=error.code)


def _platform(session: Session, row: Act) -> str:
    return session.get_one(Source, row.source_id).platform


def _lift(session: Session, row: Act, reason: str) -> None:
    if row.case_id is not None:
        lift(session, session.get_one(Case, row.case_id), reason)


def run_settle(database: Database, open_channel: OpenChannel) -> int:
    """Finds out what became of acts whose outcome is unknown, or whose worker died in the call (R4–R6)."""
    now = utc_now()
    with database.write.begin() as session:
        for row in session.scalars(select(Act).where(Act.state == "sending", Act.lease_until < now)):
            row.state, row.due_at, row.error_code = "unknown", now, "network"
            record(session, "act.unknown", DESK, case_id=row.case_id, object_id=row.id, code="lease")
    with database.read.begin() as session:
        due = list(
            session.scalars(select(Act).where(Act.state == "unknown", Act.due_at <= now).order_by(Act.id).limit(20))
        )
    for act in due:
        _settle(database, act, open_channel)
    return len(due)


def _settle(database: Database, act: Act, open_channel: OpenChannel) -> None:
    with database.read.begin() as session:
        source = session.get_one(Source, act.source_id)
    try:
        channel = open_channel(source)
        try:
            proof = channel.lookup(channel_act(act))
        finally:
            channel.close()
    except ChannelError as error:
        with database.write.begin() as session:
            row = _fenced(session, act, ("unknown",))
            if row is not None:
                row.due_at = utc_now() + timedelta(seconds=error.retry_after or 30)
        return
    with database.write.begin() as session:
        row = _fenced(session, act, ("unknown",))
        if row is not None:
            _judge(session, row, proof)


def _judge(session: Session, row: Act, proof: Proof) -> None:
    can = channel_class(_platform(session, row)).can
    settled_at = (row.first_attempt_at or row.created_at) + timedelta(seconds=can.settle_seconds)
    # The lease of the attempt that may still be running counts too: its worker can be frozen, not dead.
    if proof.verdict is Verdict.SEEN and _id_is_free(session, row, proof.external_id):
        _record_receipt(session, row, Receipt(proof.external_id, proof.url, proof.at), at=proof.at)
        return
    if utc_now() < settled_at:
        row.due_at = utc_now() + timedelta(seconds=10)
        return
    if can.send_token or (proof.verdict is Verdict.ABSENT and can.list_own):
        row.state, row.due_at = "retry", utc_now()
        record(session, "act.retried", DESK, case_id=row.case_id, object_id=row.id, code="absent")
        return
    row.state = "review"
    record(session, "act.review", DESK, case_id=row.case_id, object_id=row.id)
    _lift(session, row, "unknown")


def _id_is_free(session: Session, row: Act, external_id: str | None) -> bool:
    """Two equal «Спасибо!» must not settle on one platform id (R5)."""
    return external_id is None or _free_id(session, row, external_id) is not None


def join_own(session: Session, messages: Sequence[Message]) -> None:
    """Recognises our replies among what came back: by the platform's id, else by parent, text and time (R5)."""
    if not messages:
        return
    known = {
        (row.container, row.external_id): row
        for row in session.scalars(
            select(Act).where(
                Act.source_id == messages[0].source_id, Act.external_id.in_([m.external_id for m in messages])
            )
        )
    }
    for message in messages:
        row = known.get((message.container, message.external_id)) or _match_unproven(session, message)
        message.work = "labelled"
        if row is not None:
            _mark_seen(session, row, message)


def _match_unproven(session: Session, message: Message) -> Act | None:
    candidates = session.scalars(
        select(Act).where(
            Act.source_id == message.source_id, Act.state.in_(("sending", "unknown", "review")),
            Act.kind.in_((ActKind.REPLY.value, ActKind.MESSAGE.value)), Act.external_id.is_(None),
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


def _join_stored(session: Session, row: Act) -> None:
    """The collector may have met our reply before its receipt was written."""
    if row.external_id is None:
        return
    message = session.scalar(
        select(Message).where(
            Message.source_id == row.source_id, Message.container == row.container,
            Message.external_id == row.external_id,
        )
    )  # fmt: skip
    if message is not None:
        _mark_seen(session, row, message)


def _mark_seen(session: Session, row: Act, message: Message) -> None:
    message.act_id, message.case_id, message.work = row.id, row.case_id, "labelled"
    was_accepted = row.accepted_at is not None
    row.state, row.seen_at = "seen", utc_now()
    row.container, row.external_id = message.container, message.external_id
    row.url, row.accepted_at = message.url or row.url, message.published_at
    row.error_code = row.error_text = row.lease_until = None
    record(session, "act.seen", DESK, case_id=row.case_id, object_id=row.id, accepted=was_accepted)
    _first_reply(session, row)


def retry_act(session: Session, actor: Actor, act_id: int) -> Act:
    """A person says «отправить»: a dead, or a reviewed act that is not on the platform, goes again."""
    require(actor, "case.reply")
    row = _held_row(session, act_id, ("dead", "review", "retry"))
    row.state, row.due_at, row.attempt = "queued", utc_now(), row.attempt
    record(session, "act.retried", actor, case_id=row.case_id, object_id=row.id, code="person")
    return row


def confirm_act(session: Session, actor: Actor, act_id: int, url: str | None) -> Act:
    """A person says «уже опубликовано»: the act ends as accepted, with the link if there is one."""
    require(actor, "case.reply")
    row = _held_row(session, act_id, ("review", "unknown"))
    row.state, row.accepted_at, row.url = "accepted", row.first_attempt_at or utc_now(), url or row.url
    row.error_code = row.error_text = None
    record(session, "act.settled", actor, case_id=row.case_id, object_id=row.id)
    _first_reply(session, row)
    return row


def cancel_act(session: Session, actor: Actor, act_id: int) -> Act:
    """Takes back what has not been tried yet, or gives up what failed; raises Refused once it may be out."""
    require(actor, "case.reply")
    row = _held_row(session, act_id, ("held", "queued", "retry", "dead", "review"))
    if row.state == "queued" and row.attempt:
        raise Refused("act.state", state=row.state)
    row.state = "cancelled"
    record(session, "act.cancelled", actor, case_id=row.case_id, object_id=row.id)
    return row


def send_now(session: Session, actor: Actor, act_id: int) -> Act:
    """Ends the time for undo."""
    require(actor, "case.reply")
    row = _held_row(session, act_id, ("held",))
    row.due_at = utc_now()
    return row


def _held_row(session: Session, act_id: int, states: Sequence[str]) -> Act:
    row = session.scalar(select(Act).where(Act.id == act_id).with_for_update())
    if row is None:
        raise NotFound("act.unknown", id=act_id)
    if row.state not in states:
        raise Refused("act.state", state=row.state)
    return row


def stuck_acts(session: Session, now: datetime | None = None) -> int:
    """How many acts wait longer than they may (lease + 5 minutes): the figure of invariant I3."""
    limit = (now or utc_now()) - timedelta(seconds=LEASE_SECONDS + 300)
    late = or_(
        and_(Act.state == "sending", Act.lease_until < limit), and_(Act.state.in_(WAITING), Act.due_at < limit)
    )
    return session.scalar(select(func.count()).select_from(Act).where(late)) or 0


def reply_of(session: Session, act: Act) -> Reply | None:
    return session.get(Reply, act.reply_id) if act.reply_id else None
