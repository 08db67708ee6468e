"""Drafts: opened from a card or a case, filled in by groups of fields."""

from typing import Any

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from models import Contract
from services.contracts.drafts import Changes, edit_draft, get_contract, open_draft
from services.contracts.text import is_sealed, values_of
from services.crm.clients import get_client
from services.crm.finding import Wanted, find_clients
from services.documents.fields import DATE, GROUPS
from services.documents.kinds import CONTRACT_KINDS
from services.documents.rendering import Values
from services.errors import DeskError
from services.money.schedules import even_schedule, schedule_of
from web.contracts.forms import (
    field,
    screen,
    typed_day,
    typed_fields,
    typed_key,
    typed_money,
    typed_schedule,
    typed_students,
    typed_version,
)
from web.dates import today
from web.forms import go
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk, may, rang
from web.toasts import tell
from web.words import explain, status_of

PROGRAM = "name kind level direction hours form term start end doc_kind"
SECTIONS: dict[str, dict[str, str]] = {
    "person": {"program": PROGRAM, "client": "full birth_date address phone email id_type id_series id_no "
               "id_issued_by inn", "student": "full birth_date address phone email",
               "contract": "city pay_order pep"},
    "three": {"program": PROGRAM, "guardian": "full relation authority address phone",
              "student": "full birth_date address phone email", "client": "inn birth_date",
              "contract": "city pay_order pep"},
    "organisation": {"program": PROGRAM, "corp": "name_full inn kpp ogrn address phone bank_name bik acc "
                     "signer_name signer_position signer_basis authority_date", "contract": "city pay_order"},
    "consulting": {"program": "name services meetings term", "client": "full address phone email id_type id_series "
                   "id_no id_issued_by", "contract": "city pay_order pep"},
    "offer": {"program": PROGRAM},
}  # fmt: skip
"""Kind of a contract → group → the fields that its form shows, in order."""


@screen.get("/new")
def new() -> str:
    client_id, words = request.args.get("client_id", type=whole), request.args.get("q", "")
    with current_desk().database.read.begin() as session:
        client = get_client(session, current_actor(), client_id) if client_id else None
        found = find_clients(session, current_actor(), Wanted(words), limit=12).rows if client is None else ()
    return render_template("contracts/new.html", client=client, found=found, q=words, kinds=_kinds())


def _kinds() -> list[str]:
    return [kind for kind in CONTRACT_KINDS if kind != "offer"]


@screen.post("/new")
def add() -> Response:
    with current_desk().database.write.begin() as session:
        contract = open_draft(
            session, current_actor(), request.form.get("client_id", 0, type=whole), kind=field("kind"),
            dated=today(), case_id=request.form.get("case_id", type=whole), form_key=typed_key(),
        )  # fmt: skip
    rang()
    return go(url_for("contracts.edit", contract_id=contract.id))


@screen.get("/<int:contract_id>/edit")
def edit(contract_id: int) -> str:
    return _form(contract_id)


def _form(contract_id: int, problem: str | None = None) -> str:
    with current_desk().database.read.begin() as session:
        contract = get_contract(session, current_actor(), contract_id)
        values = values_of(session, contract, current_desk().keyring)
        lines = schedule_of(session, contract.id)
    known = shown_fields(values)
    return render_template(
        "contracts/edit.html", contract=contract, problem=problem, sections=_sections(contract), known=known,
        lines=lines, sent=request.form, is_date=_is_date,
    )  # fmt: skip


def shown_fields(values: Values) -> dict[str, Any]:
    """«group.field» → what a form shows; a passport only to whoever may see it."""
    known = {f"{group}.{name}": value for group in values for name, value in values[group].items()}
    may_see = may("client.sensitive")
    return {name: value for name, value in known.items() if may_see or not is_sealed(name)}


def _sections(contract: Contract) -> dict[str, list[str]]:
    return {group: names.split() for group, names in SECTIONS[contract.kind].items()}


def _is_date(name: str) -> bool:
    group, _dot, inner = name.partition(".")
    return GROUPS[group].get(inner) == DATE


@screen.post("/<int:contract_id>/edit")
def save(contract_id: int) -> Response | tuple[str, int]:
    try:
        changes = _typed()
        with current_desk().database.write.begin() as session:
            edit_draft(session, current_actor(), current_desk().keyring, contract_id, typed_version(), changes)
    except DeskError as error:
        return _form(contract_id, explain(error)), status_of(error)
    rang()
    tell(_("Saved"))
    return go(url_for("contracts.page", contract_id=contract_id))


def _typed() -> Changes:
    price, first = typed_money("price"), typed_day("first")
    schedule = typed_schedule()
    parts = field("parts")
    if price and first is not None and parts.isdecimal() and 0 < int(parts) <= 60:
        schedule = even_schedule(price, first, int(parts))
    return Changes(
        dated=typed_day("dated"), price=price, discount=typed_money("discount"), funding=field("funding") or None,
        ends_on=typed_day("ends_on"), effective_on=typed_day("effective_on"), schedule=schedule,
        fields=typed_fields("program", "client", "student", "guardian", "corp", "contract", "forms"),
        students=typed_students(),
    )  # fmt: skip
