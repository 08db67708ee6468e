"""«Написать»: we speak first by the ways that platforms leave open, and say why the others are closed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session

from collectors import channel_class
from collectors.base import ActKind, SourceState, Target
from models import Author, Base, Case, Contact, Event, Message, Outreach, Publication, Source, utc_now
from models.database import Database
from services.crm.cards import seen_contact
from services.crm.clients import check_use, contacts_of, get_client
from services.crm.contacts import masked, read_contact
from services.crm.identities import authors_of, client_of_author, link_author
from services.errors import NotFound, Refused
from services.leases import insert_missing
from services.outbox import IDLE
from services.rights import Actor, require

MAIL = "mail"
MOST_SUBJECT = 200
MOST_LOOKED_AT = 100
UNUSED = timedelta(days=1)
"""A conversation that was begun, but in which nothing was written, is forgotten after so long."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to begin. ``kind``: dialogue · letter · publication · none. ``who``: an account, an address or a
    title, as the actor may read it. ``closed``: why it is no way: idle · comments · first · elsewhere · phone ·
    mailbox · address.
    """

    key: str
    kind: str
    platform: str
    who: str
    source: Source | None = None
    target: Target | None = None
    author_id: int | None = None
    closed: str | None = None
    contact: Contact | None = None
    publication_id: int | None = None


def ways_to_client(session: Session, actor: Actor, client_id: int) -> list[Way]:
    """All of a card, the open ones first. Raises NotFound, and Refused for a card that may only be kept."""
    require(actor, "case.reply")
    client = get_client(session, actor, client_id)
    check_use(client)
    contacts = [one for one in contacts_of(session, client.id) if one.kind == MAIL]
    authors = [author for _identity, author in authors_of(session, client.id) if author.hidden_at is None]
    known = {one.key for one in contacts}
    ways = [
        way for one in contacts for way in _letters(session, one.key, seen_contact(actor, one), f"c{one.id}", one)
    ]
    for author in authors:
        kind, value = _account(author)
        if kind == MAIL and value not in known:
            known.add(value)
            ways.extend(_letters(session, value, _seen(actor, MAIL, value), f"a{author.id}"))
        elif kind == "phone":
            who = _seen(actor, "phone", value)
            ways.append(Way(f"none:{author.id}", "none", author.platform, who, closed="phone"))
        elif kind == "account":
            ways.append(_dialogue(session, author))
    if not any(way.kind == "letter" for way in ways):
        ways.append(Way("letter:none", "letter", MAIL, "", closed="address"))
    return sorted(ways, key=lambda way: way.closed is not None)


def ways_to_address(session: Session, actor: Actor, address: str) -> list[Way]:
    """By which mailbox a letter may go to a typed address; raises Refused for what is no address."""
    require(actor, "case.reply")
    written = read_contact(address, MAIL)
    return _letters(session, written.key, written.value, "typed")


def way_to_publication(session: Session, actor: Actor, publication_id: int) -> Way:
    """A new comment of ours under a publication; raises NotFound where nothing public stands there yet."""
    require(actor, "case.reply")
    place = session.get(Publication, publication_id)
    under = select(Message).where(Message.publication_id == publication_id, Message.visibility == "public")
    source = session.get_one(Source, place.source_id) if place is not None else None
    # A chat of the same broadcast is another place than what stands under the recording.
    newest = next(
        (
            one for one in session.scalars(under.order_by(Message.id.desc()).limit(MOST_LOOKED_AT))
            if source is not None and not channel_class(source.platform).is_live(one.container)
        ),
        None,
    )  # fmt: skip
    if place is None or source is None or newest is None:
        raise NotFound("publication.unknown", id=publication_id)
    target = Target(
        container=newest.container, publication_external_id=place.external_id, context=_lasting(source, newest)
    )
    return Way(
        f"publication:{place.id}", "publication", source.platform, place.title or source.title, source, target,
        closed=_closed(source, "comments"), publication_id=place.id,
    )  # fmt: skip


def begin(session: Session, actor: Actor, ways: Sequence[Way], key: str, subject: str = "") -> Case:
    """The case in which the first word is written; one that is open, or was begun and left, is gone on with.

    Nothing is sent and nobody sees it until a reply is written in it. Raises NotFound for a ``key`` that is none of
    ``ways``, Refused for a closed one and for a letter without a subject.
    """
    way = next((one for one in ways if one.key == key), None)
    if way is None:
        raise NotFound("way.unknown", id=0)
    if way.closed is not None or way.source is None or way.target is None:
        raise Refused("way.closed", why=way.closed, platform=way.platform)
    author_id, target = way.author_id, way.target
    if way.kind == "letter":
        subject = " ".join(subject.split())[:MOST_SUBJECT]
        if not subject:
            raise Refused("subject.empty")
        author_id = _addressee(session, actor, way, target.container)
        target = replace(target, subject=subject)
    like = Case(
        source_id=way.source.id, author_id=author_id, publication_id=way.publication_id,
        visibility="public" if way.kind == "publication" else "private",
    )  # fmt: skip
    return _open(session, actor, way, like, target)


def outreach_of(session: Session, case_id: int) -> Outreach | None:
    """How the conversation was begun, if it was we who did."""
    return session.scalar(select(Outreach).where(Outreach.case_id == case_id))


def run_forget_unused(database: Database) -> int:
    """Forgets what was begun and never written in; returns how many."""
    old = (
        select(Case.id).join(Outreach, Outreach.case_id == Case.id)
        .where(
            Case.number.is_(None), Case.first_message_id.is_(None), Outreach.created_at < utc_now() - UNUSED,
            *(~exists().where(column == Case.id) for column in _names_of_case()),
        )
    )  # fmt: skip
    with database.read.begin() as session:
        if session.scalar(old.limit(1)) is None:
            return 0
    with database.write.begin() as session:
        ids = list(session.scalars(old.order_by(Case.id).with_for_update(of=Case)))
        session.execute(delete(Outreach).where(Outreach.case_id.in_(ids)))
        session.execute(delete(Case).where(Case.id.in_(ids)))
    return len(ids)


def _names_of_case() -> list[ColumnElement[Any]]:
    """Whatever names a case, but for how it was begun: an act, a draft, somebody who follows it, an event."""
    tables = [table for table in Base.metadata.sorted_tables if table.name != Outreach.__tablename__]
    named = [key.parent for table in tables for key in table.foreign_keys if key.target_fullname == "case.id"]
    return [*named, Event.__table__.c.case_id]


# ── which ways there are ─────────────────────────────────────────────────────


def _account(author: Author) -> tuple[str, str]:
    """mail · phone · account, and its value: an address or a number may be all that a form or a call knows."""
    if author.platform == MAIL:
        return MAIL, author.external_id
    prefix, _, value = author.external_id.partition(":")
    return (prefix, value) if prefix in (MAIL, "phone") else ("account", author.external_id)


def _seen(actor: Actor, kind: str, value: str) -> str:
    return value if actor.may("client.contacts") else masked(kind, value)


def _closed(source: Source, otherwise: str) -> str | None:
    if source.state in IDLE:
        return "idle"
    return None if ActKind.MESSAGE in channel_class(source.platform).can.acts else otherwise


def _letters(session: Session, address: str, who: str, name: str, contact: Contact | None = None) -> list[Way]:
    """One a mailbox: an answer comes back to the one that wrote."""
    boxes = list(session.scalars(select(Source).where(Source.platform == MAIL).order_by(Source.id)))
    if not boxes:
        return [Way(f"letter:{name}", "letter", MAIL, who, closed="mailbox")]
    target = Target(container=address, author_external_id=address, context={"from": address})
    return [
        Way(f"letter:{box.id}:{name}", "letter", MAIL, who, box, target, None, _closed(box, "first"), contact)
        for box in boxes
    ]


def _dialogue(session: Session, author: Author) -> Way:
    """Where the author has written to us unseen by others: platforms let a page write first to hardly anybody."""
    found = session.execute(
        select(Message, Source)
        .join(Source, Source.id == Message.source_id)
        .where(
            Message.author_id == author.id, Message.visibility == "private", Message.direction == "in",
            Message.state != SourceState.DELETED.value,
        )
        .order_by(Source.state.in_(IDLE), Message.published_at.desc(), Message.id.desc())
        .limit(1)
    ).one_or_none()  # fmt: skip
    who = author.name or author.external_id
    if found is None:
        spoken = select(Message.id).where(Message.author_id == author.id, Message.visibility == "public").limit(1)
        why = "comments" if session.scalar(spoken) else "first"
        return Way(f"none:{author.id}", "none", author.platform, who, author_id=author.id, closed=why)
    message, source = found
    target = Target(
        container=message.container, author_external_id=author.external_id, author_name=author.name,
        context=_lasting(source, message),
    )  # fmt: skip
    return Way(
        f"dialogue:{author.id}", "dialogue", author.platform, who, source, target, author.id,
        closed=_closed(source, "elsewhere"),
    )  # fmt: skip


def _lasting(source: Source, message: Message) -> dict[str, Any]:
    """Of a message's context what is true of its place; ids of one message would make an answer to it."""
    keep = channel_class(source.platform).can.place_context
    return {name: value for name, value in message.context.items() if name in keep}


# ── the case ─────────────────────────────────────────────────────────────────


def _addressee(session: Session, actor: Actor, way: Way, address: str) -> int:
    """The author that the address is, made where nobody has written from it, and tied to the card it stands on."""
    row = {"platform": MAIL, "external_id": address, "name": address, "is_us": False}
    insert_missing(session, Author, [row], "platform", "external_id")
    author = session.scalars(select(Author).where(Author.platform == MAIL, Author.external_id == address)).one()
    if author.is_us:
        raise Refused("way.own", address=address)
    if way.contact is not None and actor.may("client.edit") and client_of_author(session, author.id) is None:
        link_author(session, actor, way.contact.client_id, author.id, "contact")
    return author.id


def _unused(session: Session, actor: Actor, like: Case, way: Way, target: Target) -> Case | None:
    """What the same person has begun by the same way and not written in."""
    mine = select(Outreach, Case).join(Case, Case.id == Outreach.case_id).where(
        Outreach.staff_id == actor.staff_id, Outreach.kind == way.kind, Case.number.is_(None),
        Case.author_id == like.author_id, Case.publication_id == like.publication_id,
        Case.source_id == like.source_id, Case.first_message_id.is_(None),
    )  # fmt: skip
    found = session.execute(mine.order_by(Outreach.id.desc()).limit(1)).one_or_none()
    if found is None:
        return None
    found[0].target = asdict(target)
    return found[1]


def _open(session: Session, actor: Actor, way: Way, like: Case, target: Target) -> Case:
    """An answer in a dialogue comes to its open case by the key, an answer to a letter by our Message-ID."""
    if way.kind == "dialogue":
        key = f"{like.source_id}:{like.author_id}:{target.container}"
        known = session.scalar(select(Case).where(Case.open_key == key))
    else:
        key = f"{like.source_id}:{like.author_id}:begun-{token_hex(8)}"
        known = _unused(session, actor, like, way, target)
    if known is not None:
        return known
    now = utc_now()
    new = {
        "subject_key": key, "open_key": key, "source_id": like.source_id, "publication_id": like.publication_id,
        "author_id": like.author_id, "first_message_id": None, "visibility": like.visibility,
        "opened_at": now, "last_message_at": now, "state": "new", "stage": "arriving", "lift": None,
        "label": "other", "sure": True, "reopened": 0, "version": 1, "created_at": now,
    }  # fmt: skip
    insert_missing(session, Case, [new], "open_key")
    case = session.scalars(select(Case).where(Case.open_key == key).with_for_update()).one()
    if outreach_of(session, case.id) is None and case.first_message_id is None:
        session.add(Outreach(case_id=case.id, kind=way.kind, target=asdict(target), staff_id=actor.staff_id))
        session.flush()
    return case
