"""«Справочник фактов»: prices, dates and links that replies carry, and the replies that still carry an old one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from collectors import channel_class
from collectors.base import ActKind
from models import Act, Fact, FactUse, Reply, Source, utc_now
from services.errors import NotFound, Refused
from services.events import record
from services.rights import Actor, require

SHORTEST = 3
"""A value shorter than this would be found in every text."""


@dataclass(frozen=True, slots=True)
class Outdated:
    """A published reply that carries an older value; ``can_edit``: the platform lets us correct it."""

    act: Act
    reply: Reply
    source: Source
    value: str
    can_edit: bool


def list_facts(session: Session) -> list[Fact]:
    """All facts, by title."""
    return list(session.scalars(select(Fact).order_by(Fact.title, Fact.id)))


def get_fact(session: Session, fact_id: int) -> Fact:
    fact = session.get(Fact, fact_id)
    if fact is None:
        raise NotFound("fact.unknown", id=fact_id)
    return fact


def is_over(fact: Fact, today: date) -> bool:
    """The day until which the fact holds is past."""
    return fact.valid_to is not None and fact.valid_to < today


def outdated_replies(session: Session, fact: Fact, limit: int = 200) -> list[Outdated]:
    """Published replies that carry another value of the fact than it has now, newest first."""
    rows = session.execute(
        select(FactUse, Reply, Act, Source)
        .join(Reply, Reply.id == FactUse.reply_id)
        .join(Act, Act.reply_id == Reply.id)
        .join(Source, Source.id == Act.source_id)
        .where(FactUse.fact_id == fact.id, FactUse.value != fact.value, Act.state.in_(("accepted", "seen")))
        .order_by(Reply.id.desc())
        .limit(limit)
    )
    return [
        Outdated(act, reply, source, use.value, ActKind.EDIT in channel_class(source.platform).can.acts)
        for use, reply, act, source in rows
        if use.value in reply.text
    ]


def note_facts(session: Session, reply: Reply) -> None:
    """Remembers which facts a reply carries, also those that somebody typed by hand."""
    for fact in list_facts(session):
        if len(fact.value) >= SHORTEST and fact.value in reply.text:
            session.add(FactUse(fact_id=fact.id, reply_id=reply.id, value=fact.value))


def save_fact(
    session: Session,
    actor: Actor,
    fact_id: int | None,
    *,
    code: str,
    title: str,
    value: str,
    owner_id: int | None = None,
    valid_to: date | None = None,
) -> Fact:
    """Makes or changes a fact; raises Refused for an empty field or a code that is taken."""
    require(actor, "fact.edit")
    code, title, value = code.strip().lower(), title.strip(), value.strip()
    if not code or not title or not value:
        raise Refused("text.empty")
    if not code.replace("_", "").replace("-", "").isalnum():
        raise Refused("fact.code")
    twin = session.scalar(select(Fact.id).where(Fact.code == code, Fact.id != (fact_id or 0)))
    if twin is not None:
        raise Refused("fact.taken", word=code)
    fact = Fact(code=code) if fact_id is None else get_fact(session, fact_id)
    fact.code, fact.title, fact.value = code, title, value
    fact.owner_id, fact.valid_to, fact.updated_at = owner_id, valid_to, utc_now()
    session.add(fact)
    session.flush()
    record(session, "fact.saved", actor, object_id=fact.id)
    return fact


def values_of(facts: Sequence[Fact]) -> dict[str, str]:
    """Placeholder → value, as saved replies write them: ``fact.code``."""
    return {f"fact.{fact.code}": fact.value for fact in facts}
