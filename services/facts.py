"""«Справочник фактов»: prices, dates and links that replies carry, and the replies that still carry an old one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from collectors import channel_class
from collectors.base import ActKind
from models import Act, Fact, FactUse, Reply, Source, Staff, utc_now
from services.errors import NotFound, Refused
from services.events import record
from services.rights import Actor, require
from services.settings.history import keeping

NAME = "facts"
"""Under it the versions of the whole table are kept."""
COLUMNS = ("code", "title", "value", "owner_id")
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


def snapshot(session: Session) -> list[dict[str, Any]]:
    """The facts as a version keeps them."""
    rows = session.scalars(select(Fact).order_by(Fact.id))
    return [
        {
            "id": fact.id, **{name: getattr(fact, name) for name in COLUMNS},
            "valid_to": fact.valid_to.isoformat() if fact.valid_to else None,
        }
        for fact in rows
    ]  # fmt: skip


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
    with keeping(session, actor, NAME, snapshot):
        return _save(session, actor, fact_id, code, title, value, owner_id, valid_to)


def _save(
    session: Session, actor: Actor, fact_id: int | None, code: str, title: str, value: str, owner_id: int | None,
    valid_to: date | None,
) -> Fact:  # fmt: skip
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


def replace_facts(session: Session, actor: Actor, rows: Sequence[Mapping[str, Any]]) -> None:
    """The facts become these of a snapshot; those that are there keep their number, and with it the replies that
    carry them. An owner who is no person here any more is left out."""
    require(actor, "fact.edit")
    people = set(session.scalars(select(Staff.id)))
    with keeping(session, actor, NAME, snapshot):
        known = {fact.id: fact for fact in list_facts(session)}
        gone = known.keys() - {one["id"] for one in rows}
        session.execute(delete(FactUse).where(FactUse.fact_id.in_(gone)))
        for fact_id in gone:
            session.delete(known[fact_id])
        for one in rows:
            # Two may change their words with each other, and a word stands once.
            if one["id"] in known and known[one["id"]].code != one["code"]:
                known[one["id"]].code = f"{one['id']}:{one['code']}"
        session.flush()
        for one in rows:
            fact = known.get(one["id"]) or Fact(id=one["id"])
            for name in COLUMNS:
                setattr(fact, name, one[name])
            fact.owner_id = one["owner_id"] if one["owner_id"] in people else None
            fact.valid_to = date.fromisoformat(one["valid_to"]) if one["valid_to"] else None
            fact.updated_at = utc_now()
            session.add(fact)
            session.flush()


def values_of(facts: Sequence[Fact]) -> dict[str, str]:
    """Placeholder → value, as saved replies write them: ``fact.code``."""
    return {f"fact.{fact.code}": fact.value for fact in facts}
