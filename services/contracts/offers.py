"""A paid order is an accepted offer, in force by itself, with what proves it (day.md §1.12)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contract
from services.contracts.acts import freeze, start_if_due, take_number
from services.contracts.text import party_of_card
from services.crm.clients import create_client, holder_of
from services.documents.templates import template_for
from services.errors import Refused
from services.events import record
from services.money.arithmetic import read_money
from services.money.payments import add_payment
from services.money.schedules import put_schedule
from services.rights import DESK

MOSCOW = ZoneInfo("Europe/Moscow")


@dataclass(frozen=True, slots=True)
class Order:
    """A paid order as the shop tells of it. Sums in kopecks; ``paid_at`` aware; ``offer_hash`` SHA-256 of the offer
    that was accepted, ``program`` its words by the names of templates."""

    number: str
    payment_id: str
    name: str
    email: str
    paid_at: datetime
    price: int
    paid: int
    offer_version: str
    offer_hash: str
    offer_url: str = ""
    phone: str = ""
    address: str = ""  # of the network
    consents: str = ""
    program: Mapping[str, str] | None = None
    external_id: str | None = None


def accept_order(session: Session, order: Order) -> Contract:
    """The contract of a paid order; the same order twice is one contract. Nobody approves it: text, price and terms
    are those of the offer.

    Raises Refused(«order.incomplete») without what proves the acceptance.
    """
    _check(order)
    key = f"order:{order.number}"
    there = session.scalar(select(Contract).where(Contract.external_id == key))
    if there is not None:
        return there
    client = (holder_of(session, order.email) or (holder_of(session, order.phone) if order.phone else None)) or (
        create_client(session, DESK, name=order.name, contact=order.email, origin="order")
    )
    day = order.paid_at.astimezone(MOSCOW).date()
    contract = Contract(
        kind="offer", state="draft", version=1, client_id=client.id, dated=day, effective_on=day, price=order.price,
        external_id=key, parties={"client": party_of_card(session, client.id)}, terms=_terms(order),
        template_id=_template(session, day),
    )  # fmt: skip
    session.add(contract)
    session.flush()
    put_schedule(session, contract, [(day, order.price)])
    take_number(session, contract)
    freeze(session, DESK, contract, "acceptance", day, _evidence(order), "accept")
    start_if_due(session, contract, day)
    if order.paid:
        add_payment(
            session, DESK, contract, amount=order.paid, paid_on=day, method="card",
            external_id=f"payment:{order.payment_id}", receipt="",
        )  # fmt: skip
    record(session, "order.accepted", DESK, client_id=client.id, object_id=contract.id)
    return contract


def _check(order: Order) -> None:
    proof = (order.number, order.payment_id, order.email, order.offer_version, order.offer_hash, order.name)
    if not all(part.strip() for part in proof) or order.price <= 0 or not 0 <= order.paid <= order.price:
        raise Refused("order.incomplete")
    if order.paid_at.tzinfo is None:
        raise Refused("date.invalid")


def _template(session: Session, day: date) -> int | None:
    try:
        return template_for(session, "acceptance", day).id
    except Refused:
        return None


def _terms(order: Order) -> dict[str, Any]:
    said = {
        "offer_url": order.offer_url, "offer_version": order.offer_version, "offer_hash": order.offer_hash,
        "accept_at": order.paid_at.astimezone(MOSCOW).strftime("%d.%m.%Y %H:%M"), "accept_ip": order.address,
        "accept_payment": order.payment_id, "accept_email": order.email, "accept_phone": order.phone,
        "consents": order.consents, "pay_order": "единовременно, при заключении договора",
    }  # fmt: skip
    return {
        "program": dict(order.program or {}),
        "contract": {name: value for name, value in said.items() if value},
    }


def _evidence(order: Order) -> dict[str, Any]:
    return {
        "order": order.number, "payment": order.payment_id, "at": order.paid_at.astimezone(UTC).isoformat(),
        "address": order.address, "offer": order.offer_hash, "paid": order.paid,
    }  # fmt: skip


ORDER_COLUMNS = (
    "number", "payment_id", "name", "email", "phone", "paid_at", "price", "paid", "offer_version", "offer_hash",
    "offer_url", "address", "consents", "program",
)  # fmt: skip
"""The columns of a file of paid orders, by which the door for imports reads it."""


def read_order(row: Mapping[str, str]) -> Order:
    """One line of such a file; sums in roubles with up to two places. Raises Refused(«order.incomplete»)."""
    try:
        at = datetime.fromisoformat(row["paid_at"].strip())
        return Order(
            number=row["number"].strip(), payment_id=row["payment_id"].strip(), name=row["name"].strip(),
            email=row["email"].strip(), phone=row.get("phone", "").strip(),
            paid_at=at if at.tzinfo else at.replace(tzinfo=MOSCOW), price=read_money(row["price"]),
            paid=read_money(row["paid"]), offer_version=row["offer_version"].strip(),
            offer_hash=row["offer_hash"].strip(), offer_url=row.get("offer_url", "").strip(),
            address=row.get("address", "").strip(), consents=row.get("consents", "").strip(),
            program={"name": row.get("program", "").strip()},
        )  # fmt: skip
    except (KeyError, ValueError):
        raise Refused("order.incomplete") from None
