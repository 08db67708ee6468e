"""Amendments and terminations: their forms and their steps."""

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from services.contracts import amendments, terminations
from services.contracts.drafts import get_contract
from services.contracts.text import values_of
from services.contracts.wishes import wish_of
from services.errors import DeskError, Refused
from services.money.payments import balance_of
from services.money.schedules import schedule_of
from web.contracts.drafts import SECTIONS, shown_fields
from web.contracts.forms import (
    field,
    read_sum,
    screen,
    to_contract,
    typed_day,
    typed_fields,
    typed_money,
    typed_schedule,
    typed_version,
    unless_stale,
)
from web.dates import today
from web.forms import go
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk, may, rang
from web.toasts import tell
from web.words import explain, status_of


def _to(contract_id: int, place: str) -> Response:
    rang()
    return to_contract(contract_id, place)


@screen.post("/<int:contract_id>/amendments")
def amend(contract_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        row = amendments.open_amendment(
            session, current_actor(), contract_id, dated=today(), case_id=request.form.get("case_id", type=whole)
        )
    rang()
    return go(url_for("contracts.amendment", amendment_id=row.id))


@screen.get("/amendments/<int:amendment_id>")
def amendment(amendment_id: int) -> str:
    return _amendment(amendment_id)


def _amendment(amendment_id: int, problem: str | None = None) -> str:
    desk = current_desk()
    with desk.database.read.begin() as session:
        row = amendments.get_amendment(session, current_actor(), amendment_id)
        contract = get_contract(session, current_actor(), row.contract_id)
        values = values_of(session, contract, desk.keyring)
        lines = schedule_of(session, contract.id)
        changed = {
            change["field"]: amendments.opened(change, desk.keyring)[1] for change in row.changes
            if not change.get("sealed") or may("client.sensitive")
        }  # fmt: skip
    known = shown_fields(values)
    sections = {group: names.split() for group, names in SECTIONS[contract.kind].items()}
    proposed = next((change["new"] for change in row.changes if change["field"] == "price"), contract.price)
    shown = row.schedule or [[line.due_on.isoformat(), line.amount] for line in lines]
    return render_template(
        "contracts/amendment.html", row=row, contract=contract, known={**known, **changed}, price=proposed,
        schedule=[(date.fromisoformat(due), amount) for due, amount in shown], sections=sections, problem=problem,
        sent=request.form,
    )  # fmt: skip


@screen.post("/amendments/<int:amendment_id>")
def save_amendment(amendment_id: int) -> Response | tuple[str, int]:
    """Keeps the changes and sends them for approval."""
    try:
        with current_desk().database.write.begin() as session:
            row = amendments.edit_amendment(
                session, current_actor(), current_desk().keyring, amendment_id, typed_version(),
                fields=typed_fields("program", "client", "student", "guardian", "corp", "contract"),
                price=typed_money("price"), schedule=typed_schedule() or None,
                effective_on=typed_day("effective_on"), ground=field("ground"),
            )  # fmt: skip
            amendments.submit_amendment(session, current_actor(), row.id)
    except DeskError as error:
        return _amendment(amendment_id, explain(error)), status_of(error)
    tell(_("Sent for approval"))
    return _to(row.contract_id, "amendments")


@screen.post("/amendments/<int:amendment_id>/step/<act>")
def step_amendment(amendment_id: int, act: str) -> Response:
    desk, actor = current_desk(), current_actor()
    with desk.database.write.begin() as session:
        unless_stale(amendments.get_amendment(session, actor, amendment_id, hold=True).version)
        match act:
            case "approve" | "return":
                row = amendments.decide_amendment(
                    session, actor, amendment_id, agreed=act == "approve", remark=field("remark")
                )
            case "send":
                row = amendments.send_amendment(session, actor, amendment_id, today=today())
            case "sign":
                row = amendments.sign_amendment(
                    session, actor, desk.keyring, amendment_id, signature=field("signature"), today=today()
                )
            case _:
                row = amendments.step_amendment(session, actor, amendment_id, act)
    return _to(row.contract_id, "amendments")


@screen.get("/<int:contract_id>/terminate")
def terminate(contract_id: int) -> str:
    """Filled in from the case that it was opened from."""
    case_id = request.args.get("case_id", type=whole)
    with current_desk().database.read.begin() as session:
        contract = get_contract(session, current_actor(), contract_id)
        wish = wish_of(session, case_id or contract.case_id)
    return render_template(
        "contracts/terminate.html", contract=contract, wish=wish, case_id=case_id, today=today(),
        grounds=terminations.GROUNDS,
    )  # fmt: skip


@screen.post("/<int:contract_id>/terminate")
def begin_termination(contract_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        terminations.open_termination(
            session, current_actor(), contract_id, ground=field("ground"), initiator=field("initiator") or "client",
            received_on=typed_day("received_on") or today(), facts=field("facts"),
            case_id=request.form.get("case_id", type=whole),
        )  # fmt: skip
    return _to(contract_id, "terminations")


@screen.get("/terminations/<int:termination_id>")
def calculation(termination_id: int) -> str:
    return _calculation(termination_id)


def _calculation(termination_id: int, problem: str | None = None) -> str:
    with current_desk().database.read.begin() as session:
        row = terminations.get_termination(session, current_actor(), termination_id)
        contract = get_contract(session, current_actor(), row.contract_id)
        balance = balance_of(session, contract, today())
        now = terminations.reckon(session, row, today())
    return render_template(
        "contracts/calculation.html", row=row, contract=contract, balance=balance, now=now, problem=problem,
        sent=request.form, today=today(), norm=terminations.NORMS[row.ground],
    )  # fmt: skip


@screen.post("/terminations/<int:termination_id>")
def save_calculation(termination_id: int) -> Response | tuple[str, int]:
    """Keeps the figures; with «submit» they go to the head."""
    try:
        with current_desk().database.write.begin() as session:
            row = terminations.save_calculation(
                session, current_actor(), termination_id, typed_version(), today=today(), facts=field("facts"),
                delivered=typed_money("delivered") or 0, expenses=_expenses(),
                effective_on=typed_day("effective_on") or today(), refund_due=typed_day("refund_due"),
                no_refund_ground=field("no_refund_ground"),
            )  # fmt: skip
            if field("submit"):
                terminations.submit_calculation(session, current_actor(), row.id, today=today())
    except DeskError as error:
        return _calculation(termination_id, explain(error)), status_of(error)
    if field("submit"):
        return _to(row.contract_id, "terminations")
    rang()
    return go(url_for("contracts.calculation", termination_id=termination_id))


def _expenses() -> list[dict[str, Any]]:
    """Lines «название; сумма; документ»."""
    rows = []
    for text in field("expenses").splitlines():
        parts = [part.strip() for part in text.split(";")]
        if not any(parts):
            continue
        if len(parts) < 3:
            raise Refused("termination.document")
        rows.append({"name": parts[0], "sum": read_sum(parts[1]), "document": "; ".join(parts[2:])})
    return rows


Take = Callable[[Session, int], Any]
STEPS: dict[str, Take] = {
    "calculate": lambda session, one: terminations.start_calculation(session, current_actor(), one),
    "agree": lambda session, one: terminations.agree(session, current_actor(), one, agreed=True, today=today()),
    "return": lambda session, one: terminations.agree(
        session, current_actor(), one, agreed=False, remark=field("remark"), today=today()
    ),
    "send": lambda session, one: terminations.send_termination(
        session, current_actor(), one, confirmed=bool(field("confirmed"))
    ),
    "sign": lambda session, one: terminations.close_paper(
        session, current_actor(), one, "sign", proof=field("proof")
    ),
    "deliver": lambda session, one: terminations.close_paper(
        session, current_actor(), one, "deliver", proof=field("proof")
    ),
    "assign_refund": lambda session, one: terminations.settle(session, current_actor(), one),
    "no_refund": lambda session, one: terminations.settle(session, current_actor(), one),
    "refund": lambda session, one: terminations.pay_back(
        session, current_actor(), one, paid_on=typed_day("paid_on") or today(), receipt=field("receipt")
    ),
}  # fmt: skip


@screen.post("/terminations/<int:termination_id>/step/<act>")
def step_termination(termination_id: int, act: str) -> Response:
    with current_desk().database.write.begin() as session:
        unless_stale(terminations.get_termination(session, current_actor(), termination_id, hold=True).version)
        take = STEPS.get(act)
        if take is not None:
            row = take(session, termination_id)
        else:
            row = terminations.finish(session, current_actor(), termination_id, act, today=today())
    return _to(row.contract_id, "terminations")
