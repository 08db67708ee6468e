"""Passports and the like: sealed at rest, masked until asked for, every look written down (152-ФЗ)."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import SensitiveField, utc_now
from services.crm.clients import check_use, get_client, touch
from services.errors import NotFound, Refused
from services.events import record
from services.rights import Actor, require
from services.secrets import Keyring

FIELDS = ("passport", "passport_issued", "registered_at", "snils", "diploma", "bank_account")
LONGEST = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """``value`` None: masked. ``row`` None: nothing is kept under the field."""

    field: str
    row: SensitiveField | None
    value: str | None = None


def kept_fields(session: Session, actor: Actor, client_id: int) -> list[Kept]:
    """What is kept, all of it masked."""
    client = get_client(session, actor, client_id)
    query = select(SensitiveField).where(SensitiveField.client_id == client.id)
    rows = {row.field: row for row in session.scalars(query)}
    return [Kept(name, rows.get(name)) for name in FIELDS]


def see_field(session: Session, keyring: Keyring, actor: Actor, client_id: int, field: str) -> Kept:
    """One field in clear; the look is an event of the card."""
    require(actor, "client.sensitive")
    client = get_client(session, actor, client_id)
    query = select(SensitiveField).where(SensitiveField.client_id == client.id, SensitiveField.field == field)
    row = session.scalar(query)
    if row is None:
        raise NotFound("sensitive.field")
    record(session, "client.sensitive_seen", actor, client_id=client.id, code=field)
    return Kept(field, row, keyring.unseal(row.sealed).get("value", ""))


def set_field(session: Session, keyring: Keyring, actor: Actor, client_id: int, field: str, value: str) -> None:
    """Seals a value; an empty one takes the field away."""
    require(actor, "client.sensitive")
    client = get_client(session, actor, client_id, hold=True)
    check_use(client)
    if field not in FIELDS or len(value) > LONGEST:
        raise Refused("sensitive.field")
    query = select(SensitiveField).where(SensitiveField.client_id == client.id, SensitiveField.field == field)
    row = session.scalar(query)
    if not value.strip():
        if row is not None:
            session.delete(row)
    elif row is None:
        sealed = keyring.seal({"value": value.strip()})
        session.add(SensitiveField(client_id=client.id, field=field, sealed=sealed, staff_id=actor.staff_id))
    else:
        row.sealed, row.staff_id, row.updated_at = keyring.seal({"value": value.strip()}), actor.staff_id, utc_now()
    touch(client)
    record(session, "client.sensitive_set", actor, client_id=client.id, code=field)
