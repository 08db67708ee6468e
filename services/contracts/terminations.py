"""Terminations: from the client's word or the school's ground, through the calculation, to money and order."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Contract, Document, Obligation, Termination
from services.contracts import approval
from services.contracts.amendments import drop_amendment
from services.contracts.closing import ask_to_close, is_access_open, order_is_out
from services.contracts.decisions import decide
from services.contracts.drafts import get_contract
from services.contracts.machines import move
from services.contracts.telling import hush, tell
from services.contracts.text import hash_of
from services.errors import NotFound, Refused, Stale
from services.events import record
from services.money.arithmetic import DEDUCTS, Refund, refund_of
from services.money.obligations import CERTIFICATE_DAYS, add_obligation, lift_all
from services.money.payments import add_payment, balance_of
from services.rights import DESK, Actor, require

GROUNDS = ("agreement", "consumer", "defect", "late", "school", "court", "gone")
"""agreement of both · the consumer's refusal (art. 32) · defect (art. 29) · missed term (art. 28) · the school
(unpaid, impossible, expelled) · a court · death or liquidation"""
NORMS: Mapping[str, str] = {
    "agreement": "ГК РФ, ст. 450", "consumer": "ЗоЗПП, ст. 32; ГК РФ, ст. 782", "defect": "ЗоЗПП, ст. 29",
    "late": "ЗоЗПП, ст. 28", "school": "273-ФЗ, ст. 54, 61; ГК РФ, ст. 450.1", "court": "решение суда",
    "gone": "ГК РФ, ст. 418, 419",
}  # fmt: skip
ANSWER_DAYS = 10
"""Law names no term for article 32; ten days, as articles 22 and 31 have them."""
OPEN_STATES = ("signed", "force", "paused")


def get_termination(session: Session, actor: Actor, termination_id: int, *, hold: bool = False) -> Termination:
    require(actor, "contract.view")
    row = session.get(Termination, termination_id, with_for_update=hold)
    if row is None:
        raise NotFound("termination.unknown", id=termination_id)
    return row


def terminations_of(session: Session, contract_id: int) -> list[Termination]:
    query = select(Termination).where(Termination.contract_id == contract_id)
    return list(session.scalars(query.order_by(Termination.id)))


def active_termination(session: Session, contract_id: int) -> Termination | None:
    return session.scalar(select(Termination).where(Termination.active_key == contract_id))


def open_termination(
    session: Session,
    actor: Actor,
    contract_id: int,
    *,
    ground: str,
    received_on: date,
    initiator: str = "client",
    case_id: int | None = None,
    facts: str = "",
) -> Termination:
    """Written down on the day it came; raises Refused(«termination.active») while another is under way."""
    require(actor, "contract.edit")
    contract = get_contract(session, actor, contract_id, hold=True)
    if contract.state not in OPEN_STATES:
        raise Refused("amendment.closed", state=contract.state)
    if ground not in GROUNDS or initiator not in ("client", "school", "court"):
        raise Refused("termination.ground", word=ground)
    row = Termination(
        contract_id=contract.id, active_key=contract.id, ground=ground, initiator=initiator,
        received_on=received_on, answer_due=received_on + timedelta(days=ANSWER_DAYS), case_id=case_id,
        facts=facts.strip(),
        author_id=actor.staff_id, paper="notice" if initiator == "school" else "agreement", state="received",
        version=1,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise Refused("termination.active") from None
    record(
        session, "termination.opened", actor, client_id=contract.client_id, case_id=case_id, object_id=row.id,
        contract=contract.id, ground=ground,
    )  # fmt: skip
    return row


def start_calculation(session: Session, actor: Actor, termination_id: int) -> Termination:
    require(actor, "contract.edit")
    row = get_termination(session, actor, termination_id, hold=True)
    move(session, actor, row, "calculate")
    tell(session, actor, get_contract(session, actor, row.contract_id), "contract.calculation")
    return row


def reckon(session: Session, row: Termination, today: date) -> Refund:
    """The refund as the sums stand now."""
    contract = session.get_one(Contract, row.contract_id)
    balance = balance_of(session, contract, today)
    return refund_of(
        row.ground, price=contract.price, paid=balance.paid, delivered=row.delivered,
        expenses=[expense["sum"] for expense in row.expenses],
    )  # fmt: skip


def save_calculation(
    session: Session,
    actor: Actor,
    termination_id: int,
    version: int,
    *,
    today: date,
    facts: str,
    delivered: int,
    expenses: Sequence[Mapping[str, Any]],
    effective_on: date,
    refund_due: date | None = None,
    no_refund_ground: str = "",
) -> Termination:
    """Accounting's figures; raises Refused(«termination.document») for an expense without its document."""
    require(actor, "contract.approve")
    row = get_termination(session, actor, termination_id, hold=True)
    if row.version != version:
        raise Stale("contract.stale", id=row.contract_id)
    if row.state != "calculation":
        raise Refused("state.closed", state=row.state, step="calculate")
    clean = []
    for expense in expenses:
        name, document, amount = str(expense["name"]).strip(), str(expense["document"]).strip(), int(expense["sum"])
        if not name or not document or amount <= 0:
            raise Refused("termination.document")
        clean.append({"name": name, "document": document, "sum": amount})
    if delivered < 0 or effective_on < row.received_on:
        raise Refused("termination.figures")
    row.facts, row.delivered, row.expenses = facts.strip(), delivered, clean
    row.effective_on, row.no_refund_ground = effective_on, no_refund_ground.strip()
    row.refund_due = refund_due or row.answer_due
    refund = reckon(session, row, today)
    row.refund = refund.due
    row.figures = {name: getattr(refund, name) for name in Refund.__slots__} | {"on": today.isoformat()}
    row.version += 1
    record(session, "termination.reckoned", actor, object_id=row.id, contract=row.contract_id, refund=row.refund)
    return row


def digest_of(row: Termination) -> str:
    return hash_of(
        {"ground": row.ground, "refund": row.refund, "delivered": row.delivered, "expenses": row.expenses,
         "on": row.effective_on.isoformat() if row.effective_on else None, "facts": row.facts}
    )  # fmt: skip


def submit_calculation(session: Session, actor: Actor, termination_id: int, *, today: date) -> Termination:
    """To the head; raises Refused when the figures are no longer those of the money."""
    require(actor, "contract.approve")
    row = get_termination(session, actor, termination_id, hold=True)
    if not row.figures or not row.facts:
        raise Refused("termination.figures")
    if reckon(session, row, today).due != row.refund:
        raise Refused("termination.changed")
    if row.refund == 0 and row.figures["paid"] > 0 and not row.no_refund_ground:
        raise Refused("termination.no_refund")
    row.text_hash = digest_of(row)
    move(session, actor, row, "submit")
    approval.ask(session, actor, "termination", row.id, row.text_hash)
    hush(session, row.contract_id, "contract.calculation")
    tell(session, actor, get_contract(session, actor, row.contract_id), "contract.head")
    return row


def agree(
    session: Session, actor: Actor, termination_id: int, *, agreed: bool, remark: str = "", today: date
) -> Termination:
    """The head's word, kept as a decision with the figures as they stood."""
    row = get_termination(session, actor, termination_id, hold=True)
    contract = get_contract(session, actor, row.contract_id)
    move(session, actor, row, "agree" if agreed else "return")
    approval.decide(session, actor, "termination", row.id, digest_of(row), agreed=agreed, remark=remark)
    hush(session, row.contract_id, "contract.head")
    if not agreed:
        tell(session, actor, contract, "contract.calculation")
    else:
        outcome = "Вернуть" if row.refund else "Возврата нет"
        kind = "refund" if row.refund else ("refusal" if row.figures["paid"] else "termination")
        decide(
            session, actor, contract, kind=kind, ground=row.no_refund_ground or row.facts, norm=NORMS[row.ground],
            outcome=outcome, today=today, case_id=row.case_id, figures={**row.figures, "refund": row.refund},
        )  # fmt: skip
    return row


def send_termination(
    session: Session, actor: Actor, termination_id: int, *, confirmed: bool = False
) -> Termination:
    """Agreement or notice to the client. On the school's own ground a demand must have been made before, or the
    head confirms (R-05)."""
    require(actor, "contract.edit")
    row = get_termination(session, actor, termination_id, hold=True)
    agreed = approval.standing(session, "termination", row.id)
    if agreed is None or agreed.hash != digest_of(row):
        raise Refused("approval.changed")
    if row.initiator == "school" and not _has_demand(session, row) and not (confirmed and "head" in actor.roles):
        raise Refused("termination.demand")
    move(session, actor, row, "send")
    return row


def _has_demand(session: Session, row: Termination) -> bool:
    query = select(Document.id).where(
        Document.contract_id == row.contract_id, Document.kind == "demand", Document.state == "made"
    )
    return session.scalar(query.limit(1)) is not None


def close_paper(session: Session, actor: Actor, termination_id: int, act: str, *, proof: str) -> Termination:
    """sign · deliver: with what proves it. From now on the contract is terminated."""
    require(actor, "contract.edit")
    row = get_termination(session, actor, termination_id, hold=True)
    if act not in ("sign", "deliver") or (act == "deliver") != (row.paper == "notice"):
        raise Refused("termination.paper", step=act)
    if not proof.strip():
        raise Refused("text.empty")
    row.proof = {"what": proof.strip()}
    move(session, actor, row, act)
    contract = get_contract(session, actor, row.contract_id, hold=True)
    move(session, DESK, contract, "terminate", termination=row.id)
    drop_amendment(session, contract.id)
    lift_all(session, contract)
    tell(session, actor, contract, "contract.settle")
    return row


def settle(session: Session, actor: Actor, termination_id: int) -> Termination:
    """A refund is assigned, or there is none with its ground; the order and the access become tasks."""
    require(actor, "contract.approve")
    row = get_termination(session, actor, termination_id, hold=True)
    contract = get_contract(session, actor, row.contract_id)
    if row.refund > 0:
        move(session, actor, row, "assign_refund", amount=row.refund)
        add_obligation(
            session, actor, contract, key=f"refund.{row.id}", side="school", subject="refund",
            due_on=row.refund_due or row.received_on + timedelta(days=ANSWER_DAYS),
        )  # fmt: skip
    else:
        move(session, actor, row, "no_refund")
    hush(session, contract.id, "contract.settle")
    ask_to_close(session, row, contract)
    return row


def pay_back(session: Session, actor: Actor, termination_id: int, *, paid_on: date, receipt: str) -> Termination:
    """The money went: a payment of its own, with its receipt."""
    require(actor, "payment.edit")
    row = get_termination(session, actor, termination_id, hold=True)
    contract = get_contract(session, actor, row.contract_id)
    move(session, actor, row, "refund")
    add_payment(
        session, actor, contract, amount=row.refund, paid_on=paid_on, receipt=receipt, is_refund=True,
        external_id=f"termination:{row.id}",
    )  # fmt: skip
    _done(session, contract.id, f"refund.{row.id}", paid_on)
    return row


def _done(session: Session, contract_id: int, key: str, day: date) -> None:
    query = select(Obligation).where(Obligation.contract_id == contract_id, Obligation.key == key)
    for one in session.scalars(query):
        one.state, one.done_on = "done_late" if day > one.due_on else "done", day


def finish(session: Session, actor: Actor, termination_id: int, act: str, *, today: date) -> Termination:
    """order: the order of expulsion is out, the certificate of study is due in three days · finish · withdraw

    Raises Refused(«termination.access») for «finish» while nobody has closed the access.
    """
    require(actor, "contract.edit")
    row = get_termination(session, actor, termination_id, hold=True)
    if act not in ("order", "finish", "withdraw"):
        raise Refused("state.closed", step=act)
    if act == "finish" and is_access_open(session, row):
        raise Refused("termination.access")
    contract = get_contract(session, actor, row.contract_id)
    move(session, actor, row, act)
    if act == "order" and contract.kind != "consulting":
        add_obligation(
            session, actor, contract, key=f"certificate.{row.id}", side="school", subject="certificate",
            due_on=today + timedelta(days=CERTIFICATE_DAYS),
        )  # fmt: skip
    if act == "order":
        order_is_out(session, actor, row)
    if act == "withdraw":
        approval.void(session, "termination", row.id)
        hush(session, contract.id, "contract.calculation", "contract.head")
    return row


assert set(GROUNDS) == set(DEDUCTS)
