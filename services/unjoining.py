"""Two joined cases are two again, as a whole: unless something was sent, asked or decided in the one since."""

from datetime import datetime
from typing import Any

from sqlalchemy import inspect, or_, select, update
from sqlalchemy.orm import Session

from models import Act, Case, Clock, Draft, Event, Incident, IncidentCase, Joining, Reply, Route, utc_now
from models.base import UtcDateTime
from services.case_states import is_open, part_again
from services.cases import get_case
from services.errors import NotFound, Refused
from services.events import record
from services.incidents.gathering import count_of
from services.joining import CASE_KEPT, MOVED, ONCE, hold_rows
from services.rights import Actor, require
from services.sla import reckon, show_all
from services.terms import policy_of

HARMLESS = frozenset({
    "case.assigned", "case.attached", "case.lifted", "case.moved", "case.printed", "case.snoozed", "case.tagged",
    "case.untagged", "case.woken", "clock.warned", "incident.joined", "note.added", "reply.offered", "route.opened",
    "task.added", "act.sending", "act.accepted", "act.seen", "act.unknown", "act.failed", "act.retried",
    "act.settled", "message.state", "message.edited", "message.deleted", "message.brought",
})  # fmt: skip
"""What may be done in a joined case without its becoming one for good; all else stands in the way.

What was on its way before goes on its way: what is written anew is found by its row."""
ENDED = ("solved", "closed", "spam", "no_answer", "merged")
_COLUMNS: dict[str, Any] = {str(column): column for column in (*MOVED, Draft.case_id)}
_ONCE: dict[str, tuple[Any, Any]] = {str(of_case): (of_case, of_other) for of_case, of_other in ONCE}


def joinings_of(session: Session, case_id: int) -> list[tuple[Joining, Case]]:
    """Joinings of the case that were not taken back, each with the other case, the newest first."""
    query = (
        select(Joining, Case)
        .join(Case, or_(
            (Case.id == Joining.gone_id) & (Joining.kept_id == case_id),
            (Case.id == Joining.kept_id) & (Joining.gone_id == case_id),
        ))
        .where(or_(Joining.gone_id == case_id, Joining.kept_id == case_id), Joining.undone_at.is_(None))
        .order_by(Joining.id.desc())
    )  # fmt: skip
    return [(row[0], row[1]) for row in session.execute(query)]


def part_cases(session: Session, actor: Actor, case_id: int, joining_id: int) -> Case:
    """Takes a joining of the case back; returns the case that is one of its own again.

    Messages, notes and tasks of since then stay where they are. Raises Refused when somebody has answered, asked or
    decided since, or the author has written there anew.
    """
    require(actor, "case.assign")
    row = session.get(Joining, joining_id)
    if row is None or case_id not in (row.gone_id, row.kept_id):
        raise NotFound("join.none", id=joining_id)
    hold_rows(session, row.gone_id, row.kept_id)
    first, second = (get_case(session, actor, one, hold=True) for one in sorted((row.gone_id, row.kept_id)))
    gone, kept = (first, second) if first.id == row.gone_id else (second, first)
    session.refresh(row, with_for_update=True)
    if row.undone_at is not None:
        return gone
    _check(session, row, gone, kept)
    _move_back(session, row)
    _put_clocks_back(session, row, gone)
    _put_incidents_back(session, row)
    part_again(session, gone, row.before[str(gone.id)]["state"], actor)
    gone.lift = row.before[str(gone.id)]["lift"]
    _put_case_back(session, row, kept, actor)
    show_all(session, [gone.id, kept.id])
    row.undone_at, row.undone_by_id = utc_now(), actor.staff_id
    for case, other in ((gone, kept), (kept, gone)):
        record(session, "case.parted", actor, case_id=case.id, object_id=other.id)
    session.flush()
    return gone


def _check(session: Session, row: Joining, gone: Case, kept: Case) -> None:
    if not is_open(kept) or gone.state != "merged":
        raise Refused("part.over")
    taken = session.scalar(select(Case.number).where(Case.open_key == gone.subject_key).limit(1))
    if taken is not None:
        raise Refused("part.written", number=taken)
    newer = session.scalar(
        select(Joining.id).where(
            Joining.kept_id == kept.id, Joining.id > row.id, Joining.undone_at.is_(None)
        ).limit(1)
    )  # fmt: skip
    if newer is not None:
        raise Refused("part.order")
    since = select(Event).where(Event.case_id.in_((gone.id, kept.id)), Event.id > row.event_id)
    if any(_is_deed(event) for event in session.scalars(since)) or _is_written(session, row):
        raise Refused("part.since")


def _is_deed(event: Event) -> bool:
    if event.kind == "case.moved":
        return event.data.get("new") in ENDED
    return event.kind not in HARMLESS and event.kind not in ("case.joined", "case.parted")


def _is_written(session: Session, row: Joining) -> bool:
    """Replies, acts and questions of after the joining."""
    return any(
        session.scalar(
            select(table.id).where(table.case_id == row.kept_id, at > row.created_at).limit(1)
        ) is not None
        for table, at in ((Reply, Reply.created_at), (Act, Act.created_at), (Route, Route.asked_at))
    )  # fmt: skip


def _move_back(session: Session, row: Joining) -> None:
    for name, ids in row.moved.items():
        of_case, of_other = _ONCE.get(name, (_COLUMNS.get(name), None))
        query = update(of_case.class_).where(of_case.class_.id.in_(ids), of_case == row.kept_id)
        if of_other is not None:  # somebody may have begun to follow it since
            query = query.where(of_other.not_in(select(of_other).where(of_case == row.gone_id).scalar_subquery()))
        session.execute(query.values({of_case: row.gone_id}).execution_options(synchronize_session=False))
    session.flush()
    session.expire_all()


def _put_clocks_back(session: Session, row: Joining, gone: Case) -> None:
    """As they stood; what has changed in one since the joining stays, only its case is its own again."""
    policy, columns = policy_of(session), inspect(Clock).columns
    for key, before in row.before["clocks"].items():
        clock, after = session.get(Clock, int(key)), row.after["clocks"].get(key)
        if clock is None:
            continue
        level = clock.level
        if after is not None and all(_same(clock, name, after[name]) for name in after if name not in _TOLD):
            for name, value in before.items():
                is_time = isinstance(columns[name].type, UtcDateTime) and value is not None
                setattr(clock, name, datetime.fromisoformat(value) if is_time else value)
        elif before["case_id"] == gone.id:
            clock.case_id = gone.id
        if clock.done_at is None and clock.paused_at is None:
            clock.level = max(clock.level, level if clock.due_at <= utc_now() else 0)
            reckon(policy, clock)
    session.flush()


_TOLD = ("level", "next_at")
"""Moves on by itself as the clock runs."""


def _same(row: Any, name: str, said: Any) -> bool:
    now = getattr(row, name)
    return bool((now.isoformat() if isinstance(now, datetime) else now) == said)


def _put_incidents_back(session: Session, row: Joining) -> None:
    """A case that the joining took out of an incident stands in it again."""
    concerned = set(row.before["incidents"].values())
    for key, incident_id in row.before["incidents"].items():
        link = session.get(IncidentCase, int(key))
        if link is not None and key not in row.after["incidents"] and link.incident_id == incident_id:
            link.out_at = None
    session.flush()
    for incident_id in sorted(concerned):
        session.get_one(Incident, incident_id).count = count_of(session, incident_id)


def _put_case_back(session: Session, row: Joining, kept: Case, actor: Actor) -> None:
    """What nobody has changed since is as it was before."""
    before, after = row.before[str(kept.id)], row.after[str(kept.id)]
    for name in CASE_KEPT:
        if name != "state" and _same(kept, name, after[name]):
            value = before[name]
            setattr(kept, name, datetime.fromisoformat(value) if name.endswith("_at") and value else value)
    kept.version += 1
    if kept.state == after["state"] != before["state"]:
        part_again(session, kept, before["state"], actor)
