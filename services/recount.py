"""What new terms do to the clocks that run: shown before, done on demand, piece by piece with its progress."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from models import Clock, Setting, utc_now
from models.database import Database
from services.events import record
from services.leases import hold_cases
from services.rights import DESK, Actor, require
from services.sla import recount, show_all
from services.terms import Policy, build_policy, check_terms, policy_of, save_terms

NAME = "sla_recount"
BATCH = 500
MOST_TRIED = 2000
"""The preview reckons so many clocks, those due first; beyond that its numbers are of a part."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a recount would do to ``tried`` of the ``total`` clocks that run."""

    total: int
    tried: int
    earlier: int
    later: int
    newly_late: int
    no_longer_late: int
    late_cases: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    done: int
    total: int


def progress_of(session: Session) -> Progress | None:
    """How far a recount is; None when none is asked for."""
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    return Progress(int(row.value["done"]), int(row.value["total"])) if row else None


def effect_of(session: Session, values: Mapping[str, Any]) -> Effect:
    """Reckons what runs by other terms without changing it; raises Refused like ``check_terms``."""
    check_terms(values)
    policy, now = build_policy(values), utc_now()
    running = select(Clock).where(Clock.done_at.is_(None))
    total = session.scalar(select(func.count()).select_from(running.subquery())) or 0
    pairs = []
    for clock in session.scalars(running.order_by(Clock.due_at, Clock.id).limit(MOST_TRIED)):
        tried = _copy(clock)
        recount(policy, tried)
        pairs.append((clock.due_at, tried.due_at, clock.case_id))
    return Effect(
        total=total,
        tried=len(pairs),
        earlier=sum(new < old for old, new, _case in pairs),
        later=sum(new > old for old, new, _case in pairs),
        newly_late=sum(new < now <= old for old, new, _case in pairs),
        no_longer_late=sum(old < now <= new for old, new, _case in pairs),
        late_cases=tuple(dict.fromkeys(case for old, new, case in pairs if case is not None and new < now <= old)),
    )


def _copy(clock: Clock) -> Clock:
    """A clock beside the session: what is tried on it is not kept."""
    return Clock(**{column.key: getattr(clock, column.key) for column in inspect(Clock).column_attrs})


def change_terms(session: Session, actor: Actor, values: Mapping[str, Any], *, open_too: bool) -> None:
    """Keeps the terms for what comes and, with ``open_too``, asks for a recount of what is open."""
    save_terms(session, actor, values)
    if open_too:
        ask_recount(session, actor)


def ask_recount(session: Session, actor: Actor) -> None:
    """The job does it soon; asked twice, it begins once more."""
    require(actor, "settings.edit")
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    if row is None:
        row = Setting(name=NAME)
        session.add(row)
    total = session.scalar(select(func.count()).select_from(Clock).where(Clock.done_at.is_(None))) or 0
    row.value, row.updated_at = {"done": 0, "total": total, "last": 0, "moved": 0}, utc_now()
    record(session, "sla.recount", actor, total=total)


def run_recount(database: Database) -> int:
    """Reckons the running clocks anew by the terms in force, each piece committed with how far it came, so that a
    killed run goes on; returns how many deadlines moved."""
    while True:
        with database.write.begin() as session:
            row = session.scalar(select(Setting).where(Setting.name == NAME).with_for_update())
            if row is None:
                return 0
            state = dict(row.value)
            clocks = _next(session, state["last"])
            if not clocks:
                session.delete(row)
                record(session, "sla.recounted", DESK, total=state["done"], moved=state["moved"])
                return int(state["moved"])
            policy = policy_of(session)
            moved = _recount_all(session, policy, clocks)
            row.value = {
                "done": state["done"] + len(clocks), "total": state["total"], "last": clocks[-1].id,
                "moved": state["moved"] + moved,
            }  # fmt: skip


def _next(session: Session, last: int) -> list[Clock]:
    query = select(Clock).where(Clock.done_at.is_(None), Clock.id > last).order_by(Clock.id).limit(BATCH)
    found = list(session.scalars(query))
    # The cases first, as whoever answers takes them.
    hold_cases(session, {clock.case_id for clock in found if clock.case_id is not None})
    held = select(Clock).where(Clock.id.in_([clock.id for clock in found])).order_by(Clock.id)
    return list(session.scalars(held.with_for_update().execution_options(populate_existing=True)))


def _recount_all(session: Session, policy: Policy, clocks: list[Clock]) -> int:
    moved = [clock for clock in clocks if clock.done_at is None and recount(policy, clock)]
    session.flush()
    show_all(session, sorted({clock.case_id for clock in moved if clock.case_id is not None}))
    return len(moved)
