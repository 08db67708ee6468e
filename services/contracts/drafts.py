"""Drafts: opened from a card or a case, filled in, changed until they are signed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from models import Contract
from services.contracts import approval
from services.contracts.machines import move
from services.contracts.text import (
    corp_of_card,
    own_fields,
    party_of_card,
    put_fields,
    put_students,
    text_hash,
)
from services.crm.clients import check_use, get_client
from services.documents.kinds import CONTRACT_KINDS
from services.errors import NotFound, Refused, Stale
from services.events import record
from services.money.schedules import FUNDING, put_schedule
from services.once import add_once
from services.rights import Actor, require
from services.secrets import Keyring

MOST_PRICE = 10**12
EDITABLE = ("draft", "rework", "approval", "approved", "sent")


@dataclass(frozen=True, slots=True)
class Changes:
    """What an edit carries; None leaves as it is. ``fields``: «program.name» → text. Sums in kopecks."""

    dated: date | None = None
    price: int | None = None
    discount: int | None = None
    funding: str | None = None
    ends_on: date | None = None
    effective_on: date | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    schedule: Sequence[tuple[date, int]] | None = None
    students: list[dict[str, str]] | None = None
    template_id: int | None = None
    site_price: int | None = None


def get_contract(session: Session, actor: Actor, contract_id: int, *, hold: bool = False) -> Contract:
    """Raises NotFound; ``hold`` locks the row until the commit."""
    require(actor, "contract.view")
    row = session.get(Contract, contract_id, with_for_update=hold)
    if row is None:
        raise NotFound("contract.unknown", id=contract_id)
    return row


def open_draft(
    session: Session,
    actor: Actor,
    client_id: int,
    *,
    kind: str,
    dated: date,
    case_id: int | None = None,
    student_id: int | None = None,
    form_key: str | None = None,
) -> Contract:
    """A draft with what the cards know put in; the same ``form_key`` twice is the same draft."""
    require(actor, "contract.edit")
    if kind not in CONTRACT_KINDS:
        raise Refused("contract.kind", word=kind)
    client = get_client(session, actor, client_id)
    check_use(client)
    parties: dict[str, Any] = {"client": party_of_card(session, client.id)}
    if kind == "organisation":
        parties = {"corp": corp_of_card(session, client.id), "students": []}
    elif kind == "three":
        parties["guardian"] = parties["client"]
    if student_id is not None:
        parties["student"] = party_of_card(session, student_id)
    contract = Contract(
        kind=kind, client_id=client.id, student_id=student_id, dated=dated, parties=parties, case_id=case_id,
        author_id=actor.staff_id, terms={"program": {}, "contract": {}}, state="draft", version=1,
        form_key=form_key or None,
    )  # fmt: skip
    known = add_once(session, contract)
    if known is not contract:
        return known
    record(
        session, "contract.opened", actor, client_id=client.id, case_id=case_id, object_id=contract.id, form=kind
    )
    return contract


def edit_draft(
    session: Session, actor: Actor, keyring: Keyring, contract_id: int, version: int, changes: Changes
) -> Contract:
    """Changes what was not signed: back to the draft, and an approval is void.

    Raises Stale when somebody changed it since ``version``, Refused(«contract.frozen») after the signature.
    """
    require(actor, "contract.edit")
    contract = get_contract(session, actor, contract_id, hold=True)
    if contract.version != version:
        raise Stale("contract.stale", id=contract.id)
    if contract.state not in EDITABLE:
        raise Refused("contract.frozen", state=contract.state)
    before = text_hash(session, contract)
    _apply(session, contract, keyring, replace(changes, fields=own_fields(actor, changes.fields)))
    session.flush()
    contract.text_hash = text_hash(session, contract)
    if contract.text_hash == before:
        return contract
    was_agreed = approval.void(session, "contract", contract.id)
    move(session, actor, contract, "edit", voided=was_agreed)
    return contract


def _apply(session: Session, contract: Contract, keyring: Keyring, changes: Changes) -> None:
    for name in ("dated", "ends_on", "effective_on", "template_id"):
        value = getattr(changes, name)
        if value is not None:
            setattr(contract, name, value)
    for name in ("price", "discount"):
        amount = getattr(changes, name)
        if amount is not None:
            if not 0 <= amount <= MOST_PRICE:
                raise Refused("contract.price")
            setattr(contract, name, amount)
    if changes.funding is not None:
        if changes.funding not in FUNDING:
            raise Refused("contract.funding", word=changes.funding)
        contract.funding = changes.funding
    if changes.site_price is not None:
        contract.site = {**contract.site, "price": changes.site_price}
    put_fields(contract, keyring, changes.fields)
    if changes.students is not None:
        put_students(contract, changes.students)
    if changes.schedule is not None:
        put_schedule(session, contract, changes.schedule)
