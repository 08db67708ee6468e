"""Whom a contract waits for is told of it: accounting of what was handed over to it, the head of what is hers."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Contract, Notice, Staff, utc_now
from services.absences import instead, quiet_until, stand_ins
from services.rights import Actor, actor_of
from services.terms import policy_of

TO: dict[str, tuple[str, ...]] = {
    "contract.approval": ("accounting", "head"),
    "contract.calculation": ("accounting", "head"),
    "contract.debt": ("accounting", "head"),
    "contract.settle": ("accounting", "head"),
    "contract.head": ("head",),
    "contract.claim": ("head",),
}
"""Kind of notice → whose it is; the next role only where nobody holds the one before."""


def tell(session: Session, actor: Actor, contract: Contract, kind: str) -> None:
    """One line a person and matter; nobody is told of what they did themselves."""
    hush(session, contract.id, kind)
    now, policy, stand = utc_now(), policy_of(session), stand_ins(session, utc_now())
    staff = {row.id: row for row in session.scalars(select(Staff).where(Staff.active))}
    people = [actor_of(row) for row in staff.values()]
    for staff_id in instead(stand, _of_first_role(people, TO[kind])):
        if staff_id != actor.staff_id:
            session.add(
                Notice(
                    staff_id=staff_id, kind=kind, contract_id=contract.id,
                    show_at=quiet_until(staff.get(staff_id), policy, now), created_at=now,
                )
            )  # fmt: skip


def hush(session: Session, contract_id: int, *kinds: str) -> None:
    """It was done: whoever has not looked yet need not."""
    session.execute(
        update(Notice)
        .where(Notice.contract_id == contract_id, Notice.kind.in_(kinds), Notice.seen_at.is_(None))
        .values(seen_at=utc_now())
    )


def _of_first_role(people: Sequence[Actor], roles: Sequence[str]) -> list[int]:
    for role in roles:
        found = [one.staff_id for one in people if role in one.roles and one.staff_id is not None]
        if found:
            return sorted(found)
    return []
