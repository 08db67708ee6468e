"""Passports and the like in a paper: for whoever may see them, masked for others, each use written down."""

import contextlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contract, SensitiveField
from services.contracts.text import PARTIES, SECRET, put_fields
from services.crm.clients import get_client
from services.documents.rendering import Values
from services.events import record
from services.rights import DESK, Actor
from services.secrets import Keyring

MASK = "••••••"
OF_CARD: Mapping[str, str] = {
    "id_type": "passport", "id_series": "passport", "id_no": "passport", "id_issued_by": "passport_issued",
    "id_date": "passport_issued", "id_code": "passport_issued", "snils": "snils", "address": "registered_at",
}  # fmt: skip
"""Field of a template → the sealed field of a card that holds it."""
PASSPORT = "паспорт"
_PASSPORT = re.compile(r"(\d{2}\s?\d{2})[\s№N]*(\d{6})")
_DAY = re.compile(r"\b(\d{2}\.\d{2}\.\d{4})\b")
_CODE = re.compile(r"\b\d{3}-\d{3}\b")


def card_of(contract: Contract, group: str) -> int | None:
    """The card behind a party of the contract, where there is one."""
    if group == "student":
        return contract.student_id or (contract.client_id if contract.kind == "person" else None)
    if group == "payer":
        return contract.payer_id or (contract.client_id if contract.kind != "organisation" else None)
    if group == "guardian" or contract.kind != "three":
        return contract.client_id if group in ("client", "guardian") else None
    return contract.client_id


def on_card(session: Session, contract: Contract) -> set[str]:
    """«group.field» of all that the cards keep sealed: a contract does not lack it."""
    cards = {group: card for group in PARTIES if (card := card_of(contract, group)) is not None}
    query = select(SensitiveField.client_id, SensitiveField.field)
    kept = {(row[0], row[1]) for row in session.execute(query.where(SensitiveField.client_id.in_(cards.values())))}
    return {
        f"{group}.{name}" for group, card in cards.items() for name, of in OF_CARD.items() if (card, of) in kept
    }


def lend_sealed(
    session: Session, keyring: Keyring, actor: Actor, contract: Contract, values: Values, names: Iterable[str]
) -> list[str]:
    """Puts what is sealed into ``values`` where the paper names it; returns the names of the fields shown.

    What the contract does not know comes from the card. Whoever may not see it gets a mask in its place.
    """
    lent, masked = [], not actor.may("client.sensitive")
    cards: dict[int, dict[str, str]] = {}
    for name in sorted(names):
        group, _, field = name.partition(".")
        card_id = card_of(contract, group)
        if group not in PARTIES or field not in OF_CARD:
            continue
        known = str(values[group].get(field) or "")
        if not known and card_id is not None:
            if card_id not in cards:
                cards[card_id] = fields_of_card(session, keyring, card_id)
            known = cards[card_id].get(field, "")
            is_sealed = bool(known)
        else:
            is_sealed = bool(known) and field in SECRET
        if is_sealed and field == "id_type":  # tells of nobody anything
            values[group][field] = known
        elif is_sealed:
            values[group][field] = MASK if masked else known
            lent += [] if masked else [name]
    seen = {(card_of(contract, group), OF_CARD[field]) for group, _, field in (one.partition(".") for one in lent)}
    for client_id, code in sorted(seen, key=str):
        note_look(session, actor, contract, client_id, code)
    return lent


def take_sealed(session: Session, keyring: Keyring, contract: Contract, names: Iterable[str]) -> None:
    """What the contract's text names and only the cards know becomes the contract's own, sealed as it was: its
    approval holds for it, and nobody has looked."""
    known = keyring.unseal(contract.sealed)
    taken: dict[str, str] = {}
    for name in set(names) & on_card(session, contract):
        group, _, field = name.partition(".")
        card_id = card_of(contract, group)
        has = known.get(name) or contract.parties.get(group, {}).get(field)
        if card_id is not None and not has and field in (*SECRET, "id_type"):
            taken[name] = fields_of_card(session, keyring, card_id).get(field, "")
    # The payer's are shown of the payer's card each time: a contract has no such party of its own.
    taken = {name: text for name, text in taken.items() if text and not name.startswith("payer.")}
    if taken:
        put_fields(contract, keyring, taken)


def note_look(session: Session, actor: Actor, contract: Contract, client_id: int | None, code: str) -> None:
    """The use of a sealed field is a look at it, on the line of time of whose it is."""
    record(
        session, "client.sensitive_seen", actor, client_id=client_id or contract.client_id, code=code,
        contract=contract.id,
    )  # fmt: skip


def fields_of_card(session: Session, keyring: Keyring, client_id: int) -> dict[str, str]:
    """What a card keeps sealed, by the names of templates: «7010 123456» is a series and a number."""
    client = get_client(session, DESK, client_id)
    query = select(SensitiveField).where(SensitiveField.client_id == client.id)
    kept = {row.field: str(keyring.unseal(row.sealed).get("value", "")) for row in session.scalars(query)}
    found = {"snils": kept.get("snils", ""), "address": kept.get("registered_at", "")}
    parts = _PASSPORT.search(kept.get("passport", ""))
    if parts is not None:
        found |= {"id_type": PASSPORT, "id_series": parts[1].replace(" ", ""), "id_no": parts[2]}
    elif kept.get("passport"):
        found |= {"id_type": PASSPORT, "id_series": "—", "id_no": kept["passport"]}
    found |= _issued(kept.get("passport_issued", ""))
    return {name: value for name, value in found.items() if value}


def _issued(text: str) -> dict[str, str]:
    """By whom, when, code of the office: as far as they can be told apart."""
    found = {"id_issued_by": text}
    code, day = _CODE.search(text), _DAY.search(text)
    if code is not None:
        found["id_code"] = code[0]
    if day is not None:
        with contextlib.suppress(ValueError):
            found["id_date"] = datetime.strptime(day[1], "%d.%m.%Y").date().isoformat()
    return found
