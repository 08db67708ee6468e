"""Who stands beside a client: the guardian of a minor, who pays, whom an organisation sends."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Client, ClientTie, utc_now
from services.crm.clients import check_use, get_client, is_minor, touch
from services.errors import NotFound, Refused
from services.events import record
from services.rights import Actor, require

ROLES = ("guardian", "payer", "employer", "contact")


@dataclass(frozen=True, slots=True)
class Tie:
    """``mine``: the other is the role of this card; else this card is the role of the other."""

    row: ClientTie
    other: Client
    mine: bool


def ties_of(session: Session, client_id: int) -> list[Tie]:
    """Both directions, this card's own first."""
    found = []
    for mine, here, there in (
        (True, ClientTie.client_id, ClientTie.other_id),
        (False, ClientTie.other_id, ClientTie.client_id),
    ):
        query = select(ClientTie, Client).join(Client, Client.id == there).where(here == client_id)
        found += [Tie(row, other, mine) for row, other in session.execute(query.order_by(ClientTie.id))]
    return found


def lacks_guardian(session: Session, client: Client, today: date) -> bool:
    """Whether a minor has nobody who may sign for them (R-19)."""
    if not is_minor(client.birth_date, today):
        return False
    query = select(ClientTie.id).where(ClientTie.client_id == client.id, ClientTie.role == "guardian")
    return session.scalar(query.limit(1)) is None


def tie_clients(
    session: Session, actor: Actor, client_id: int, other_id: int, role: str, relation: str = "", basis: str = ""
) -> ClientTie:
    """``other_id`` is the ``role`` of ``client_id``; a guardian is a grown-up person."""
    require(actor, "client.edit")
    client = get_client(session, actor, client_id, hold=True)
    other = get_client(session, actor, other_id)
    check_use(client)
    if role not in ROLES or other.id == client.id:
        raise Refused("tie.role")
    if role == "guardian" and (other.kind != "person" or is_minor(other.birth_date, utc_now().date())):
        raise Refused("tie.guardian")
    row = ClientTie(client_id=client.id, other_id=other.id, role=role, relation=relation[:100], basis=basis[:500])
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise Refused("tie.there") from None
    touch(client)
    record(session, "client.tied", actor, client_id=client.id, object_id=other.id, code=role)
    return row


def untie(session: Session, actor: Actor, tie_id: int) -> int:
    """Takes a tie away; returns the card it stood on."""
    require(actor, "client.edit")
    row = session.get(ClientTie, tie_id)
    if row is None:
        raise NotFound("tie.unknown", id=tie_id)
    client = get_client(session, actor, row.client_id, hold=True)
    session.delete(row)
    touch(client)
    record(session, "client.untied", actor, client_id=client.id, object_id=row.other_id, code=row.role)
    return client.id
