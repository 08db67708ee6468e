"""A card as screens show it: whole, and as one line beside a conversation (day.md §1.11)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from models import Author, Client, Consent, Contact, Identity, Merge, PrivacyRequest, Staff, Study, Task, utc_now
from services.contracts.register import FirstLine, first_line
from services.crm.clients import contacts_of, get_client, is_minor
from services.crm.contacts import masked
from services.crm.identities import Suggestion, authors_of, client_of_author, look_at
from services.crm.merging import last_merge_of
from services.crm.segments import is_over, studies_of
from services.crm.ties import Tie, lacks_guardian, ties_of
from services.rights import Actor


@dataclass(frozen=True, slots=True)
class Line:
    """What everybody at the desk sees first: no sums, contacts masked for who may not see them."""

    client: Client
    contact: str
    study: Study | None
    studies: int
    promise: Task | None
    tasks: int
    minor: bool
    contract: FirstLine | None


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside a conversation: the card, or those it may be, or nothing yet. ``contact``: what a new card
    begins with, a phone or a mail that the author wrote."""

    author: Author | None
    line: Line | None = None
    suggestions: tuple[Suggestion, ...] = ()
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Similar:
    """A card that may be the same person's; ``why``: contact · inn · birthday (with the same name)."""

    client: Client
    why: str


@dataclass(frozen=True, slots=True)
class CardView:
    """All that the screen of a card shows but its timeline."""

    client: Client
    line: Line
    contacts: tuple[Contact, ...]
    authors: tuple[tuple[Identity, Author], ...]
    ties: tuple[Tie, ...]
    studies: tuple[Study, ...]
    consents: tuple[Consent, ...]
    tasks: tuple[Task, ...]
    merges: tuple[tuple[Merge, Client], ...]
    similar: tuple[Similar, ...]
    requests: tuple[PrivacyRequest, ...]
    owner: Staff | None
    needs_guardian: bool


def seen_contact(actor: Actor, contact: Contact) -> str:
    """The contact as the actor may read it."""
    return contact.value if actor.may("client.contacts") else masked(contact.kind, contact.value)


def line_of(session: Session, actor: Actor, client: Client) -> Line:
    """The first line of a card."""
    contacts, studies = contacts_of(session, client.id), studies_of(session, client.id)
    return _line(session, actor, client, contacts, studies, open_tasks_of(session, client.id))


def open_tasks_of(session: Session, client_id: int) -> list[Task]:
    """What is to be done about a client, the soonest due first."""
    query = select(Task).where(Task.client_id == client_id, Task.state == "open")
    return list(session.scalars(query.order_by(Task.due_at, Task.id)))


def _line(
    session: Session,
    actor: Actor,
    client: Client,
    contacts: Sequence[Contact],
    studies: Sequence[Study],
    tasks: Sequence[Task],
) -> Line:
    today = utc_now().date()
    running = [one for one in studies if not is_over(one, today)]
    promise = next((one for one in tasks if one.kind == "promise"), None)
    return Line(
        client, seen_contact(actor, contacts[0]) if contacts else "", next(iter(running or studies), None),
        len(studies), promise, len(tasks), is_minor(client.birth_date, today),
        first_line(session, client.id, today),
    )  # fmt: skip


def beside(session: Session, actor: Actor, author_id: int | None) -> Beside | None:
    """For the case pane; None where nobody may know of clients."""
    author = session.get(Author, author_id) if author_id is not None else None
    if author is None or author.is_us or not actor.may("client.view"):
        return None
    client = client_of_author(session, author.id)
    if client is not None:
        return Beside(author, line_of(session, actor, client))
    found, contact = look_at(session, actor, author.id)
    return Beside(author, None, tuple(found), contact)


def view_card(session: Session, actor: Actor, client_id: int) -> CardView:
    """Raises NotFound like services.crm.clients.get_client."""
    client = get_client(session, actor, client_id)
    consents = select(Consent).where(Consent.client_id == client.id).order_by(Consent.given_at.desc())
    contacts, studies = contacts_of(session, client.id), studies_of(session, client.id)
    tasks = open_tasks_of(session, client.id)
    asked = select(PrivacyRequest).where(PrivacyRequest.client_id == client.id).order_by(PrivacyRequest.id.desc())
    return CardView(
        client=client,
        line=_line(session, actor, client, contacts, studies, tasks),
        contacts=tuple(contacts),
        authors=tuple(authors_of(session, client.id)),
        ties=tuple(ties_of(session, client.id)),
        studies=tuple(studies),
        consents=tuple(session.scalars(consents)),
        tasks=tuple(tasks),
        merges=tuple((row, session.get_one(Client, row.gone_id)) for row in last_merge_of(session, client.id)),
        similar=tuple(similar_cards(session, client)),
        requests=tuple(session.scalars(asked)) if actor.may("privacy.view") else (),
        owner=session.get(Staff, client.owner_id) if client.owner_id is not None else None,
        needs_guardian=lacks_guardian(session, client, utc_now().date()),
    )


def similar_cards(session: Session, client: Client, limit: int = 5) -> list[Similar]:
    """Cards with the same contact (one of the two has ended), the same ИНН, or the same name and birthday."""
    require_live = and_(Client.state == "live", Client.id != client.id)
    found: dict[int, Similar] = {}
    own = select(Contact.key).where(Contact.client_id == client.id, Contact.kind.in_(("phone", "mail")))
    keys = list(session.scalars(own))
    # Step by step, each by its index: as one question the planner would rather walk all cards.
    ids = set(session.scalars(select(Contact.client_id).where(Contact.key.in_(keys)).limit(50))) - {client.id}
    if ids:
        _note(found, session.scalars(select(Client).where(require_live, Client.id.in_(ids))).all(), "contact")
    if client.inn:
        _note(found, session.scalars(select(Client).where(require_live, Client.inn == client.inn)).all(), "inn")
    if client.birth_date is not None and " " in client.name_key:
        turned = " ".join(reversed(client.name_key.split()))
        same = or_(Client.name_key == client.name_key, Client.name_key == turned)
        born = select(Client).where(require_live, same, Client.birth_date == client.birth_date)
        _note(found, session.scalars(born.limit(limit)).all(), "birthday")
    return list(found.values())[:limit]


def _note(found: dict[int, Similar], clients: Sequence[Client], why: str) -> None:
    for client in clients:
        found.setdefault(client.id, Similar(client, why))
