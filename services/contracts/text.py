"""What the text of a contract is made of: fields as templates name them, and the hash that approvals hold for."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from models import Contract
from services.crm.clients import contacts_of, get_client
from services.crm.names import parts_of
from services.documents.fields import DATE, GROUPS, NAME, TABLES, WORD
from services.documents.organisation import read_organisation
from services.documents.rendering import Values
from services.errors import Refused
from services.money.payments import payments_of
from services.money.schedules import plain, schedule_of
from services.rights import DESK, Actor
from services.secrets import Keyring

PARTIES = ("client", "student", "guardian", "corp", "payer")
SECRET = frozenset({"id_series", "id_no", "id_issued_by", "id_date", "id_code", "snils"})
"""Fields of a party that are kept encrypted."""
TERMS = ("program", "contract", "group")
OWN = frozenset({"contract.no", "contract.date", "contract.price", "contract.discount", "contract.kind"})
"""What has columns of its own."""


def text_hash(session: Session, contract: Contract) -> str:
    """SHA-256 of all that the text is made of; another letter, another hash."""
    return hash_of(content_of(session, contract))


def hash_of(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def content_of(session: Session, contract: Contract) -> dict[str, Any]:
    """The contract as JSON: what a revision keeps and a hash is taken of."""
    return {
        "kind": contract.kind, "dated": contract.dated.isoformat(), "price": contract.price,
        "discount": contract.discount, "funding": contract.funding, "terms": contract.terms,
        "parties": contract.parties, "sealed": contract.sealed, "template": contract.template_id,
        "schedule": plain(schedule_of(session, contract.id)),
        "ends_on": contract.ends_on.isoformat() if contract.ends_on else None,
    }  # fmt: skip


def values_of(session: Session, contract: Contract, keyring: Keyring) -> Values:
    """Every field that a template may ask of a contract, as far as it is known."""
    ours = read_organisation(session)
    values: Values = {"org": ours["org"], "sign": ours["sign"]}
    secret = keyring.unseal(contract.sealed)
    for group in PARTIES:
        known = {name: value for name, value in contract.parties.get(group, {}).items() if value}
        known |= {name.partition(".")[2]: value for name, value in secret.items() if name.startswith(f"{group}.")}
        values[group] = known
    if not values["payer"]:
        values["payer"] = _payer(values, contract)
    for group in TERMS:
        values[group] = dict(contract.terms.get(group, {}))
    values["contract"] |= {
        "no": contract.number or "", "date": contract.dated.isoformat(), "price": contract.price,
        "discount": contract.discount, "kind": contract.kind,
    }  # fmt: skip
    values["contract"].setdefault("city", ours["more"].get("city", ""))
    values["corp"]["students"] = contract.parties.get("students", [])
    values["pay"] = _money(session, contract)
    return values


def _payer(values: Values, contract: Contract) -> dict[str, Any]:
    """Who pays where nobody else is named: the firm, the guardian, or the client."""
    if contract.kind == "organisation":
        corp = values["corp"]
        return {"full": corp.get("name_full", ""), "inn": corp.get("inn", ""), "address": corp.get("address", "")}
    other = values["guardian"] if contract.kind == "three" else values["client"]
    return {name: other[name] for name in GROUPS["payer"] if name in other}


def _money(session: Session, contract: Contract) -> dict[str, Any]:
    rows = payments_of(session, contract.id)
    paid = sum(-row.amount if row.is_refund else row.amount for row in rows)
    lines = schedule_of(session, contract.id)
    return {
        "schedule": [{"no": str(row.no), "date": row.due_on.isoformat(), "amount": row.amount} for row in lines],
        "total": sum(row.amount for row in lines), "paid": paid,
        "vat": read_organisation(session)["org"].get("vat_mode", ""),
    }  # fmt: skip


def forms_of(session: Session, contract: Contract) -> dict[str, dict[str, str]]:
    """«client.full» → case → what somebody wrote by hand; the signer's stand with the organisation."""
    found: dict[str, dict[str, str]] = {}
    for name, text in contract.parties.get("forms", {}).items():
        field, _, case = name.partition("|")
        found.setdefault(field, {})[case] = text
    return found


def party_of_card(session: Session, client_id: int) -> dict[str, str]:
    """What the card knows of a person, by the names of templates."""
    client = get_client(session, DESK, client_id)
    known = {
        "full": client.name, "last": client.last_name, "first": client.first_name, "middle": client.middle_name,
        "gender": client.gender or "", "inn": client.inn or "",
        "birth_date": client.birth_date.isoformat() if client.birth_date else "",
    }  # fmt: skip
    for contact in contacts_of(session, client.id):
        name = {"phone": "phone", "mail": "email", "address": "address"}.get(contact.kind)
        if name is not None:
            known.setdefault(name, contact.value)
    return {name: value for name, value in known.items() if value}


def corp_of_card(session: Session, client_id: int) -> dict[str, str]:
    """What the card knows of a firm."""
    client = get_client(session, DESK, client_id)
    more = client.details
    known = {
        "name_full": more.get("full_name") or client.name, "name_short": client.name, "inn": client.inn or "",
        "kpp": more.get("kpp", ""), "ogrn": more.get("ogrn", ""), "address": more.get("address", ""),
        "signer_name": more.get("signatory", ""), "signer_basis": more.get("authority", ""),
    }  # fmt: skip
    for contact in contacts_of(session, client.id):
        name = {"phone": "phone", "mail": "email", "address": "address"}.get(contact.kind)
        if name is not None and not known.get(name):
            known[name] = contact.value
    return {name: str(value) for name, value in known.items() if value}


def is_sealed(name: str) -> bool:
    """Whether «group.field» is kept encrypted."""
    group, _, field = name.partition(".")
    return group in PARTIES and field in SECRET


def own_fields(actor: Actor, fields: Mapping[str, str]) -> dict[str, str]:
    """What a form changes: to whoever may not see a passport its field came empty, and empty it leaves as it is."""
    may_see = actor.may("client.sensitive")
    return {name: text for name, text in fields.items() if may_see or not is_sealed(name) or text.strip()}


def put_fields(contract: Contract, keyring: Keyring, fields: Mapping[str, str]) -> None:
    """«group.field» → text into the contract; an empty text takes it out. Raises Refused for an unknown name."""
    terms = {group: dict(rest) for group, rest in contract.terms.items()}
    parties = {group: rest.copy() for group, rest in contract.parties.items()}
    secret = keyring.unseal(contract.sealed)
    before = dict(secret)
    former = {f"forms.{name}" for group in _renamed(contract, fields) for name in _rename(parties, group, fields)}
    for name, given in fields.items():
        if name in former:
            continue
        group, _, field = name.partition(".")
        text = given.strip()
        if group == "forms":
            _check_form(field)
            _put(parties.setdefault("forms", {}), field, text)
            continue
        kind = GROUPS.get(group, {}).get(field)
        if kind is None or group not in (*PARTIES, *TERMS) or name in OWN:
            raise Refused("contract.field", word=name)
        if kind == DATE and text:
            _check_day(text)
        if group in PARTIES and field in SECRET:
            _put(secret, name, text)
        else:
            _put((parties if group in PARTIES else terms).setdefault(group, {}), field, text)
    contract.terms, contract.parties = terms, parties
    if secret != before:
        contract.sealed = keyring.seal(secret)


def _renamed(contract: Contract, fields: Mapping[str, str]) -> list[str]:
    """The parties whose name in full is another from now on."""
    groups = [name.partition(".")[0] for name in fields if name.endswith(".full")]
    return [
        one for one in groups
        if one in PARTIES and fields[f"{one}.full"].strip() != contract.parties.get(one, {}).get("full", "")
    ]  # fmt: skip


def _rename(parties: dict[str, Any], group: str, fields: Mapping[str, str]) -> list[str]:
    """Surname and first name follow the name in full; returns the cases, written by hand for the former name and
    not written anew, that hold no more."""
    known = parties.setdefault(group, {})
    for name, part in zip(("last", "first", "middle"), parts_of(fields[f"{group}.full"]), strict=True):
        if name in GROUPS[group] and name in known:
            _put(known, name, part)
    forms = parties.get("forms", {})
    former = [
        name for name, text in forms.items()
        if name.startswith(f"{group}.full|") and fields.get(f"forms.{name}", "").strip() in ("", text)
    ]  # fmt: skip
    for name in former:
        del forms[name]
    return former


def _put(into: dict[str, Any], name: str, text: str) -> None:
    if text:
        into[name] = text
    else:
        into.pop(name, None)


def _check_form(name: str) -> None:
    field, _, _case = name.partition("|")
    group, _, inner = field.partition(".")
    if GROUPS.get(group, {}).get(inner) not in (NAME, WORD):
        raise Refused("contract.field", word=name)


def _check_day(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise Refused("date.invalid") from None


def put_students(contract: Contract, rows: list[dict[str, str]]) -> None:
    """The people whom a firm sends to learn."""
    known = TABLES["corp.students"]
    clean = [
        {"no": str(no), **{name: row.get(name, "").strip() for name in known if name != "no"}}
        for no, row in enumerate(rows, 1)
        if row.get("full", "").strip()
    ]
    contract.parties = {**contract.parties, "students": clean}
