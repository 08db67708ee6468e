"""«Сдать смену»: what one leaves behind, has promised, has sent and not seen there yet, and to whom it goes."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Act, Case, Clock, Message, Notice, utc_now
from services.errors import NotFound, Refused
from services.events import record
from services.rights import Actor, require
from services.workload import Load, give_case, loads

MOST = 500
NOTICE = "case.shift"
UNPROVEN = ("held", "queued", "sending", "accepted", "unknown", "retry", "review", "dead", "approval")
"""States of a reply of which nobody knows yet that the author sees it."""


@dataclass(frozen=True, slots=True)
class Left:
    """One open case; ``promise``: the clock of a promised answer, ``unproven``: replies not seen there yet."""

    case: Case
    text: str
    promise: Clock | None
    unproven: tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class Shift:
    """``left``: the actor's open cases, what burns first; ``sent``: replies of theirs in cases that others lead or
    that are closed; ``heirs``: who may take it over, with what they have."""

    left: tuple[Left, ...]
    sent: tuple[tuple[Act, Case], ...]
    heirs: tuple[Load, ...]

    @property
    def promised(self) -> int:
        return sum(one.promise is not None for one in self.left)


def shift_of(session: Session, actor: Actor) -> Shift:
    """What the actor would leave now."""
    require(actor, "case.reply")
    mine = select(Case, Message.text).outerjoin(Message, Message.id == Case.first_message_id)
    mine = mine.where(Case.assignee_id == actor.staff_id, Case.open_key.is_not(None), Case.number.is_not(None))
    rows = session.execute(mine.order_by(Case.due_at.is_(None), Case.due_at, Case.id).limit(MOST)).all()
    ids = [case.id for case, _text in rows]
    clocks = select(Clock).where(Clock.case_id.in_(ids), Clock.kind == "promise", Clock.done_at.is_(None))
    promises = {clock.case_id: clock for clock in session.scalars(clocks)}
    acts = select(Act, Case).join(Case, Case.id == Act.case_id)
    acts = acts.where(Act.staff_id == actor.staff_id, Act.state.in_(UNPROVEN), Act.reply_id.is_not(None))
    unproven: dict[int, list[Act]] = {}
    sent = []
    for act, case in session.execute(acts.order_by(Act.id.desc()).limit(MOST)):
        if case.id in ids:
            unproven.setdefault(case.id, []).append(act)
        else:
            sent.append((act, case))
    left = tuple(
        Left(case, text or "", promises.get(case.id), tuple(unproven.get(case.id, ()))) for case, text in rows
    )
    return Shift(left, tuple(sent), tuple(one for one in loads(session) if one.staff.id != actor.staff_id))


def hand_shift(session: Session, actor: Actor, to_id: int, case_ids: Sequence[int]) -> int:
    """The chosen ones of the actor's open cases are another's; returns how many. What somebody else has taken
    meanwhile stays with them. Raises NotFound for whoever does not answer, Refused where nothing is chosen."""
    require(actor, "case.assign")
    heir = next((one for one in loads(session) if one.staff.id == to_id and to_id != actor.staff_id), None)
    if heir is None:
        raise NotFound("staff.unknown", id=to_id)
    mine = select(Case).where(
        Case.id.in_(list(case_ids)[:MOST]), Case.assignee_id == actor.staff_id, Case.open_key.is_not(None)
    )
    cases = list(session.scalars(mine.order_by(Case.id).with_for_update()))
    if not cases:
        raise Refused("shift.empty")
    for case in cases:
        give_case(session, actor, case, to_id)
    session.add(Notice(staff_id=to_id, kind=NOTICE, case_id=cases[0].id, created_at=utc_now()))
    record(session, "shift.handed", actor, object_id=to_id, count=len(cases))
    return len(cases)
