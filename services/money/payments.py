"""Payments and refunds of a contract, laid upon its schedule to the kopeck, anew after each change."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Allocation, Contract, Instalment, Payment
from services.errors import Refused, Stale
from services.events import record
from services.money.arithmetic import Line, lay, net_payments
from services.money.obligations import follow_payments
from services.money.schedules import schedule_of
from services.rights import Actor, require

METHODS = ("card", "transfer", "cash", "operator", "bank")
MOST = 10**13
BILLABLE = ("signed", "force", "paused", "fulfilled", "terminated")


@dataclass(frozen=True, slots=True)
class Balance:
    """``paid`` is what came less what went back; ``over`` what no line takes; ``owed`` what the schedule still
    wants, ``overdue`` of it what was due before today."""

    price: int
    paid: int
    refunded: int
    owed: int
    overdue: int
    over: int


def payments_of(session: Session, contract_id: int) -> list[Payment]:
    """In the order in which they came."""
    query = select(Payment).where(Payment.contract_id == contract_id)
    return list(session.scalars(query.order_by(Payment.paid_on, Payment.id)))


def balance_of(session: Session, contract: Contract, today: date) -> Balance:
    rows = payments_of(session, contract.id)
    came = sum(row.amount for row in rows if not row.is_refund)
    back = sum(row.amount for row in rows if row.is_refund)
    lines = schedule_of(session, contract.id)
    laid = sum(line.paid for line in lines)
    owed = sum(line.amount - line.paid for line in lines)
    overdue = sum(line.amount - line.paid for line in lines if line.due_on < today)
    return Balance(contract.price, came - back, back, owed, overdue, came - back - laid)


def add_payment(
    session: Session,
    actor: Actor,
    contract: Contract,
    *,
    amount: int,
    paid_on: date,
    method: str = "transfer",
    receipt: str = "",
    external_id: str | None = None,
    is_refund: bool = False,
    payer_id: int | None = None,
    seen: int | None = None,
) -> Payment:
    """Books money; raises Refused(«payment.twice») for an ``external_id`` or a receipt that is booked,
    «payment.refund» for more back than came. ``seen``: how many payments the page showed; Stale(«payment.stale»)
    where somebody has booked one since: it may be the same money."""
    require(actor, "payment.edit")
    if not 0 < amount <= MOST:
        raise Refused("payment.amount")
    if method not in METHODS:
        raise Refused("payment.method", word=method)
    session.get_one(
        Contract, contract.id, with_for_update=True
    )  # two payments at once are laid one after the other
    rows = payments_of(session, contract.id)
    if external_id and any(row.external_id == external_id for row in rows):
        raise Refused("payment.twice", word=external_id)
    if _is_booked(rows, amount, paid_on, receipt.strip(), is_refund):
        raise Refused("payment.twice", word=receipt.strip())
    if seen is not None and seen != len(rows):
        raise Stale("payment.stale")
    standing = sum(-row.amount if row.is_refund else row.amount for row in rows)
    if is_refund and amount > standing:
        raise Refused("payment.refund", most=standing)
    payment = Payment(
        contract_id=contract.id, amount=amount, paid_on=paid_on, method=method, receipt=receipt.strip(),
        external_id=external_id, is_refund=is_refund, payer_id=payer_id or contract.payer_id or contract.client_id,
        staff_id=actor.staff_id,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(payment)
    except IntegrityError:
        raise Refused("payment.twice", word=external_id) from None
    allocate(session, contract.id)
    follow_payments(session, contract.id, paid_on)
    record(
        session, "payment.refunded" if is_refund else "payment.booked", actor, client_id=contract.client_id,
        object_id=payment.id, contract=contract.id, amount=amount,
    )  # fmt: skip
    return payment


def _is_booked(rows: list[Payment], amount: int, day: date, receipt: str, is_refund: bool) -> bool:
    """One receipt is one payment, whoever of two books it second."""
    if not receipt:
        return False
    same = (amount, day, receipt, is_refund)
    return any((row.amount, row.paid_on, row.receipt, row.is_refund) == same for row in rows)


def allocate(session: Session, contract_id: int) -> None:
    """Lays all payments on the schedule in force, the earliest on the earliest; sums are whole kopecks."""
    session.flush()
    lines = schedule_of(session, contract_id)
    rows = payments_of(session, contract_id)
    came = [Line(row.id, row.amount) for row in rows if not row.is_refund]
    refunded = sum(row.amount for row in rows if row.is_refund)
    of_contract = select(Payment.id).where(Payment.contract_id == contract_id)
    session.execute(delete(Allocation).where(Allocation.payment_id.in_(of_contract)))
    laid, _left = lay([Line(line.id, line.amount) for line in lines], net_payments(came, refunded))
    paid: dict[int, int] = {}
    for payment_id, line_id, amount in laid:
        session.add(Allocation(payment_id=payment_id, instalment_id=line_id, amount=amount))
        paid[line_id] = paid.get(line_id, 0) + amount
    for line in lines:
        line.paid = paid.get(line.id, 0)
        if line.paid == line.amount:
            line.stage = "paid"
        elif line.stage == "paid":
            line.stage = "ahead"
    session.flush()


def lines_of(session: Session, contract_id: int) -> dict[int, list[Allocation]]:
    """Line → what was laid on it."""
    found: dict[int, list[Allocation]] = {}
    query = select(Allocation).join(Instalment).where(Instalment.contract_id == contract_id)
    for row in session.scalars(query.order_by(Allocation.id)):
        found.setdefault(row.instalment_id, []).append(row)
    return found
