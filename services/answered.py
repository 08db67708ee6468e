"""«Мы уже отвечали»: what was answered to questions alike, from the whole history, nearest first."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from collectors.base import SourceState
from models import Act, Author, Case, Department, Message, MessageBand, Reply, Route, SearchEntry, Source
from services.cases import get_case
from services.excerpts import message_of
from services.findings import full_text
from services.lemmas import content_of, index, is_first_name
from services.lint import Place, habits_of, lint
from services.rights import Actor, require
from services.satisfaction import without_line
from services.search_keys import keys_of_hits
from services.search_query import Query, Term

MOST = 5
MOST_WORDS = 10
"""So many words of a question are looked for: a letter's first lines say what it is about."""
NEWEST = 200
"""Of each word the newest so many hits; a word with more of them is a common one."""
MOST_ALIKE = 60
MOST_TEXTS = 3
LEAST = 0.42
"""The cosine below which two questions are about different things; see tests/services/test_answered.py."""
WHOLE = 0.72
"""What a thread in which somebody answered lends to a message that was not answered itself."""
STANDING = ("accepted", "seen")


@dataclass(frozen=True, slots=True)
class Past:
    """One answer that was given: ``text`` as it stands, ``ready`` as it would be said to this author.

    ``kind``: published · department. ``fit`` is between 0 and 1. ``times``: how often the same was answered.
    """

    kind: str
    text: str
    ready: str
    at: datetime
    place: str  # the title of the place, or the department's name
    platform: str
    private: bool
    case_id: int | None
    asked: str
    fit: float
    times: int = 1


@dataclass(frozen=True, slots=True)
class _Alike:
    """A message that asks the same, with how near it is."""

    message: Message
    fit: float


def past_answers(session: Session, actor: Actor, case_id: int, limit: int = MOST) -> tuple[Past, ...]:
    """Answers to the questions nearest to the newest ones of the case; the case's own are left out.

    Only who may write replies sees them. Under a public comment nothing of a private conversation is offered in
    which the linter finds somebody's personal data.
    """
    require(actor, "case.reply")
    case = get_case(session, actor, case_id)
    for message in _asked_in(session, case):
        alike = _alike(session, message, case)
        found = [*_published(session, alike), *_of_departments(session, alike)] if alike else []
        if found:
            return _ready(session, case, message, found, limit)
    return ()


def _asked_in(session: Session, case: Case) -> Sequence[Message]:
    """The newest texts of the case: «а всё нашла» after a question says nothing that was ever answered."""
    query = select(Message).where(Message.case_id == case.id, Message.direction == "in")
    newest = query.order_by(Message.published_at.desc(), Message.id.desc()).limit(MOST_TEXTS)
    own = session.scalars(newest).all()
    part = message_of(session, case.id) if not own else None
    return own if part is None else [part]


def _ready(session: Session, case: Case, message: Message, found: Sequence[Past], limit: int) -> tuple[Past, ...]:
    """The best of ``found`` as they would be said here."""
    author = session.get(Author, case.author_id) if case.author_id else None
    name = first_name(author.name) if author else ""
    habits = habits_of(session)
    place = Place(case.visibility == "public", asked=message.text)
    kept = []
    for past in _once(found):
        ready = for_another(past.text, name)
        if place.public and past.private and any(one.blocks for one in lint(ready, place, habits)):
            continue
        kept.append(replace(past, ready=ready))
        if len(kept) == limit:
            break
    return tuple(kept)


def first_name(name: str) -> str:
    """The first word of a name that looks like one; empty for a nickname."""
    first = name.split()[0] if name.split() else ""
    return first if re.fullmatch(r"[A-ZА-ЯЁ][a-zа-яё-]+", first) else ""


def for_another(text: str, name: str) -> str:
    """An answer without the name of whom it was said to: another's name in its place, or none.

    Only a name by which a text begins, or that follows its greeting, is taken for one.
    """
    found = re.match(
        r"(?P<hello>(?:[А-ЯЁ][а-яё]+(?:\s[а-яё]+)?,?\s)?)(?P<name>[А-ЯЁ][а-яё-]+)(?P<mark>[,!])\s*", text
    )
    if found is None or not is_first_name(found["name"]):
        return text
    rest = text[found.end() :]
    if name:
        return f"{found['hello']}{name}{found['mark']} {rest}"
    if hello := found["hello"].rstrip(" ,"):
        return f"{hello}{found['mark']} {rest}"
    return rest[:1].upper() + rest[1:]


# ── which messages are alike ─────────────────────────────────────────────────


def _alike(session: Session, message: Message, case: Case) -> list[_Alike]:
    said = content_of(index(full_text(message)).words)
    words = list(dict.fromkeys(said))[:MOST_WORDS]
    if not words:
        return []
    keys, weights = _hits(session, words)
    copies = set(_near_copies(session, message))
    known = _words_of(session, keys)
    known.update(_entries_of_copies(session, copies - known.keys()))
    fits = {
        key: 1.0 if key in copies and message.fingerprint == 0 else _cosine(words, content_of(theirs), weights)
        for key, theirs in known.items()
    }
    fits = {key: max(fit, 0.9 if key in copies else 0.0) for key, fit in fits.items()}
    best = sorted((key for key, fit in fits.items() if fit >= LEAST), key=lambda key: (-fits[key], -key))
    rows = session.scalars(
        select(Message).where(
            Message.id.in_(best[: 4 * MOST_ALIKE]), Message.direction == "in", Message.work != "spam"
        )
    )
    found = [_Alike(row, fits[row.id]) for row in rows if row.case_id != case.id]
    return sorted(found, key=lambda one: (-one.fit, -one.message.id))[:MOST_ALIKE]


def _hits(session: Session, words: Sequence[str]) -> tuple[set[int], dict[str, float]]:
    """Keys of messages that share words, and what each word weighs: the rarer the more.

    A word with more hits than are read is looked for once more beside each other one, lest the newest hide what
    is nearer.
    """
    total = max(2, session.scalar(select(func.max(Message.id))) or 2)
    weights: dict[str, float] = {}
    keys: set[int] = set()
    common: list[str] = []
    span = _span(session)
    for word in words:
        hits = keys_of_hits(session, _asked(word), None, NEWEST)
        keys.update(hits)
        count = float(len(hits))
        if len(hits) == NEWEST:
            common.append(word)
            count = NEWEST * max(1.0, span / max(1, hits[0] - hits[-1]))
        weights[word] = math.log(1 + total / (1 + count))
    rarest = sorted(words, key=lambda word: -weights[word])[:4]
    for at, word in enumerate(rarest):
        for other in rarest[at + 1 :]:
            if word in common and other in common:
                keys.update(keys_of_hits(session, _asked(word, other), None, NEWEST))
    return keys, weights


def _span(session: Session) -> float:
    """How much time the index covers, in the measure of its keys."""
    # Two questions: both ends in one would walk the whole index of SQLite.
    first, last = (session.scalar(select(end(SearchEntry.id))) or 0 for end in (func.min, func.max))
    return float(last - first)


def _asked(*words: str) -> Query:
    return Query(terms=tuple(Term(word, ((word,),)) for word in (*words, "xin")))


def _words_of(session: Session, keys: set[int]) -> dict[int, list[str]]:
    """message → its words."""
    found: dict[int, list[str]] = {}
    listed = sorted(keys, reverse=True)
    for start in range(0, len(listed), 900):
        query = select(SearchEntry.object_id, SearchEntry.words).where(
            SearchEntry.id.in_(listed[start : start + 900]), SearchEntry.kind == "message"
        )
        found.update((row.object_id, row.words.split()) for row in session.execute(query))
    return found


def _near_copies(session: Session, message: Message) -> list[int]:
    """Messages whose fingerprints the house holds for copies of this one."""
    mine = select(MessageBand.band).where(MessageBand.message_id == message.id)
    query = (
        select(MessageBand.message_id)
        .where(MessageBand.band.in_(mine), MessageBand.message_id != message.id)
        .order_by(MessageBand.message_id.desc())
        .limit(NEWEST)
    )
    shared: dict[int, int] = {}
    for other in session.scalars(query):
        shared[other] = shared.get(other, 0) + 1
    return [other for other, count in shared.items() if count > 1]


def _entries_of_copies(session: Session, ids: set[int]) -> dict[int, list[str]]:
    rows = session.execute(select(Message.id, Message.text).where(Message.id.in_(list(ids)[:NEWEST])))
    return {row.id: list(index(row.text).words) for row in rows}


def _cosine(words: Sequence[str], theirs: Sequence[str], weights: Mapping[str, float]) -> float:
    """Of the weighed words of two questions; a word that the first lacks weighs as much as its middle one."""
    other = set(theirs)
    common = other.intersection(words)
    if not common:
        return 0.0
    middle = sorted(weights.values())[len(weights) // 2]
    shared = sum(weights[word] ** 2 for word in common)
    mine = sum(weights[word] ** 2 for word in words)
    return shared / math.sqrt(mine * (shared + (len(other) - len(common)) * middle**2))


# ── what was answered to them ────────────────────────────────────────────────


def _published(session: Session, alike: Sequence[_Alike]) -> list[Past]:
    return [*_from_here(session, alike), *_on_the_platform(session, alike)]


def _from_here(session: Session, alike: Sequence[_Alike]) -> list[Past]:
    """Replies that stand on the platform; a holding reply answers nothing."""
    by_id = {one.message.id: one for one in alike}
    by_case: dict[int | None, _Alike] = {}
    for one in alike:
        by_case.setdefault(one.message.case_id, one)
    query = (
        select(Reply, Act, Source)
        .join(Act, Act.reply_id == Reply.id)
        .join(Source, Source.id == Act.source_id)
        .where(
            Reply.case_id.in_([key for key in by_case if key]),
            Act.state.in_(STANDING),
            Reply.promised_until.is_(None),
        )
    )
    found = []
    for reply, act, source in session.execute(query):
        exact = by_id.get(reply.message_id or 0)
        one = exact or by_case[reply.case_id]
        fit = one.fit if exact else one.fit * WHOLE
        at = act.seen_at or act.accepted_at or reply.created_at
        found.append(
            Past("published", _as_it_stands(session, act, reply), "", at,
                 source.title, source.platform, one.message.visibility == "private", reply.case_id,
                 one.message.text, fit)
        )  # fmt: skip
    return [past for past in found if past.fit >= LEAST]


def _as_it_stands(session: Session, act: Act, reply: Reply) -> str:
    """An edit of ours changes what stands there, not the reply that was written."""
    there = session.scalar(select(Message.text).where(Message.act_id == act.id))
    return without_line(session, reply, there or reply.text)


def _on_the_platform(session: Session, alike: Sequence[_Alike]) -> list[Past]:
    """Answers that our people wrote on the platform itself, before there was a desk or past it."""
    asked = {(one.message.source_id, one.message.container, one.message.external_id): one for one in alike}
    threads = {(one.message.source_id, one.message.container, one.message.thread) for one in alike}
    found = []
    for source_id in {key[0] for key in threads}:
        containers = {key[1] for key in threads if key[0] == source_id}
        tops = {key[2] for key in threads if key[0] == source_id and key[2]}
        rows = session.execute(
            select(Message, Source)
            .join(Source, Source.id == Message.source_id)
            .where(
                Message.source_id == source_id, Message.container.in_(containers), Message.thread.in_(tops),
                Message.direction == "out", Message.state == SourceState.PUBLISHED.value,
            )
        )  # fmt: skip
        for own, source in rows:
            one = asked.get((source_id, own.container, own.parent_external_id or own.thread or ""))
            # Asked of here: SQLite would take the index of acts, in which nearly all messages stand as NULL.
            if own.act_id is None and one is not None and own.text.strip():
                found.append(
                    Past("published", own.text, "", own.published_at, source.title, source.platform,
                         own.visibility == "private", one.message.case_id, one.message.text, one.fit)
                )  # fmt: skip
    return found


def _of_departments(session: Session, alike: Sequence[_Alike]) -> list[Past]:
    by_case: dict[int | None, _Alike] = {}
    for one in alike:
        by_case.setdefault(one.message.case_id, one)
    rows = session.execute(
        select(Route, Department)
        .join(Department, Department.id == Route.department_id)
        .where(
            Route.case_id.in_([key for key in by_case if key]), Route.state.in_(("answered", "accepted")),
            Route.answer.is_not(None),
        )
    )  # fmt: skip
    # A department answers to the desk: it is as unseen as a private message until somebody publishes it.
    return [
        Past("department", route.answer or "", "", route.answered_at or route.asked_at, unit.name, "",
             True, route.case_id, by_case[route.case_id].message.text, by_case[route.case_id].fit * 0.95)
        for route, unit in rows
    ]  # fmt: skip


def _once(found: Sequence[Past]) -> list[Past]:
    """The same answer once, with how often it was given: nearest first, then the newest."""
    groups: dict[str, list[Past]] = {}
    for past in sorted(found, key=lambda one: (-round(one.fit, 2), -one.at.timestamp())):
        plain = " ".join(index(for_another(past.text, "")).words)
        groups.setdefault(plain, []).append(past)
    return [replace(group[0], times=len(group)) for group in groups.values()]
