"""The states of a case as a table (domain.md §6.1), and the four words that people see."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import Case, Snooze, utc_now
from services.errors import Refused
from services.events import record
from services.rights import Actor
from services.sla import follow_move

STAGES = {
    "new": "new",
    "triage": "new",
    "work": "work",
    "approval": "work",
    "department": "wait",
    "author": "wait",
    "snoozed": "later",
    "solved": "closed",
    "closed": "closed",
    "spam": "closed",
    "no_answer": "closed",
    "merged": "closed",
}
"""State → the word people see (day.md §1.3): Новое · В работе · Ждём · Закрыто; «later» is out of sight."""

_OPEN = ("new", "triage", "work", "approval", "department", "author", "snoozed")
_DONE = ("solved", "closed", "spam", "no_answer")

MOVES: frozenset[tuple[str, str]] = frozenset(
    [
        # Answering, routing and closing are acts of their own; none asks for a transition first (day.md §1.3).
        *((state, target) for state in _OPEN for target in ("work", "solved", "spam", "no_answer", "merged")),
        *((state, "author") for state in ("new", "triage", "work", "approval", "snoozed")),
        *((state, "department") for state in ("new", "triage", "work", "author", "snoozed")),
        *((state, "snoozed") for state in _OPEN),
        ("snoozed", "approval"),
        ("new", "triage"),
        ("work", "approval"),
        ("author", "closed"),
        ("solved", "closed"),
        *((state, "work") for state in _DONE),
        *((state, "merged") for state in _DONE),
    ]
) - {(state, state) for state in STAGES}

PARTED = frozenset((state, to) for state in ("merged", *_OPEN) for to in _OPEN if to != "snoozed")
"""How a joined case, and the one that it was joined to, are as they were; only services.unjoining leads there."""

CLOSE_REASONS = ("answered", "answered_in_thread", "no_answer_needed", "spam", "duplicate", "no_reply", "other")


def is_open(case: Case) -> bool:
    """True while somebody still owes something."""
    return STAGES[case.state] != "closed"


def move(session: Session, case: Case, to: str, actor: Actor, *, reason: str | None = None) -> None:
    """Moves a case, keeps its stage, open key and history in step; raises Refused for a pair not in MOVES.

    Staying where it is changes nothing and is not an error.
    """
    if case.state == to:
        return
    if (case.state, to) not in MOVES:
        raise Refused("case.move", state=case.state, to=to)
    if case.state == "snoozed":
        session.execute(delete(Snooze).where(Snooze.case_id == case.id))
    record(session, "case.moved", actor, case_id=case.id, object_id=case.id, old=case.state, new=to, reason=reason)
    was_open = is_open(case)
    case.state, case.stage = to, STAGES[to]
    case.version += 1
    if case.stage == "closed":
        case.open_key = None
        case.closed_at = utc_now()
        case.close_reason = reason
        case.lift = None
    else:
        case.open_key = case.subject_key
        case.closed_at = case.close_reason = None
    follow_move(session, case, was_open)


def part_again(session: Session, case: Case, to: str, actor: Actor) -> None:
    """One of two joined cases stands where it stood before; its clocks are the caller's."""
    if (case.state, to) not in PARTED:
        raise Refused("case.move", state=case.state, to=to)
    record(session, "case.moved", actor, case_id=case.id, object_id=case.id, old=case.state, new=to, reason=None)
    if case.state == "snoozed":
        session.execute(delete(Snooze).where(Snooze.case_id == case.id))
    case.state, case.stage, case.open_key = to, STAGES[to], case.subject_key
    case.closed_at = case.close_reason = None
    case.version += 1


def wake(session: Session, case: Case, actor: Actor, reason: str | None = None) -> None:
    """Brings a case that was put off back to where it was, on top of its list; ``reason`` is the word of its lift.

    Nothing happens to a case that was not put off.
    """
    if case.state != "snoozed":
        return
    before = session.scalar(select(Snooze.state).where(Snooze.case_id == case.id))
    move(session, case, before or "work", actor)
    case.lift, case.last_message_at = reason, utc_now()
    record(session, "case.woken", actor, case_id=case.id, object_id=case.id, reason=reason)
