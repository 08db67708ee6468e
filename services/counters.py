"""Numbers beside the views of the inbox: of everybody's cases they are counted once, whoever asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from models import Case, Message, Signal, Snooze, utc_now
from services.filters import in_stage
from services.kinds import HIGH
from services.rights import Actor, require

MOST_COUNTED = 1000
"""«Остальное» is counted no further: beyond 999 a screen says «999+»."""
COUNTED = (
    "open", "new", "work", "wait", "later", "question", "complaint", "wish", "unsure", "mine", "unassigned",
    "answer", "failed", "unknown", "rest", "urgent", "application",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counted:
    """``groups``: (stage, label, sure, kind, priority, leader, reason, how many) of the open cases; ``apart``: what
    none of these tells."""

    groups: tuple[tuple[Any, ...], ...]
    apart: Mapping[str, int]


def counters(session: Session, actor: Actor, *, arriving: bool = False) -> dict[str, int]:
    """Stages, kinds of the open cases, mine, lifted ones, «Остальное» unread."""
    require(actor, "case.view")
    return counters_of(count_open(session, arriving), actor)


def count_open(session: Session, arriving: bool) -> Counted:
    """What ``counters_of`` makes anybody's numbers of."""
    columns = (Case.stage, Case.label, Case.sure, Case.kind, Case.priority, Case.assignee_id, Case.lift)
    grouped = session.execute(select(*columns, func.count()).where(in_stage(None, arriving)).group_by(*columns))
    return Counted(tuple(tuple(row) for row in grouped), _counted_apart(session, arriving))


def counters_of(counted: Counted, actor: Actor) -> dict[str, int]:
    """The numbers as ``actor`` sees them; raises as ``require`` does."""
    require(actor, "case.view")
    numbers = dict.fromkeys(COUNTED, 0)
    for stage, label, sure, work, priority, assignee_id, reason, count in counted.groups:
        numbers["urgent"] += count if priority <= HIGH else 0
        numbers["application"] += count if work == "application" else 0
        kind = label if sure and label is not None else "unsure"
        for name in ("open", "new" if stage == "arriving" else stage, kind):
            numbers[name] = numbers.get(name, 0) + count
        if assignee_id is None or assignee_id == actor.staff_id:
            numbers["unassigned" if assignee_id is None else "mine"] += count
        if reason not in (None, "message"):
            numbers[reason] = numbers.get(reason, 0) + count
    return {**numbers, **counted.apart}


def _counted_apart(session: Session, arriving: bool) -> dict[str, int]:
    """What no group of the open cases tells, in one question: put off, late, with a signal that nobody has decided
    on, with near copies; «Остальное» unread, MOST_COUNTED at most."""
    proposed = (
        select(Message.case_id)
        .join(Signal, Signal.message_id == Message.id)
        .join(Case, Case.id == Message.case_id)
        .where(Signal.state == "proposed", in_stage(None, arriving))
        .distinct()
    )
    unread = select(literal(1)).select_from(Message).where(Message.work == "rest", Message.read_at.is_(None))
    open_cases = select(func.count()).select_from(Case).where(in_stage(None, arriving))
    counted = {
        "later": select(func.count()).select_from(Snooze),
        "burning": open_cases.where(Case.warn_at <= utc_now()),
        "signals": select(func.count()).select_from(proposed.subquery()),
        "repeated": open_cases.where(Case.wave_id.is_not(None)),
        "rest": select(func.count()).select_from(unread.limit(MOST_COUNTED).subquery()),
    }
    columns = (query.scalar_subquery().label(name) for name, query in counted.items())
    return dict(session.execute(select(*columns)).one()._mapping)
