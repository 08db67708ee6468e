"""What colleagues write to one another beside a card."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ClientNote
from services.cases import same_form
from services.crm.clients import check_use, get_client
from services.errors import Refused
from services.events import record
from services.rights import Actor, require

LONGEST = 5000


def add_client_note(session: Session, actor: Actor, client_id: int, text: str, form_key: str) -> ClientNote:
    """One note a form, however often it is sent."""
    require(actor, "client.edit")
    known = session.scalar(select(ClientNote).where(ClientNote.form_key == form_key))
    if known is not None:
        return same_form(known, known.text, text)
    client = get_client(session, actor, client_id)
    check_use(client)
    if not text.strip():
        raise Refused("text.empty")
    note = ClientNote(
        client_id=client.id, staff_id=actor.staff_id, text=text.strip()[:LONGEST], form_key=form_key
    )  # fmt: skip
    session.add(note)
    session.flush()
    record(session, "client.noted", actor, client_id=client.id, object_id=note.id)
    return note
