"""The end of an incident is told to everybody in it: each text is seen, changed or left out before it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from models import Bulk, Incident
from services.bulks import MOST, begin_bulk
from services.errors import Refused
from services.events import record
from services.incidents.register import Member, hold_incident, view_incident
from services.rights import Actor, require
from services.saved_replies import fill_text
from services.variations import vary

CLOSING = (
    "{{привет}} {Всё починили, теперь должно работать|Исправили, теперь всё работает|Неполадку устранили, "
    "можно пользоваться}. {Извините за неудобства|Простите за ожидание|Приносим извинения}. "
    "Если {что-то не так|не получается|трудность осталась}, {напишите нам ещё раз|напишите нам снова}."
)
"""What is offered, in the language of the school's people."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What one person would be told; ``missing``: placeholders of which nothing is known; ``wanted``: the case is
    open still."""

    member: Member
    text: str
    missing: tuple[str, ...]
    wanted: bool


def drafts_of(session: Session, actor: Actor, incident_id: int, text: str = CLOSING) -> list[Draft]:
    """The closing answer as each would get it."""
    require(actor, "case.reply")
    found = []
    for member in view_incident(session, actor, incident_id, MOST).members:
        filled = fill_text(session, actor, vary(text, member.case.id), member.case.id)
        found.append(Draft(member, filled.text, filled.missing, member.case.open_key is not None))
    return found


def answer_incident(
    session: Session, actor: Actor, incident_id: int, closing: str, texts: Mapping[int, str], chosen: Sequence[int]
) -> tuple[Incident, Bulk]:
    """Begins the mass answer to the ``chosen`` cases, to each its own of ``texts``; once, unless it was taken back.

    Raises Refused while the incident goes on, for a case that is not in it, and for an empty text.
    """
    require(actor, "case.reply")
    incident = hold_incident(session, incident_id)
    before = session.get(Bulk, incident.bulk_id) if incident.bulk_id else None
    if incident.state == "open":
        raise Refused("incident.open")
    if before is not None and before.state != "undone":
        raise Refused("incident.answered")
    members = {one.case.id for one in view_incident(session, actor, incident_id, MOST).members}
    wanted = [case_id for case_id in dict.fromkeys(chosen) if case_id in members]
    if not wanted or len(wanted) != len(set(chosen)):
        raise Refused("incident.empty")
    if not all(texts.get(case_id, "").strip() for case_id in wanted):
        raise Refused("text.empty")
    value = {"text": closing.strip(), "texts": {str(case_id): texts[case_id].strip() for case_id in wanted}}
    bulk = begin_bulk(session, actor, "answer", value, wanted)
    incident.state, incident.closing, incident.bulk_id = "answered", closing.strip(), bulk.id
    record(session, "incident.answered", actor, object_id=incident.id, count=len(wanted))
    return incident, bulk
