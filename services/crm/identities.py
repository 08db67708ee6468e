"""Which author is which client: links with how we know, suggestions with evidence, never by a name alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Author, Client, Consent, Contact, Identity, Message, utc_now
from services.crm.clients import check_use, fold_name, get_client
from services.crm.contacts import mail_key, phone_key, phone_words
from services.errors import NotFound, Refused
from services.events import record
from services.lint import mails_in, phones_in
from services.rights import Actor, require

BASES = ("said", "order", "contact", "form", "call", "confirmed")
TYPED = frozenset({"form", "wordpress", "isso", "feed"})
"""Where visitors type who they are: a site of «https://t.me/somebody» proves no account of theirs."""
LOOKED_AT = 40
"""The newest messages of an author in which contacts are looked for."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """``kind``: own_mail · own_phone (the account is that address) · form (it stood in the form) · wrote (it stands
    in a message) · messenger · name (the same name, beside something stronger). ``message_id`` shows where."""

    kind: str
    contact: str = ""
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """«The same person, because …»."""

    client: Client
    evidence: tuple[Evidence, ...]

    @property
    def basis(self) -> str:
        kinds = {one.kind for one in self.evidence}
        return "form" if "form" in kinds else "said" if kinds <= {"wrote", "name"} else "contact"


def client_of_author(session: Session, author_id: int | None) -> Client | None:
    """The card an author is linked to."""
    if author_id is None:
        return None
    return session.scalar(
        select(Client).join(Identity, Identity.client_id == Client.id).where(Identity.linked_author_id == author_id)
    )


def authors_of(session: Session, client_id: int) -> list[tuple[Identity, Author]]:
    """Accounts linked to a card, oldest link first."""
    query = select(Identity, Author).join(Author, Author.id == Identity.author_id)
    rows = session.execute(query.where(Identity.client_id == client_id, Identity.state == "linked"))
    return sorted(((link, author) for link, author in rows), key=lambda pair: pair[0].id)


def suggest_clients(session: Session, actor: Actor, author_id: int, limit: int = 3) -> list[Suggestion]:
    """Cards that may be this author, the best founded first; what somebody refused is not suggested again."""
    return look_at(session, actor, author_id, limit)[0]


def look_at(session: Session, actor: Actor, author_id: int, limit: int = 3) -> tuple[list[Suggestion], str]:
    """The suggestions, and a phone, else a mail, that the author wrote in their newest messages; "": none."""
    require(actor, "client.view")
    author = session.get(Author, author_id)
    if author is None or author.is_us or author.hidden_at is not None:
        return [], ""
    seen = _contacts_of_author(session, author)
    wrote = [key.partition(":") for key, evidence in seen.items() if evidence.kind == "wrote"]
    contact = next((key for way in ("phone", "mail") for kind, _, key in wrote if kind == way), "")
    return _suggested(session, author, seen, limit), contact if "@" in contact else phone_words(
        contact
    ) if contact else ""


def _suggested(session: Session, author: Author, seen: dict[str, Evidence], limit: int) -> list[Suggestion]:
    found = _by_contacts(session, seen)
    if not found:
        return []
    refused = set(
        session.scalars(
            select(Identity.client_id).where(Identity.author_id == author.id, Identity.state == "refused")
        )
    )
    wanted = set(found) - refused
    if not wanted:
        return []
    clients = session.scalars(select(Client).where(Client.id.in_(wanted), Client.state == "live"))
    name = set(fold_name(author.name).split())
    made = []
    for client in clients:
        evidence = found[client.id]
        if len(name) > 1 and name <= set(client.name_key.split()):
            evidence = [*evidence, Evidence("name")]
        made.append(Suggestion(client, tuple(evidence)))
    return sorted(made, key=lambda one: (-len(one.evidence), one.client.id))[:limit]


def _contacts_of_author(session: Session, author: Author) -> dict[str, Evidence]:
    """live key → where it was seen."""
    seen: dict[str, Evidence] = {}

    def note(kind: str, phone: str | None, mail: str | None, message_id: int | None = None) -> None:
        for prefix, key in (("phone", phone_key(phone) if phone else None), ("mail", mail_key(mail or ""))):
            if key:
                seen.setdefault(f"{prefix}:{key}", Evidence(kind, key, message_id))

    prefix, _, rest = author.external_id.partition(":")
    typed = author.platform in TYPED
    if prefix == "phone":
        note("form" if typed else "own_phone", rest if rest.startswith("+") else f"+{rest}", None)
    note("form" if typed else "own_mail", None, rest if prefix == "mail" else author.external_id)
    query = select(Message).where(Message.author_id == author.id, Message.direction == "in")
    for message in session.scalars(query.order_by(Message.published_at.desc()).limit(LOOKED_AT)):
        context = message.context or {}
        note("form", str(context.get("phone") or ""), str(context.get("email") or ""), message.id)
        for text in phones_in(message.text):
            note("wrote", text, None, message.id)
        for text in mails_in(message.text):
            note("wrote", None, text, message.id)
    for handle in () if typed else (author.url or "", author.external_id):
        nick = handle.rstrip("/").rpartition("/")[2].removeprefix("@").lower()
        if nick:
            seen.setdefault(f"messenger:{nick}", Evidence("messenger", nick))
    return seen


def _by_contacts(session: Session, seen: dict[str, Evidence]) -> dict[int, list[Evidence]]:
    found: dict[int, list[Evidence]] = {}
    live = [key for key in seen if not key.startswith("messenger:")]
    query = select(Contact.client_id, Contact.live_key).where(Contact.live_key.in_(live))
    rows = [(client_id, str(key)) for client_id, key in session.execute(query)] if live else []
    nicks = [key.partition(":")[2] for key in seen if key.startswith("messenger:")]
    known = select(Contact.client_id, Contact.key).where(Contact.kind == "messenger", Contact.key.in_(nicks))
    rows += [
        (client_id, f"messenger:{key}")
        for client_id, key in session.execute(known.where(Contact.ended_at.is_(None)))
    ]
    for client_id, key in rows:
        found.setdefault(client_id, []).append(seen[key])
    return found


def link_author(
    session: Session,
    actor: Actor,
    client_id: int,
    author_id: int,
    basis: str,
    evidence: Sequence[Evidence] = (),
) -> Identity:
    """Says that the author is this client; raises Refused(identity.taken) when the author is somebody else's."""
    require(actor, "client.edit")
    if basis not in BASES:
        raise Refused("identity.basis", basis=basis)
    client = get_client(session, actor, client_id, hold=True)
    check_use(client)
    author = session.get(Author, author_id)
    if author is None or author.is_us:
        raise NotFound("author.unknown", id=author_id)
    holder = client_of_author(session, author_id)
    if holder is not None and holder.id == client.id:
        return session.scalars(select(Identity).where(Identity.linked_author_id == author_id)).one()
    row = Identity(
        client_id=client.id, author_id=author_id, linked_author_id=author_id, basis=basis, staff_id=actor.staff_id,
        evidence={"kinds": [one.kind for one in evidence], "messages": _messages(evidence)},
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        holder = client_of_author(session, author_id)
        raise Refused("identity.taken", client=holder.id if holder else None) from None
    for consent in session.scalars(select(Consent).where(Consent.author_id == author_id)):
        consent.client_id = consent.client_id or client.id
    record(session, "client.linked", actor, client_id=client.id, object_id=author_id, code=basis)
    return row


def _messages(evidence: Sequence[Evidence]) -> list[int]:
    return [one.message_id for one in evidence if one.message_id is not None]


def unlink_author(session: Session, actor: Actor, client_id: int, author_id: int) -> Identity:
    """They are not the same after all; the link stays in the history."""
    require(actor, "client.edit")
    row = session.scalar(
        select(Identity).where(Identity.linked_author_id == author_id, Identity.client_id == client_id)
    )
    if row is None:
        raise NotFound("identity.unknown")
    row.linked_author_id, row.state, row.ended_at = None, "unlinked", utc_now()
    for consent in session.scalars(
        select(Consent).where(Consent.author_id == author_id, Consent.client_id == client_id)
    ):
        consent.client_id = None
    record(session, "client.unlinked", actor, client_id=client_id, object_id=author_id)
    return row


def refuse_match(session: Session, actor: Actor, client_id: int, author_id: int) -> None:
    """«Not the same person»: the pair is not suggested again."""
    require(actor, "client.edit")
    client = get_client(session, actor, client_id)
    session.add(
        Identity(client_id=client.id, author_id=author_id, basis="confirmed", state="refused",
                 staff_id=actor.staff_id, ended_at=utc_now())
    )  # fmt: skip
    session.flush()
    record(session, "client.match_refused", actor, client_id=client.id, object_id=author_id)
