"""Money: payments of a contract, what is overdue, what is owed, the register of rendered services."""

from flask import render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from models import Contract
from services.contracts.decisions import PAGE, list_decisions
from services.contracts.drafts import get_contract
from services.contracts.restructuring import restructure
from services.documents.issuing import DEMAND, may_make
from services.errors import NotFound, Refused
from services.money.obligations import finish_obligation, overdue
from services.money.payments import add_payment
from services.money.receivables import MOVES, by_age, debts, step_debt
from services.money.rendered import accept_month, lines_of_month, months, put_record
from web.contracts.forms import field, screen, to_contract, typed_day, typed_money
from web.dates import today
from web.forms import go
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.toasts import tell


@screen.get("/money")
def money() -> str:
    with current_desk().database.read.begin() as session:
        rows = debts(session, current_actor(), today())
        late = overdue(session, current_actor(), today(), payments=False)
        done = months(session, current_actor())
        can_demand = may_make(session, current_actor(), DEMAND)
    handed = [row for row in rows if row.line.stage == "accounting"]
    return render_template(
        "contracts/money.html", debts=[row for row in rows if row not in handed], handed=handed, ages=by_age(rows),
        overdue=late, months=done, moves=MOVES, today=today(), can_demand=can_demand,
    )  # fmt: skip


@screen.post("/<int:contract_id>/payments")
def pay(contract_id: int) -> Response:
    amount = typed_money("amount")
    if not amount:
        raise Refused("payment.amount")
    with current_desk().database.write.begin() as session:
        contract = get_contract(session, current_actor(), contract_id)
        add_payment(
            session, current_actor(), contract, amount=amount, paid_on=typed_day("paid_on") or today(),
            method=field("method"), receipt=field("receipt"), is_refund=bool(field("is_refund")),
            external_id=f"form:{field('form_key')[:80]}" if field("form_key") else None,
            seen=request.form.get("seen", type=whole),
        )  # fmt: skip
    rang()
    tell(_("Payment booked"))
    return to_contract(contract_id, "money")


@screen.post("/debts/<int:instalment_id>/<act>")
def debt(instalment_id: int, act: str) -> Response:
    with current_desk().database.write.begin() as session:
        if act == "restructure":
            row = restructure(session, current_actor(), instalment_id, today=today())
            place = url_for("contracts.amendment", amendment_id=row.id)
        else:
            promised_on = typed_day("promised_on")
            step_debt(session, current_actor(), instalment_id, act, promised_on=promised_on, today=today())
            place = url_for("contracts.money")
    rang()
    return go(place)


@screen.post("/obligations/<int:obligation_id>")
def obligation(obligation_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        row = finish_obligation(
            session, current_actor(), obligation_id, today=today(), evidence=field("evidence"),
            lift=bool(field("lift")),
        )  # fmt: skip
    rang()
    return to_contract(row.contract_id, "obligations")


@screen.get("/services/<period>")
def month(period: str) -> str:
    with current_desk().database.read.begin() as session:
        rows = lines_of_month(session, current_actor(), period)
    return render_template("contracts/month.html", period=period, rows=rows)


@screen.post("/services")
def add_line() -> Response:
    amount = typed_money("amount")
    with current_desk().database.write.begin() as session:
        contract = session.scalar(select(Contract).where(Contract.number == field("number")))
        if contract is None:
            raise NotFound("contract.unknown")
        put_record(
            session, current_actor(), contract, period=field("period"), volume=field("volume"), amount=amount or 0
        )
    rang()
    return go(url_for("contracts.month", period=field("period")))


@screen.post("/services/<period>/accept")
def accept(period: str) -> Response:
    with current_desk().database.write.begin() as session:
        accept_month(session, current_actor(), period)
    rang()
    tell(_("The month is locked"))
    return go(url_for("contracts.month", period=period))


@screen.get("/decisions")
def decisions() -> str:
    before = request.args.get("before", type=whole)
    kind = request.args.get("kind", "")
    with current_desk().database.read.begin() as session:
        rows = list_decisions(session, current_actor(), kind=kind, before=before)
    more = rows[-1].decision.id if len(rows) == PAGE else None
    return render_template("contracts/decisions.html", rows=rows, kind=kind, more=more)
