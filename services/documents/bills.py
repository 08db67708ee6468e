"""The sums that a document shows: what is owed, billed, rendered, turned over."""

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contract, ServiceRecord
from services.documents.rendering import Values
from services.errors import Refused
from services.money.payments import payments_of
from services.money.schedules import schedule_of


def put(session: Session, contract: Contract, kind: str, dated: date, values: Values) -> None:
    """Adds to ``values`` what this kind of document reckons."""
    maker = _MAKERS.get(kind)
    if maker is not None:
        values["pay"] |= maker(session, contract, dated, values)


def _line(contract: Contract, values: Values, amount: int) -> dict[str, Any]:
    name = values["program"].get("name") or values["program"].get("services") or "Услуги"
    vat = values["org"].get("vat_mode", "")
    what = f"Услуги по договору № {contract.number}: {name}"
    return {"name": what, "qty": "1", "price": amount, "vat": vat or "—", "sum": amount}


def _invoice(session: Session, contract: Contract, dated: date, values: Values) -> dict[str, Any]:
    """The next line that is not wholly paid."""
    owed = next((row for row in schedule_of(session, contract.id) if row.paid < row.amount), None)
    if owed is None:
        raise Refused("document.nothing")
    amount = owed.amount - owed.paid
    org = values["org"]
    roubles = f"{amount // 100}{amount % 100:02d}"
    # The line that a bank's program reads from the code (ГОСТ Р 56042): sums in kopecks.
    qr = (
        f"ST00012|Name={org.get('name_full', '')}|PersonalAcc={org.get('acc', '')}"
        f"|BankName={org.get('bank_name', '')}"
        f"|BIC={org.get('bik', '')}|CorrespAcc={org.get('corr', '')}|PayeeINN={org.get('inn', '')}|Sum={roubles}"
    )
    return {"lines": [_line(contract, values, amount)], "total": amount, "qr": qr}


def _act(session: Session, contract: Contract, dated: date, values: Values) -> dict[str, Any]:
    """What the register of rendered services says of the period; the sums are equal by being the same."""
    period = str(values["pay"].get("period", ""))
    row = session.scalar(
        select(ServiceRecord).where(ServiceRecord.contract_id == contract.id, ServiceRecord.period == period)
    )
    if row is None:
        raise Refused("document.no_record", what=period)
    return {"lines": [_line(contract, values, row.amount)], "total": row.amount}


def _demand(session: Session, contract: Contract, dated: date, values: Values) -> dict[str, Any]:
    late = [row for row in schedule_of(session, contract.id) if row.due_on < dated and row.paid < row.amount]
    if not late:
        raise Refused("document.nothing")
    rows = [
        {"no": str(row.no), "date": row.due_on.isoformat(), "amount": row.amount - row.paid,
         "days": str((dated - row.due_on).days)}
        for row in late
    ]  # fmt: skip
    org = values["org"]
    details = f"ИНН {org.get('inn', '')}, р/с {org.get('acc', '')}, БИК {org.get('bik', '')}"
    return {"overdue": rows, "debt": sum(row.amount - row.paid for row in late), "details": details}


def _reconciliation(session: Session, contract: Contract, dated: date, values: Values) -> dict[str, Any]:
    start, end = (date.fromisoformat(str(values["pay"].get(name) or dated)) for name in ("from", "to"))
    rows: list[dict[str, Any]] = []
    before = 0  # what stood between the sides when the period began
    records = select(ServiceRecord).where(ServiceRecord.contract_id == contract.id).order_by(ServiceRecord.period)
    for one in session.scalars(records):
        day = date.fromisoformat(f"{one.period}-01")
        if start.replace(day=1) <= day <= end:
            rows.append(
                {"date": day.isoformat(), "what": f"Услуги за {one.period}", "debit": one.amount, "credit": 0}
            )
        elif day < start:
            before += one.amount
    for pay in payments_of(session, contract.id):
        amount = -pay.amount if pay.is_refund else pay.amount
        if pay.paid_on < start:
            before -= amount
        if start <= pay.paid_on <= end:
            what = "Возврат" if pay.is_refund else "Оплата"
            rows.append({"date": pay.paid_on.isoformat(), "what": what, "debit": 0, "credit": amount})
    rows.sort(key=lambda row: str(row["date"]))
    if before:
        opening = {"debit": max(0, before), "credit": max(0, -before)}
        rows.insert(0, {"date": start.isoformat(), "what": "Сальдо на начало", **opening})
    balance = sum(row["debit"] - row["credit"] for row in rows)
    return {"turnover": rows, "balance": balance}


def _year(session: Session, contract: Contract, dated: date, values: Values) -> dict[str, Any]:
    """Payments less refunds of the tax year."""
    year = str(values["doc"].get("year", ""))
    total = sum(
        -row.amount if row.is_refund else row.amount
        for row in payments_of(session, contract.id)
        if str(row.paid_on.year) == year
    )
    if total <= 0:
        raise Refused("document.nothing")
    return {"year_sum": total}


_MAKERS = {
    "invoice": _invoice, "act": _act, "demand": _demand, "reconciliation": _reconciliation,
    "payment_certificate": _year,
}  # fmt: skip
