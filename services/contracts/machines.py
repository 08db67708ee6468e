"""The states of contract, amendment and termination as tables (domain.md §6.3), and the one way through them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Amendment, Contract, Department, Staff, StaffRole, Termination, utc_now
from services.errors import Forbidden, Refused, Stale
from services.events import record
from services.rights import Actor

DESK_PARTY = "desk"
PARTIES = ("client_manager", "sales", "head", "accounting", "director", "smm", DESK_PARTY)

KEEPERS = frozenset({"client_manager", "sales", "head"})
CLOSERS = frozenset({"client_manager", "head"})
ACCOUNTS = frozenset({"accounting"})
HEAD = frozenset({"head"})
DESK_ONLY = frozenset({DESK_PARTY})

Moves = Mapping[tuple[str, str], tuple[frozenset[str], str]]
"""(state, act) → (who may, next state)."""


def _from(states: str, act: str, who: frozenset[str], to: str) -> dict[tuple[str, str], tuple[frozenset[str], str]]:
    return {(state, act): (who, to) for state in states.split()}


CONTRACT: Moves = {
    **_from("draft", "submit", KEEPERS, "approval"),
    **_from("approval", "approve", ACCOUNTS, "approved"),
    **_from("approval", "return", ACCOUNTS, "rework"),
    **_from("draft rework approval approved sent", "edit", KEEPERS, "draft"),
    **_from("approved", "send", KEEPERS, "sent"),
    **_from("sent", "sign", KEEPERS, "signed"),
    **_from("sent", "decline", KEEPERS, "declined"),
    **_from("sent", "lapse", DESK_ONLY, "lapsed"),
    **_from("draft", "accept", DESK_ONLY, "signed"),
    **_from("signed", "start", DESK_ONLY, "force"),
    **_from("force", "pause", CLOSERS, "paused"),
    **_from("paused", "resume", CLOSERS, "force"),
    **_from("force", "fulfil", CLOSERS | DESK_ONLY, "fulfilled"),
    **_from("signed force paused", "terminate", DESK_ONLY, "terminated"),
    **_from("draft rework approval approved sent", "annul", CLOSERS, "annulled"),
}
"""Any change of text before the signature leads back to the draft and voids the approval; after it, only an
amendment changes anything. «accept»: an offer accepted by payment (day.md §1.12)."""

AMENDMENT: Moves = {
    **_from("draft", "submit", KEEPERS, "approval"),
    **_from("approval", "approve", ACCOUNTS, "approved"),
    **_from("approval", "return", ACCOUNTS, "draft"),
    **_from("draft approval approved", "edit", KEEPERS, "draft"),
    **_from("approved", "send", KEEPERS, "sent"),
    **_from("sent", "sign", KEEPERS, "signed"),
    **_from("sent", "decline", KEEPERS, "declined"),
    **_from("sent", "lapse", DESK_ONLY, "lapsed"),
    **_from("draft approval approved", "annul", CLOSERS, "annulled"),
    **_from("signed", "start", DESK_ONLY, "force"),
    **_from("draft approval approved sent signed", "drop", DESK_ONLY, "annulled"),
}
"""«drop»: the contract itself has ended, nothing is left to be amended."""

TERMINATION: Moves = {
    **_from("received", "calculate", CLOSERS, "calculation"),
    **_from("calculation", "submit", ACCOUNTS, "approval"),
    **_from("approval", "agree", HEAD, "agreed"),
    **_from("approval", "return", HEAD, "calculation"),
    **_from("agreed", "send", CLOSERS, "sent"),
    **_from("received calculation approval agreed", "withdraw", CLOSERS, "withdrawn"),
    **_from("sent", "sign", CLOSERS, "signed"),
    **_from("sent", "deliver", CLOSERS, "delivered"),
    **_from("signed delivered", "assign_refund", ACCOUNTS, "refund_due"),
    **_from("signed delivered", "no_refund", ACCOUNTS, "no_refund"),
    **_from("refund_due", "refund", ACCOUNTS, "refunded"),
    **_from("refunded no_refund", "order", CLOSERS, "ordered"),
    **_from("ordered", "finish", CLOSERS, "finished"),
}
"""«agreed» is the second half of «На согласовании»: the head has agreed and it may be sent."""

MACHINES: Mapping[str, Moves] = {"contract": CONTRACT, "amendment": AMENDMENT, "termination": TERMINATION}
ENDS: Mapping[str, frozenset[str]] = {
    "contract": frozenset({"declined", "lapsed", "annulled", "fulfilled", "terminated"}),
    "amendment": frozenset({"declined", "lapsed", "annulled", "force"}),
    "termination": frozenset({"withdrawn", "finished"}),
}
Thing = Contract | Amendment | Termination


@dataclass(frozen=True, slots=True)
class Step:
    """What the actor may do next with a thing."""

    act: str
    to: str


def name_of(thing: Thing) -> str:
    return thing.__tablename__


def states_of(machine: str) -> set[str]:
    """Every state that a thing can be in."""
    moves = MACHINES[machine]
    return {state for state, _act in moves} | {to for _who, to in moves.values()}


def acts_of(machine: str) -> set[str]:
    return {act for _state, act in MACHINES[machine]}


def has_accounting(session: Session) -> bool:
    """Whether accounting has a login of its own (day.md §1.12)."""
    query = (
        select(Staff.id)
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .join(Department, Department.id == StaffRole.department_id)
        .where(Staff.active, StaffRole.role == "manager", Department.code == "accounting")
    )
    return session.scalar(query.limit(1)) is not None


def parties_of(session: Session, actor: Actor) -> frozenset[str]:
    """In whose name the actor may step; the head stands in for an accounting that has no login."""
    if actor.is_desk:
        return DESK_ONLY
    if "head" in actor.roles and not has_accounting(session):
        return actor.roles | ACCOUNTS
    return actor.roles


def require_accounting(session: Session, actor: Actor) -> None:
    """Raises Forbidden to whoever is neither accounting nor the head who stands in for it."""
    if not actor.is_desk and not ACCOUNTS & parties_of(session, actor):
        raise Forbidden("state.forbidden", who=sorted(ACCOUNTS))


def steps_of(session: Session, actor: Actor, thing: Thing) -> list[Step]:
    """What the table lets the actor do now, in its order; guards may still refuse."""
    parties = parties_of(session, actor)
    moves = MACHINES[name_of(thing)]
    return [Step(act, to) for (state, act), (who, to) in moves.items() if state == thing.state and who & parties]


def move(session: Session, actor: Actor, thing: Thing, act: str, **data: Any) -> None:
    """One step: checked against the table, taken by one conditional UPDATE, written as an event.

    Raises Refused(«state.closed») for a pair that the table does not hold, Forbidden for another's step, Stale when
    somebody stepped first. What else was changed on ``thing`` goes with it.
    """
    machine = name_of(thing)
    found = MACHINES[machine].get((thing.state, act))
    if found is None:
        raise Refused("state.closed", machine=machine, state=thing.state, step=act)
    who, to = found
    if not who & parties_of(session, actor):
        raise Forbidden("state.forbidden", machine=machine, step=act, who=sorted(who))
    before = thing.state
    session.flush()
    table: Any = type(thing)
    values: dict[str, Any] = {"state": to, "version": thing.version + 1}
    if machine != "contract" and to in ENDS[machine]:
        values["active_key"] = None
    if machine == "contract":
        values["updated_at"] = utc_now()
    done = session.execute(
        update(table)
        .where(table.id == thing.id, table.version == thing.version, table.state == before)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        session.refresh(thing)
        raise Stale("state.stale", machine=machine, state=thing.state)
    session.refresh(thing)
    contract_id = thing.id if isinstance(thing, Contract) else thing.contract_id
    client_id = session.scalar(select(Contract.client_id).where(Contract.id == contract_id))
    record(
        session, f"{machine}.{act}", actor, client_id=client_id, object_id=thing.id, contract=contract_id,
        before=before, after=to, **data,
    )  # fmt: skip
