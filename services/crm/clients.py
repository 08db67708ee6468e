"""Cards of clients: made from a name, one contact and a note, found by any spelling, changed by one at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Call, Client, ClientWord, Contact, Staff, Task, utc_now
from services.crm.contacts import UNIQUE, Written, read_contact
from services.crm.names import parts_of, search_words
from services.errors import NotFound, Refused, Stale
from services.events import record
from services.lemmas import fold
from services.rights import Actor, require

KINDS = ("person", "organisation", "entrepreneur")
DETAILS = ("full_name", "kpp", "ogrn", "address", "bank", "signatory", "authority", "edo")
"""What only an organisation or entrepreneur has, kept in ``Client.details``."""
FIELDS = frozenset(
    {
        "kind", "name", "last_name", "first_name", "middle_name", "gender", "birth_date", "inn", "details", "note",
        "owner_id", "origin", "time_zone", "preferred_channel", "flags",
    }
)  # fmt: skip
"""What ``edit_client`` may change."""
LONGEST_NAME = 200
ADULT_YEARS = 18


@dataclass(frozen=True, slots=True)
class Reach:
    """A client with the contacts that stand."""

    client: Client
    contacts: tuple[Contact, ...]

    def main(self, kind: str) -> Contact | None:
        return next((one for one in self.contacts if one.kind == kind), None)


def get_client(session: Session, actor: Actor, client_id: int, *, hold: bool = False) -> Client:
    """The card; one that was merged gives the card it became a part of. ``hold`` locks the row until the commit."""
    require(actor, "client.view")
    client = session.get(Client, client_id, with_for_update=hold)
    while client is not None and client.merged_into_id is not None:
        client = session.get(Client, client.merged_into_id, with_for_update=hold)
    if client is None or client.state == "erased":
        raise NotFound("client.unknown", id=client_id)
    return client


def contacts_of(session: Session, client_id: int) -> list[Contact]:
    """What stands, main ones first."""
    query = select(Contact).where(Contact.client_id == client_id, Contact.ended_at.is_(None))
    return list(session.scalars(query.order_by(Contact.is_main.desc(), Contact.id)))


def holder_of(session: Session, contact: str) -> Client | None:
    """The living card that holds this phone or mail address, in whatever spelling it is asked."""
    try:
        key = read_contact(contact).live_key
    except Refused:
        return None
    return holder_of_key(session, key) if key else None


def holder_of_key(session: Session, live_key: str) -> Client | None:
    """The same by a key as ``Contact.live_key`` has it."""
    return session.scalar(select(Client).join(Contact).where(Contact.live_key == live_key))


def reach(session: Session, clients: Sequence[Client]) -> list[Reach]:
    """Each with its contacts, in one question."""
    found: dict[int, list[Contact]] = {client.id: [] for client in clients}
    query = select(Contact).where(Contact.client_id.in_(list(found)), Contact.ended_at.is_(None))
    for contact in session.scalars(query.order_by(Contact.is_main.desc(), Contact.id)):
        found[contact.client_id].append(contact)
    return [Reach(client, tuple(found[client.id])) for client in clients]


def is_minor(birth_date: date | None, today: date) -> bool:
    """Under eighteen on ``today``; one whose birthday is not known counts as grown up."""
    if birth_date is None:
        return False
    years = today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))
    return years < ADULT_YEARS


def create_client(
    session: Session,
    actor: Actor,
    *,
    name: str,
    contact: str = "",
    note: str = "",
    kind: str = "person",
    **more: Any,
) -> Client:
    """A card from as little as a name; raises Refused(contact.taken, client=…) when a living card has the contact.

    ``more`` as in ``edit_client``.
    """
    require(actor, "client.edit")
    written = read_contact(contact) if contact.strip() else None
    client = new_client(session, actor.staff_id, name=name, note=note, kind=kind, **more)
    session.flush()
    if written is not None:
        put_contact(session, client, written, is_main=True)
    session.add_all(words_for(client))
    session.flush()
    record(session, "client.created", actor, client_id=client.id)
    return client


def new_client(
    session: Session, staff_id: int | None, *, name: str, note: str = "", kind: str = "person", **more: Any
) -> Client:
    """The bare row, checked; neither contact nor event."""
    client = Client(kind=kind, created_by=staff_id, owner_id=staff_id, name="", name_key="", state="live")
    guessed = dict(zip(("last_name", "first_name", "middle_name"), parts_of(name), strict=True))
    given = {**(guessed if kind == "person" else {}), "name": name, "note": note, "kind": kind, **more}
    _change(session, client, given)
    session.add(client)
    return client


def edit_client(session: Session, actor: Actor, client_id: int, version: int, changes: Mapping[str, Any]) -> Client:
    """Changes fields of FIELDS; raises Stale when somebody else changed the card since ``version``."""
    require(actor, "client.edit")
    client = get_client(session, actor, client_id, hold=True)
    if client.version != version:
        raise Stale("client.stale", id=client.id, version=client.version)
    check_use(client)
    before = {name: getattr(client, name) for name in FIELDS}
    _change(session, client, changes)
    changed = sorted(name for name in FIELDS if getattr(client, name) != before[name])
    if not changed:
        return client
    touch(client)
    rewrite_words(session, client)
    record(session, "client.edited", actor, client_id=client.id, fields=changed)
    return client


def touch(client: Client) -> None:
    """Another version; whoever has the former one open is told."""
    client.version = (client.version or 0) + 1
    client.updated_at = utc_now()


def check_use(client: Client) -> None:
    """Raises Refused on a card that is blocked or no longer lives."""
    if client.blocked_at is not None:
        raise Refused("client.blocked", id=client.id)
    if client.state not in ("live", "archived"):
        raise Refused("client.state", id=client.id, state=client.state)


def add_contact(
    session: Session, actor: Actor, client_id: int, contact: str, kind: str | None = None, note: str = ""
) -> Contact:
    """One more way to reach them; raises Refused(contact.taken) when another living card has it."""
    require(actor, "client.edit")
    client = get_client(session, actor, client_id, hold=True)
    check_use(client)
    written = read_contact(contact, kind)
    is_main = not any(one.kind == written.kind for one in contacts_of(session, client.id))
    row = put_contact(session, client, written, is_main=is_main, note=note)
    touch(client)
    record(session, "client.contact_added", actor, client_id=client.id, object_id=row.id, code=written.kind)
    return row


def end_contact(session: Session, actor: Actor, contact_id: int) -> Contact:
    """It reaches them no more; it stays in the history, and another card may have it."""
    require(actor, "client.edit")
    row = session.get(Contact, contact_id)
    if row is None:
        raise NotFound("contact.unknown", id=contact_id)
    client = get_client(session, actor, row.client_id, hold=True)
    check_use(client)
    if row.ended_at is None:
        row.ended_at, row.live_key, row.is_main = utc_now(), None, False
        touch(client)
        record(session, "client.contact_ended", actor, client_id=client.id, object_id=row.id, code=row.kind)
    return row


def archive_client(session: Session, actor: Actor, client_id: int, *, back: bool = False) -> Client:
    """Out of the list, or ``back`` in it; its contacts are free meanwhile, and come back if nobody took them."""
    require(actor, "client.edit")
    client = get_client(session, actor, client_id, hold=True)
    wanted = "live" if back else "archived"
    if client.state == wanted:
        return client
    client.state = wanted
    if back:
        add_missing_keys(session, client)
    else:
        for row in contacts_of(session, client.id):
            row.live_key = None
    touch(client)
    record(session, "client.restored" if back else "client.archived", actor, client_id=client.id)
    return client


def add_missing_keys(session: Session, client: Client) -> None:
    """A card that lives again holds its contacts again, but for those that another took meanwhile."""
    for row in contacts_of(session, client.id):
        key = f"{row.kind}:{row.key}"
        if row.kind in UNIQUE and row.live_key is None and holder_of_key(session, key) is None:
            row.live_key = key


def put_contact(
    session: Session, client: Client, written: Written, *, is_main: bool = False, note: str = ""
) -> Contact:
    """The row; the database itself says when another living card has it."""
    row = Contact(
        client_id=client.id, kind=written.kind, value=written.value, key=written.key, tail=written.tail,
        live_key=written.live_key if client.state == "live" else None, is_main=is_main, note=note,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        holder = holder_of_key(session, written.live_key or "")
        raise Refused("contact.taken", client=holder.id if holder else None, same=holder is client) from None
    if row.kind == "phone":
        # Calls and call-backs of the number belong to the card from now on.
        for table in (Call, Task):
            mine = update(table).where(table.number == row.key, table.client_id.is_(None))
            session.execute(mine.values(client_id=client.id))
    return row


def words_for(client: Client, also: Sequence[str] = ()) -> Iterable[ClientWord]:
    """Rows of what the card is found by."""
    names = (client.name, client.last_name, client.first_name, client.middle_name, *also)
    extra = (str(client.details.get("full_name", "")),)
    return [ClientWord(client_id=client.id, word=word) for word in sorted(search_words(*names, *extra))]


def rewrite_words(session: Session, client: Client) -> None:
    """After a change of names; those of cards that became a part of this one are found too."""
    former = session.scalars(select(Client.name).where(Client.merged_into_id == client.id)).all()
    session.execute(delete(ClientWord).where(ClientWord.client_id == client.id))
    session.add_all(words_for(client, former))
    session.flush()


def _change(session: Session, client: Client, changes: Mapping[str, Any]) -> None:
    unknown = set(changes) - FIELDS
    if unknown:
        raise Refused("client.field", fields=sorted(unknown))
    for name, value in changes.items():
        setattr(
            client, name, " ".join(value.split()) if name.endswith("name") and isinstance(value, str) else value
        )
    parts = (client.last_name, client.first_name, client.middle_name)
    if client.kind == "person" and any(parts) and "name" not in changes:
        client.name = " ".join(one for one in parts if one)
    elif client.kind == "person" and "name" in changes and not set(changes) & {"last_name", "first_name"}:
        client.last_name, client.first_name, client.middle_name = parts_of(client.name)
    if client.kind not in KINDS:
        raise Refused("client.kind", kind=client.kind)
    if not client.name or len(client.name) > LONGEST_NAME:
        raise Refused("client.name")
    if client.inn and not is_inn(client.inn):
        raise Refused("client.inn")
    if client.birth_date is not None and not date(1900, 1, 1) <= client.birth_date <= utc_now().date():
        raise Refused("client.birth_date")
    if client.owner_id is not None and "owner_id" in changes and session.get(Staff, client.owner_id) is None:
        raise Refused("staff.unknown", id=client.owner_id)
    client.details = {key: value for key, value in (client.details or {}).items() if key in DETAILS and value}
    client.flags = list(client.flags or [])
    client.inn = client.inn or None
    client.name_key = fold_name(client.name)


def fold_name(name: str) -> str:
    """A name as the list is ordered: word by word, folded."""
    return " ".join(fold(word) for word in name.split())[:LONGEST_NAME]


def is_inn(number: str) -> bool:
    """Ten or twelve digits with the right check digits (order of the tax service ММВ-7-6/435@)."""
    if not number.isascii() or not number.isdigit() or len(number) not in (10, 12):
        return False
    digits = [int(one) for one in number]
    weights = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)

    def check(length: int) -> bool:
        total = sum(w * d for w, d in zip(weights[-length:], digits, strict=False))
        return digits[length] == total % 11 % 10

    return check(9) if len(digits) == 10 else check(10) and check(11)
