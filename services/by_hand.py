"""Places that no program reads or writes: people bring the texts, put the answers there and say that they have."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from collectors import CHANNELS, channel_class
from collectors.base import ActKind
from collectors.manual import Pasted, paste_raw, pasted_message
from models import Act, Author, Case, Draft, Message, Publication, RawItem, Reply, Source, utc_now
from models.base import storable
from services.agreement import cause_to_wait
from services.candidates import supersede
from services.carriers import carrier_of
from services.case_states import is_open
from services.cases import check_version, get_case, message_answered, open_twin, same_form
from services.errors import Forbidden, NotFound, Refused
from services.events import record
from services.facts import note_facts
from services.intake import store_raws
from services.labelling import accept_label
from services.lint import Place, check_text, habits_of
from services.messages import store_messages
from services.outbox import note_reply, target_of
from services.replies import AFTERWARDS, go_on
from services.rights import Actor, require
from services.sources import get_source

BY_HAND = "by_hand"
"""Key of ``Act.target``: a person says that it stands there, no platform."""


def is_by_hand(source: Source) -> bool:
    """Whether people bring the texts of this place: always there, or since it was switched to it."""
    return source.state == "manual" or channel_class(source.platform).can.grade == "manual"


def places_by_hand(session: Session, actor: Actor) -> list[Source]:
    """Where a text may be brought, in the order of their names."""
    require(actor, "case.reply")
    named = [kind for kind in CHANNELS if channel_class(kind).can.grade == "manual"]
    query = select(Source).where((Source.platform.in_(named)) | (Source.state == "manual"))
    return list(session.scalars(query.where(Source.state != "paused").order_by(Source.title)))


def bring_message(session: Session, actor: Actor, source_id: int, pasted: Pasted) -> Message:
    """Keeps a pasted text as the place's message; the same one brought again is the same message.

    Raises Refused(«text.empty») without words, «paste.link» for a link that is none, «source.not_by_hand» for a
    place that the desk reads.
    """
    require(actor, "case.reply")
    source = session.get(Source, source_id)
    if source is None:
        raise NotFound("source.unknown", id=source_id)
    if not is_by_hand(source) or source.state == "paused":
        raise Refused("source.not_by_hand", id=source_id)
    if not pasted.text.strip():
        raise Refused("text.empty")
    if pasted.url.strip() and not pasted.url.strip().startswith(("http://", "https://")):
        raise Refused("paste.link")
    raw = paste_raw(pasted, utc_now())
    where = (Message.source_id == source.id, Message.container == raw.container)
    known = select(Message).where(*where, Message.external_id == raw.external_id)
    there = session.scalar(known)
    if there is not None:
        return there
    store_raws(session, source.id, (raw,))
    session.flush()
    session.query(RawItem).filter_by(source_id=source.id, kind=raw.kind, external_id=raw.external_id).update(
        {"state": "parsed"}
    )
    store_messages(session, source.id, source.platform, [pasted_message(raw)])
    source.read_at = utc_now()
    message = session.scalars(known).one()
    record(session, "message.brought", actor, case_id=message.case_id, object_id=message.id)
    return message


@dataclass(frozen=True)
class Published:
    """What a person says of an answer they have put somewhere; ``then`` and ``overrides`` as of replies.Wish."""

    url: str = ""
    then: str = "solve"
    version: int | None = None
    message_id: int | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)


def mark_published(session: Session, actor: Actor, case_id: int, text: str, form_key: str, said: Published) -> Act:
    """«Отмечено как опубликовано»: the answer counts as given, at this moment, by this person's word.

    Raises Refused where the desk itself can send there, for a link that is none, and as write_reply() does.
    """
    require(actor, "case.reply")
    text, url = storable(text).strip(), said.url.strip()
    case = get_case(session, actor, case_id, hold=True)
    known = session.scalar(select(Reply).where(Reply.form_key == form_key))
    if known is not None:
        same_form(known, known.text, text)
        return session.scalars(select(Act).where(Act.reply_id == known.id)).one()
    check_version(case, said.version)
    message = message_answered(session, case, said.message_id)
    if message is None:
        raise NotFound("message.unknown", id=None)
    source = get_source(session, actor, message.source_id)
    if carrier_of(session, source, message) is not None:
        raise Refused("source.can_send", platform=source.platform)
    _check(session, actor, case, text, url)
    place = Place(message.visibility == "public", source.platform, message.text)
    reply = Reply(
        case_id=case.id, message_id=message.id, staff_id=actor.staff_id, text=text, form_key=form_key,
        afterwards=AFTERWARDS[said.then], overrides=check_text(text, place, habits_of(session), said.overrides),
    )  # fmt: skip
    session.add(reply)
    session.flush()
    act = _done(session, actor, message, reply, url)
    if message.case_id == case.id:
        accept_label(session, actor, message)
    note_facts(session, reply)
    supersede(session, actor, case, message.id)
    note_reply(session, act)
    if is_open(case) or open_twin(session, case) is None:
        go_on(session, actor, case, reply.afterwards)
    session.execute(delete(Draft).where(Draft.case_id == case.id, Draft.staff_id == actor.staff_id))
    record(session, "reply.by_hand", actor, case_id=case.id, object_id=reply.id)
    return act


def _check(session: Session, actor: Actor, case: Case, text: str, url: str) -> None:
    if not text:
        raise Refused("text.empty")
    if url and not url.startswith(("http://", "https://")):
        raise Refused("paste.link")
    if cause_to_wait(session, actor, case):
        raise Forbidden("forbidden", act="reply.approve")  # it stands there already, nobody could still agree


def _done(session: Session, actor: Actor, message: Message, reply: Reply, url: str) -> Act:
    author = session.get(Author, message.author_id) if message.author_id else None
    place = session.get(Publication, message.publication_id) if message.publication_id else None
    target = target_of(
        message, author.external_id if author else None, author.name if author else None,
        place.external_id if place else None,
    )  # fmt: skip
    now = utc_now()
    act = Act(
        kind=ActKind.REPLY.value, source_id=message.source_id, case_id=reply.case_id, reply_id=reply.id,
        message_id=message.id, staff_id=actor.staff_id, text=reply.text, token=secrets.token_hex(16),
        state="accepted", due_at=now, accepted_at=now, url=url or None, target={**target, BY_HAND: True},
    )  # fmt: skip
    session.add(act)
    session.flush()
    return act
