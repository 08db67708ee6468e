"""The list of clients and its search: by the beginning of any name, by any spelling of a phone, by mail, by ИНН."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from models import Client, ClientWord, Contact
from services.crm.clients import Reach, is_inn, reach
from services.crm.contacts import is_phone_like, phone_key
from services.crm.names import search_words
from services.crm.segments import SEGMENTS
from services.rights import Actor, require

PAGE = 50
NARROW = 2000
"""Cards up to this many are fetched and put in order; above it the list is walked in its order instead."""
_BEYOND = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Wanted:
    """``owner_id`` and ``segment`` narrow the list; ``state``: live · archived."""

    words: str = ""
    segment: str | None = None
    owner_id: int | None = None
    state: str = "live"


@dataclass(frozen=True, slots=True)
class ClientPage:
    """``after`` is the key of the next page, None at the end."""

    rows: tuple[Reach, ...]
    after: tuple[str, int] | None


def find_clients(
    session: Session, actor: Actor, wanted: Wanted, after: tuple[str, int] | None = None, limit: int = PAGE
) -> ClientPage:
    """One page of the list by name."""
    require(actor, "client.view")
    narrowed = _narrow(session, wanted, wanted.words.strip()[:200])
    if narrowed is None:
        return ClientPage((), None)
    if after is not None:
        narrowed = narrowed.where(tuple_(Client.name_key, Client.id) > after)
    found = list(session.scalars(narrowed.order_by(Client.name_key, Client.id).limit(limit + 1)))
    more = len(found) > limit
    rows = reach(session, found[:limit])
    return ClientPage(tuple(rows), (found[limit - 1].name_key, found[limit - 1].id) if more else None)


def count_clients(session: Session, actor: Actor) -> dict[str, int]:
    """Living cards by segment."""
    require(actor, "client.view")
    # Each segment by its own index: grouped, every card would be looked up.
    parts = [
        select(func.count()).where(Client.segment == segment, Client.state == "live").scalar_subquery()
        for segment in SEGMENTS
    ]
    found = session.execute(select(*parts)).one()
    return {segment: count for segment, count in zip(SEGMENTS, found, strict=True) if count}


def _query(wanted: Wanted, *, is_few: bool = False) -> Select[Any]:
    """All cards of the list. ``is_few``: they will be named by their numbers, and no index of the list's order may
    tempt the planner to walk all the others."""
    columns: list[tuple[Any, object]] = [(Client.state, wanted.state)]
    if wanted.segment:
        columns.append((Client.segment, wanted.segment))
    if wanted.owner_id is not None:
        columns.append((Client.owner_id, wanted.owner_id))
    return select(Client).where(
        *(func.coalesce(column, type(value)()) == value if is_few else column == value for column, value in columns)
    )


def _narrow(session: Session, wanted: Wanted, words: str) -> Select[Any] | None:
    """The query with what is looked for; None when nothing can be found."""
    if not words:
        return _query(wanted)
    few = _query(wanted, is_few=True)
    if "@" in words.strip("@"):
        return few.where(Client.id.in_(_contacts(Contact.key, words.lower(), "mail")))
    if words.startswith("@"):
        return few.where(Client.id.in_(_contacts(Contact.key, words[1:].lower(), "messenger")))
    if is_phone_like(words):
        # Each asks its own index; joined by «or» they would walk all cards.
        found = {one for part in _number(words) for one in session.scalars(part.limit(NARROW))}
        return few.where(Client.id.in_(found)) if found else None
    parts = sorted(search_words(words), key=len, reverse=True)[:6]
    if not parts:
        return None
    ids = _ids_by_words(session, parts)
    if len(ids) <= NARROW:
        return few.where(Client.id.in_(ids)) if ids else None
    return _query(wanted).where(*(_has_word(word) for word in parts))


def _number(words: str) -> list[Select[Any]]:
    """A whole phone, the last digits of one, or an ИНН or the school's own number: numbers of cards."""
    digits = re.sub(r"\D", "", words)
    key = phone_key(words)
    parts = [select(Client.id).where(Client.external_id == words)]
    if key is not None:
        parts.append(select(Contact.client_id).where(Contact.key == key, Contact.kind == "phone"))
    if key is None or len(digits) < 10:
        parts.append(_contacts(Contact.tail, digits[::-1], "phone"))
    if is_inn(digits):
        parts.append(select(Client.id).where(Client.inn == digits))
    return parts


def _contacts(column: InstrumentedAttribute[Any], start: str, kind: str) -> Select[Any]:
    return select(Contact.client_id).where(column >= start, column < start + _BEYOND, Contact.kind == kind)


def _ids_by_words(session: Session, words: Sequence[str]) -> list[int]:
    """Up to NARROW + 1 cards that have all the words, beginning with the rarest."""
    if len(words) > 1:
        words = sorted(words, key=lambda word: _frequency(session, word))
    first = aliased(ClientWord)
    query = select(first.client_id).where(first.word >= words[0], first.word < words[0] + _BEYOND).distinct()
    for word in words[1:]:
        other = aliased(ClientWord)
        query = query.where(
            exists().where(other.client_id == first.client_id, other.word >= word, other.word < word + _BEYOND)
        )
    return list(session.scalars(query.limit(NARROW + 1)))


def _frequency(session: Session, word: str) -> int:
    some = select(ClientWord.id).where(ClientWord.word >= word, ClientWord.word < word + _BEYOND).limit(NARROW * 2)
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0


def _has_word(word: str) -> ColumnElement[bool]:
    one = aliased(ClientWord)
    return exists().where(one.client_id == Client.id, one.word >= word, one.word < word + _BEYOND)
