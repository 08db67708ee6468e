"""The page of a contract: what it says, what it lacks, what comes next, all that belongs to it."""

from typing import Any

from flask import render_template
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Case, Contract, Event, Staff
from services.contracts.amendments import amendments_of, opened
from services.contracts.approval import approvals_of
from services.contracts.closing import school_page, tasks_of
from services.contracts.completeness import missing_items
from services.contracts.decisions import decisions_of
from services.contracts.drafts import EDITABLE, get_contract
from services.contracts.machines import steps_of
from services.contracts.terminations import active_termination, terminations_of
from services.crm.clients import get_client
from services.crm.merging import family_of
from services.documents.issuing import DEMAND, documents_of, is_outdated, may_make
from services.documents.kits import kits_of
from services.documents.lending import MASK
from services.money.obligations import obligations_of
from services.money.payments import balance_of, payments_of
from services.money.receivables import stopped_by
from services.money.schedules import schedule_of
from web.contracts.forms import screen
from web.dates import today
from web.security import current_actor, current_desk, may

EVENTS = 40


@screen.get("/<int:contract_id>")
def page(contract_id: int) -> str:
    with current_desk().database.read.begin() as session:
        contract = get_contract(session, current_actor(), contract_id)
        shown = _shown(session, contract)
    return render_template("contracts/page.html", contract=contract, today=today(), **shown)


def _shown(session: Session, contract: Contract) -> dict[str, Any]:
    actor, keyring = current_actor(), current_desk().keyring
    amendments, ending = amendments_of(session, contract.id), active_termination(session, contract.id)
    papers = documents_of(session, contract.id)
    is_open, may_see = contract.state in EDITABLE, may("client.sensitive")
    endings = terminations_of(session, contract.id)
    client = get_client(session, actor, contract.client_id)
    return {
        "client": client,
        "case": session.get(Case, contract.case_id) if contract.case_id else None,
        "steps": [step.act for step in steps_of(session, actor, contract)],
        "missing": missing_items(session, contract, keyring) if is_open else [],
        "lines": schedule_of(session, contract.id), "payments": payments_of(session, contract.id),
        "balance": balance_of(session, contract, today()), "stopped": stopped_by(session, contract),
        "papers": papers, "outdated": {row.id for row in papers if is_outdated(contract, row)},
        "kits": kits_of(session, contract, is_ending=ending is not None),
        "amendments": [
            (row, [step.act for step in steps_of(session, actor, row)],
             [(change, *(opened(change, keyring) if may_see or not change.get("sealed") else (MASK, MASK)))
              for change in row.changes])
            for row in amendments
        ],
        "terminations": [
            (row, [step.act for step in steps_of(session, actor, row)])
            for row in endings
        ],
        "closing": tasks_of(session, [row.id for row in endings]),
        "school": school_page(session, client) if endings else None,
        "can_demand": may_make(session, actor, DEMAND),
        "ending": ending, "approvals": approvals_of(session, "contract", contract.id),
        "decisions": decisions_of(session, contract.id), "obligations": obligations_of(session, contract.id),
        "history": _history(session, contract), "is_open": is_open,
        "people": {person.id: person.name for person in session.scalars(select(Staff))},
    }  # fmt: skip


def _history(session: Session, contract: Contract) -> list[Event]:
    """What happened to the contract itself, the newest first; found by its client, as events have an index."""
    query = select(Event).where(
        Event.client_id.in_(family_of(session, contract.client_id)), Event.object_id == contract.id,
        Event.kind.like("contract.%"),
    )  # fmt: skip
    return list(session.scalars(query.order_by(Event.id.desc()).limit(EVENTS)))
