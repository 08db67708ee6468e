"""The outbox: the states of every act on a platform, the claim, and what people say about an act.

Rules R1–R7 of reliability.md §2: claim, commit, act, record. The call itself is made by ``services.sending``, what
came of it is judged by ``services.outcomes``.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from collectors.base import Act as ChannelAct
from collectors.base import ActFile, ActKind, Channel, Target
from models import Act, Case, Message, Reply, Source, utc_now
from services.case_states import is_open
from services.errors import NotFound, Refused
from services.events import record
from services.leases import hold_cases
from services.rights import DESK, Actor, require
from services.sla import keep_promise, note_answered, promise
from services.words_owed import note_updated

STATES = (
    "approval",  # somebody must agree first
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
WRITING = ("reply", "message")
"""Kinds whose receipt names something new on the platform; the others bear the id of what they changed.

The others may be done twice without harm: hidden twice is hidden.
"""
UNPROVEN = ("approval", "held", "queued", "sending", "retry", "unknown", "review", "dead")
WAITING = ("held", "queued", "retry")
IDLE = ("paused", "manual")
"""States of a place to which nothing is sent."""
LEASE_SECONDS = 100  # above connect and read time-outs, and every HTTP platform's settle time
RETRY_SECONDS = (5, 20, 60, 300, 900, 3600)
MAX_ATTEMPTS = 12
MASS = 5
"""The priority of one of many: it goes after whatever was written singly."""
CLOCK_SLACK = timedelta(minutes=2)
MOVES: frozenset[tuple[str, str]] = frozenset(
    [
        ("approval", "held"), ("approval", "queued"), ("approval", "cancelled"),
        *((state, "sending") for state in WAITING),
        *((state, "cancelled") for state in (*WAITING, "review", "dead")),
        *(("sending", state) for state in ("accepted", "unknown", "retry", "dead")),
        *(("unknown", state) for state in ("accepted", "retry", "review")),
        *((state, "queued") for state in ("dead", "review", "retry")),
        ("review", "accepted"),
        # Met by the collector: whatever we believed, it stands there.
        *((state, "seen") for state in ("sending", "unknown", "review", "accepted", "retry", "dead", "removed")),
        ("accepted", "removed"), ("seen", "removed"),
    ]
)  # fmt: skip
"""Every change of state that there is; another one is a programming error or a stale click, and refused."""
OpenChannel = Callable[[Source], Channel]


def move_act(row: Act, to: str) -> None:
    """Changes the state of an act; raises Refused for a pair that is not in MOVES."""
    if (row.state, to) not in MOVES:
        raise Refused("act.state", state=row.state)
    row.state = to


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


def _claim(*there: ColumnElement[bool]) -> ReturningUpdate[Act]:
    """One statement finds, locks and takes: a round trip less is a tenth of what an act costs on PostgreSQL."""
    due = (
        select(Act.id).join(Source, Source.id == Act.source_id)
        .where(Act.state.in_(WAITING), Act.due_at <= bindparam("now"), Source.state.not_in(IDLE), *there)
        .order_by(Act.priority, Act.due_at, Act.id).limit(1).with_for_update(skip_locked=True, of=Act)
    )  # fmt: skip
    return (
        update(Act).where(Act.id == due.scalar_subquery(), Act.state.in_(WAITING))
        .values(
            state="sending", attempt=Act.attempt + 1, lease_until=bindparam("until"), attempted_at=bindparam("now"),
            first_attempt_at=func.coalesce(Act.first_attempt_at, bindparam("now")),
        ).returning(Act)
    )  # fmt: skip


# Built once: composing a statement costs SQLAlchemy more than SQLite needs to run it.
_CLAIM = _claim()
_CLAIM_THERE = _claim(Act.source_id == bindparam("source"))


def claim_act(session: Session, source_id: int | None = None, now: datetime | None = None) -> Act | None:
    """Takes one due act for sending by a conditional update (R2); the caller commits, then calls the platform.

    Single acts go before those of a mass answer (``priority``), so that nobody's reply starves behind a wave.
    """
    now = now or utc_now()
    key = {"now": now, "until": now + timedelta(seconds=LEASE_SECONDS)}
    if source_id is None:
        act = session.scalars(_CLAIM, key).one_or_none()
    else:
        act = session.scalars(_CLAIM_THERE, {**key, "source": source_id}).one_or_none()
    if act is not None:
        record(session, "act.sending", DESK, case_id=act.case_id, object_id=act.id, attempt=act.attempt)
    return act


def channel_act(act: Act, files: tuple[ActFile, ...] = ()) -> ChannelAct:
    """The row as the channel takes it, with the content of its files where it is to be sent."""
    since = act.first_attempt_at if act.attempt > 1 or act.state == "unknown" else None
    # The row's id would repeat in a new database, and a platform that knows the number would swallow the message.
    key = (int(act.token[:8], 16) & 0x7FFFFFFF) or 1
    target = Target(**act.target)
    return ChannelAct(
        ActKind(act.kind), key, act.token, target, act.text, since, mass=act.priority >= MASS, files=files
    )


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


def retry_act(session: Session, actor: Actor, act_id: int) -> Act:
    """A person says «отправить»: a dead, or a reviewed act that is not on the platform, goes again."""
    require(actor, "case.reply")
    row = _held_row(session, act_id, ("dead", "review", "retry"))
    move_act(row, "queued")
    row.due_at = utc_now()
    record(session, "act.retried", actor, case_id=row.case_id, object_id=row.id, code="person")
    return row


def confirm_act(session: Session, actor: Actor, act_id: int, url: str | None) -> Act:
    """A person says «уже опубликовано»: the act ends as accepted, with the link if there is one."""
    require(actor, "case.reply")
    row = _held_row(session, act_id, ("review", "unknown"))
    hold_case(session, row)
    move_act(row, "accepted")
    row.accepted_at, row.url = row.first_attempt_at or utc_now(), url or row.url
    row.error_code = row.error_text = None
    record(session, "act.settled", actor, case_id=row.case_id, object_id=row.id)
    note_reply(session, row)
    return row


def cancel_act(session: Session, actor: Actor, act_id: int) -> Act:
    """Takes back what has not been tried yet, or gives up what failed; raises Refused once it may be out."""
    require(actor, "case.reply")
    row = _held_row(session, act_id, ("approval", "held", "queued", "retry", "dead", "review"))
    if row.state == "queued" and row.attempt:
        raise Refused("act.state", state=row.state)
    move_act(row, "cancelled")
    record(session, "act.cancelled", actor, case_id=row.case_id, object_id=row.id)
    return row


def send_now(session: Session, actor: Actor, act_id: int) -> Act:
    """Ends the time for undo."""
    require(actor, "case.reply")
    row = _held_row(session, act_id, ("held",))
    row.due_at = utc_now()
    record(session, "act.hurried", actor, case_id=row.case_id, object_id=row.id)
    return row


def hold_case(session: Session, row: Act) -> None:
    """After the act and before an event that refers to its case: whoever ends the case waits for all who do."""
    if row.case_id is not None:
        hold_cases(session, [row.case_id])


def note_reply(session: Session, row: Act, *, again: bool = False) -> None:
    """The case was answered, at the platform's own time where it is known; ``again``: that had been known already.

    A holding reply leaves its promise open, another one keeps it.
    """
    if row.case_id is not None and row.kind in WRITING:
        case = session.get_one(Case, row.case_id)
        if row.message_id is not None:  # else it answers nothing: we spoke first
            case.first_reply_at = case.first_reply_at or row.accepted_at
            note_answered(session, case, row.accepted_at)
            if not again:
                note_updated(session, case, row.accepted_at)
        reply = reply_of(session, row)
        if not again and is_open(case) and reply is not None and reply.promised_until is not None:
            promise(session, case, reply.promised_until)
        elif not again:
            keep_promise(session, case)


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
