"""What the school's platform tells beside messages: people become cards, paid orders contracts (day.md §1.12)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from collectors import channel_class
from collectors.base import Raw, Record
from models import Client, Contract, Payment, RawItem, Source, Study
from services.contracts.offers import Order, accept_order
from services.crm.clients import create_client, holder_of
from services.crm.segments import follow_rule
from services.errors import DeskError
from services.events import record
from services.money.arithmetic import read_money
from services.money.payments import add_payment
from services.rights import DESK

PAID = ("принят", "получен", "оплачен", "заверш", "успешн", "payed", "paid", "accepted", "success", "received")
"""How the state of a payment that has come begins."""
MOST_COURSE = 200


def note_records(session: Session, source_id: int, platform: str, records: Sequence[Record]) -> None:
    """Takes what a platform's books say; safe to repeat. One row that is wrong stops no other."""
    if not records:
        return
    source = session.get_one(Source, source_id)
    for one in records:
        try:
            with session.begin_nested():
                _TAKE[one.kind](session, source, one)
        except DeskError as error:
            record(session, "record.refused", DESK, object_id=source_id, code=error.code, row=one.kind)


def _take_person(session: Session, source: Source, one: Record) -> Client | None:
    """The card of a person, made where nobody holds the address or the phone."""
    contacts = [one.fields[name] for name in ("email", "phone") if one.fields.get(name)]
    if not contacts:
        return None
    client = next((found for text in contacts if (found := _holder(session, text)) is not None), None)
    if client is None:
        name = one.fields.get("name") or contacts[0]
        client = create_client(session, DESK, name=name[:200], contact=contacts[0], origin=source.platform)
    if one.kind == "person" and not client.external_id:
        client.external_id = one.external_id
    if one.fields.get("group"):
        _note_course(session, client, one.fields["group"])
    return client


def _holder(session: Session, contact: str) -> Client | None:
    try:
        return holder_of(session, contact)
    except DeskError:
        return None


def _note_course(session: Session, client: Client, title: str) -> None:
    course = " ".join(title.split())[:MOST_COURSE]
    there = select(Study.id).where(
        Study.client_id == client.id, Study.group_name == "", Study.course.in_((course, title[:MOST_COURSE]))
    )
    if session.scalar(there) is None:
        session.add(Study(client_id=client.id, course=course))
        session.flush()
        follow_rule(session, client)


def _take_order(session: Session, source: Source, one: Record) -> None:
    """An order alone makes its buyer known; what is owed and accepted is told by its payment."""
    _take_person(session, source, one)


def _take_payment(session: Session, source: Source, one: Record) -> None:
    """A payment that has come: the order's contract where the offer is named, and the money on it."""
    if not one.fields.get("status", "").strip().lower().startswith(PAID):
        return
    number = one.fields.get("order") or one.fields.get("number") or ""
    order = _order_of(session, source, number)
    client = _take_person(session, source, order or one)
    title = (order or one).fields.get("title", "")
    if client is not None and title:
        _note_course(session, client, title)
    if order is None or not source.settings.get("offer_version") or not source.settings.get("offer_hash"):
        return
    _book(session, order, one, source.settings)


def _order_of(session: Session, source: Source, number: str) -> Record | None:
    """The exported order with this number, still kept as it came."""
    if not number:
        return None
    channel = channel_class(source.platform)
    query = select(RawItem).where(RawItem.source_id == source.id, RawItem.kind == "order")
    for raw in session.scalars(query.order_by(RawItem.id.desc())):
        if not raw.body or number.encode() not in raw.body:
            continue
        found = channel.records(Raw(raw.kind, raw.container, raw.external_id, raw.body))
        if found and number in (found[0].fields.get("number"), found[0].external_id):
            return found[0]
    return None


def _book(session: Session, order: Record, payment: Record, offer: Mapping[str, object]) -> None:
    price, amount = _money(order.fields.get("price")), _money(payment.fields.get("price"))
    number = order.fields.get("number") or order.external_id
    key = f"payment:{payment.external_id}"
    contract = session.scalar(select(Contract).where(Contract.external_id == f"order:{number}"))
    at = payment.at or order.at
    if contract is not None:
        known = session.scalar(select(Payment.id).where(Payment.external_id == key))
        if known is None and amount and at is not None:
            add_payment(
                session,
                DESK,
                contract,
                amount=amount,
                paid_on=at.date(),
                method="card",
                external_id=key,
                receipt="",
            )
        return
    if at is None:
        return
    accept_order(session, _order(order, payment, offer, at, price, min(amount, price)))


def _order(
    order: Record, payment: Record, offer: Mapping[str, object], at: datetime, price: int, paid: int
) -> Order:
    both = {**payment.fields, **order.fields}
    return Order(
        number=order.fields.get("number") or order.external_id, payment_id=payment.external_id,
        name=both.get("name", "") or both.get("email", ""), email=both.get("email", ""),
        phone=both.get("phone", ""), paid_at=at, price=price, paid=paid,
        offer_version=str(offer["offer_version"]), offer_hash=str(offer["offer_hash"]).lower(),
        offer_url=str(offer.get("offer_url") or ""), program={"name": both.get("title", "")},
        external_id=order.external_id,
    )  # fmt: skip


def _money(text: str | None) -> int:
    """Kopecks; «2 900 руб.» and «2900.00 RUB» as well. Nothing readable is nothing."""
    try:
        return read_money(
            "".join(letter for letter in text or "" if letter.isdigit() or letter in ".,").strip(".,")
        )
    except ValueError:
        return 0


_TAKE = {"person": _take_person, "order": _take_order, "payment": _take_payment}
