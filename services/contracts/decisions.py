"""Decisions with ground, author and figures as they stood (clauses 8.4.2, 8.4.3): written once, never changed."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Client, Contract, Decision, Staff
from services.errors import Refused
from services.events import record
from services.money.payments import balance_of
from services.once import add_once
from services.rights import Actor, require

KINDS = ("refusal", "refund", "termination", "discount", "claim_answer")
PAGE = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the register."""

    decision: Decision
    contract: Contract | None
    client: Client | None
    author: Staff | None


def list_decisions(session: Session, actor: Actor, *, kind: str = "", before: int | None = None) -> list[Listed]:
    """The register, the newest first, a page at a time."""
    require(actor, "decision.view")
    query = (
        select(Decision, Contract, Client, Staff)
        .outerjoin(Contract, Contract.id == Decision.contract_id)
        .outerjoin(Client, Client.id == Decision.client_id)
        .outerjoin(Staff, Staff.id == Decision.author_id)
        .order_by(Decision.id.desc())
        .limit(PAGE)
    )
    if kind:
        query = query.where(Decision.kind == kind)
    if before is not None:
        query = query.where(Decision.id < before)
    return [Listed(*row) for row in session.execute(query)]


def decisions_of(session: Session, contract_id: int) -> list[Decision]:
    query = select(Decision).where(Decision.contract_id == contract_id)
    return list(session.scalars(query.order_by(Decision.id)))


def decisions_of_case(session: Session, actor: Actor, case_id: int) -> list[Listed]:
    """What was decided on a case, oldest first; nothing for whoever may not see decisions."""
    if not actor.may("decision.view"):
        return []
    query = (
        select(Decision, Contract, Client, Staff)
        .outerjoin(Contract, Contract.id == Decision.contract_id)
        .outerjoin(Client, Client.id == Decision.client_id)
        .outerjoin(Staff, Staff.id == Decision.author_id)
        .where(Decision.case_id == case_id)
    )
    return [Listed(*row) for row in session.execute(query.order_by(Decision.id))]


def decide(
    session: Session,
    actor: Actor,
    contract: Contract,
    *,
    kind: str,
    ground: str,
    norm: str,
    outcome: str,
    today: date,
    case_id: int | None = None,
    figures: dict[str, Any] | None = None,
    form_key: str | None = None,
) -> Decision:
    """Writes a decision down with the sums of the contract as they stand; the same ``form_key`` twice is one.

    Raises Refused(«decision.ground») without a ground, and for a refusal also without the norm (clause 8.4.2).
    """
    require(actor, "contract.edit")
    if kind == "claim_answer":
        require(actor, "claim.answer")
    if kind not in KINDS:
        raise Refused("decision.kind", word=kind)
    if not ground.strip() or not outcome.strip() or (kind == "refusal" and not norm.strip()):
        raise Refused("decision.ground")
    balance = balance_of(session, contract, today)
    seen = {
        "price": contract.price, "discount": contract.discount, "paid": balance.paid, "owed": balance.owed,
        "overdue": balance.overdue, "refunded": balance.refunded, "state": contract.state,
        "revision": contract.revision, "on": today.isoformat(),
    }  # fmt: skip
    row = Decision(
        kind=kind, contract_id=contract.id, client_id=contract.client_id, case_id=case_id, ground=ground.strip(),
        norm=norm.strip(), outcome=outcome.strip(), figures=seen | (figures or {}), author_id=actor.staff_id,
        form_key=form_key or None,
    )  # fmt: skip
    known = add_once(session, row)
    if known is not row:
        return known
    record(
        session, "decision.taken", actor, client_id=contract.client_id, case_id=case_id, object_id=row.id,
        contract=contract.id, sort=kind,
    )  # fmt: skip
    return row
