"""Search over the whole history: words in any form, newest first or by how well they fit."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Author, Case, Message, Note, SearchEntry, SearchLemma, Setting, Staff, utc_now
from services.errors import Refused
from services.inbox import Row, rows_of
from services.lemmas import fold, forms_of, is_known
from services.rights import Actor, require
from services.search_keys import keys_of_hits
from services.search_query import Query, Term, read_query
from services.search_snippets import snippet
from services.settings.history import keep

PAGE = 25
MOST_COUNTED, MOST_FILTERED = 1000, 100
"""How far hits are counted; a filter by the case asks for every single hit's case, hence less far."""
RANKED = 5000
FEW = 5
"""Fewer hits than this let one look for a word that differs by one letter."""
MOST_GUESSES = 8
LETTERS = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
SYNONYMS = "search.synonyms"
DEFAULT_SYNONYMS = (
    ("возврат", "вернуть", "деньги назад"),
    ("домашка", "дз", "домашнее задание"),
    ("вебинар", "занятие", "эфир"),
    ("оплата", "оплатить", "платёж"),
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A message or note; ``pieces`` is a part of its text, True where it is what was looked for."""

    key: int
    kind: str
    at: datetime
    author: str
    ours: bool
    pieces: tuple[tuple[str, bool], ...]
    case_id: int | None
    message: Message | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The hits of one case on a page; ``row`` None: a message without a case."""

    row: Row | None
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """``count`` is exact up to ``most``; ``after`` leads to the next page. ``guess`` is the query with a word
    corrected, ``is_guessed``: these hits are already the guess's."""

    query: Query
    groups: tuple[Group, ...]
    count: int | None
    after: str | None
    guess: str | None = None
    is_guessed: bool = False
    most: int = 1000


def synonyms(session: Session) -> tuple[tuple[str, ...], ...]:
    """Groups of words that count as one."""
    row = session.scalar(select(Setting).where(Setting.name == SYNONYMS))
    return DEFAULT_SYNONYMS if row is None else tuple(tuple(group) for group in row.value.get("groups", ()))


def cases_by_number(session: Session, actor: Actor, typed: str) -> list[Row]:
    """The case «ОБ-2026-000146», or those of the last years that «146» may mean, newest first."""
    require(actor, "case.view")
    found = re.fullmatch(r"\s*(?:[оo][бb6]\W*)?(?:(20\d\d)\W+)?0*(\d{1,6})\s*", typed, re.IGNORECASE)
    if found is None:
        return []
    year, number = found.groups()
    years = [int(year)] if year else range(utc_now().year + 1, utc_now().year - 10, -1)
    wanted = [f"ОБ-{one}-{int(number):06d}" for one in years]
    return list(
        rows_of(
            session, list(session.scalars(select(Case).where(Case.number.in_(wanted)).order_by(Case.id.desc())))
        )
    )


def find(
    session: Session, actor: Actor, typed: str, *, zone: str, after: str | None = None, best: bool = False,
    exactly: bool = False,
) -> Found:  # fmt: skip
    """A page of hits, newest first; ``best``: the newest RANKED by how well they fit. ``exactly``: no guesses."""
    require(actor, "case.view")
    query = read_query(typed, zone=zone, now=utc_now(), synonyms=synonyms(session))
    found = _page(session, query, after, best=best)
    if exactly or after or found.count is None or found.count >= FEW:
        return found
    guess = _guess(session, query, typed)
    if guess is None:
        return found
    if found.count:
        return replace(found, guess=guess)
    instead = _page(
        session, read_query(guess, zone=zone, now=utc_now(), synonyms=synonyms(session)), None, best=best
    )
    return replace(instead, guess=guess, is_guessed=True)


def _page(session: Session, query: Query, after: str | None, *, best: bool) -> Found:
    if query.is_empty:
        return Found(query, (), 0, None)
    most = MOST_FILTERED if query.kind or query.department else MOST_COUNTED
    if best:
        keys = keys_of_hits(session, query, None, RANKED)
        start = _number(after)
        chosen = _ranked(session, keys, query)[start : start + PAGE]
        more = str(start + PAGE) if len(keys) > start + PAGE else None
        return Found(query, _groups(session, chosen, query), len(keys), more, most=RANKED - 1)
    if after:
        keys = keys_of_hits(session, query, _number(after), PAGE + 1)
        count = None
    else:
        keys = keys_of_hits(session, query, None, most + 1)
        count = len(keys)
    more = str(keys[PAGE - 1]) if len(keys) > PAGE else None
    return Found(query, _groups(session, keys[:PAGE], query), count, more, most=most)


def _number(after: str | None) -> int:
    if after is None:
        return 0
    if not after.isdecimal() or len(after) > 18:
        raise Refused("page.key")
    return int(after)


# ── how well a hit fits ──────────────────────────────────────────────────────


def _ranked(session: Session, keys: Sequence[int], query: Query) -> list[int]:
    """``keys`` by fit: rarer words weigh more, a name counts, short texts and fresh ones a little."""
    texts: dict[int, tuple[list[str], set[str]]] = {}
    for start in range(0, len(keys), 1000):
        rows = session.execute(
            select(SearchEntry.id, SearchEntry.words, SearchEntry.names, SearchEntry.extra).where(
                SearchEntry.id.in_(keys[start : start + 1000])
            )
        )
        texts.update({row.id: (row.words.split(), {*row.names.split(), *row.extra.split()}) for row in rows})
    terms = [term for term in query.terms if not term.without]
    counts = {key: [_times(term, *texts[key]) for term in terms] for key in keys if key in texts}
    having = [sum(1 for found in counts.values() if found[at]) for at in range(len(terms))]
    rarity = [math.log(1 + len(keys) / (1 + number)) for number in having]
    ages = {key: at for at, key in enumerate(keys)}

    def fit(key: int) -> float:
        length = len(texts[key][0])
        said = sum(
            weight * times / (times + 0.5 + length / 40) for weight, times in zip(rarity, counts[key], strict=True)
        )
        return said - 0.1 * ages[key] / len(keys)

    return sorted(counts, key=lambda key: (-fit(key), -key))


def _times(term: Term, words: Sequence[str], others: set[str]) -> float:
    """How often ``term`` stands in a text; what is found besides the text counts for one and a half."""
    times = 0.0
    for phrase in term.phrases:
        first = phrase[0]
        for at, word in enumerate(words):
            if (word == first or (term.prefix and word.startswith(first))) and tuple(words[at : at + len(phrase)])[
                1:
            ] == phrase[1:]:
                times += 1
        if len(phrase) == 1 and first in others:
            times += 1.5
    return times


# ── what a hit shows ─────────────────────────────────────────────────────────


def _groups(session: Session, keys: Sequence[int], query: Query) -> tuple[Group, ...]:
    hits = _hits(session, keys, query)
    ids = list(dict.fromkeys(hit.case_id for hit in hits if hit.case_id is not None))
    known = {case.id: case for case in session.scalars(select(Case).where(Case.id.in_(ids)))}
    rows = {row.case.id: row for row in rows_of(session, list(known.values()))}
    groups: dict[str, list[Hit]] = {}
    for hit in hits:
        groups.setdefault(f"c{hit.case_id}" if hit.case_id in rows else f"m{hit.key}", []).append(hit)
    return tuple(Group(rows.get(members[0].case_id or 0), tuple(members)) for members in groups.values())


def _hits(session: Session, keys: Sequence[int], query: Query) -> list[Hit]:
    entries = {entry.id: entry for entry in session.scalars(select(SearchEntry).where(SearchEntry.id.in_(keys)))}
    ids: dict[str, list[int]] = {"message": [], "note": []}
    for found in entries.values():
        ids[found.kind].append(found.object_id)
    messages = {row.id: row for row in session.scalars(select(Message).where(Message.id.in_(ids["message"])))}
    notes = {row.id: row for row in session.scalars(select(Note).where(Note.id.in_(ids["note"])))}
    authors = _names(session, Author, {row.author_id for row in messages.values()})
    people = _names(session, Staff, {row.staff_id for row in notes.values()})
    hits = []
    for key in keys:
        entry = entries.get(key)
        if entry is None:
            continue
        message = messages.get(entry.object_id) if entry.kind == "message" else None
        note = notes.get(entry.object_id) if entry.kind == "note" else None
        if message is not None:
            said = f"{message.subject}\n{message.text}" if message.subject else message.text
            hits.append(
                Hit(key, "message", message.published_at, authors.get(message.author_id, ""),
                    message.direction == "out", snippet(said, query), message.case_id, message)
            )  # fmt: skip
        elif note is not None:
            hits.append(
                Hit(key, "note", note.created_at, people.get(note.staff_id, ""), True, snippet(note.text, query),
                    note.case_id)
            )  # fmt: skip
    return hits


def _names(session: Session, of: type[Author] | type[Staff], ids: Iterable[int | None]) -> Mapping[int | None, str]:
    wanted = [one for one in ids if one is not None]
    return {row.id: row.name for row in session.execute(select(of.id, of.name).where(of.id.in_(wanted)))}


# ── a word that differs by one letter ────────────────────────────────────────


def _guess(session: Session, query: Query, typed: str) -> str | None:
    """``typed`` with words that nobody used replaced by one that differs by a letter; None when there is none."""
    guess = typed
    for term in query.terms:
        if term.prefix or term.without or not term.text.isalpha() or len(term.text) < 4:
            continue
        if keys_of_hits(session, Query(terms=(term,)), None, 1):
            continue
        better = _nearest(session, fold(term.text))
        if better is not None:
            guess = guess.replace(term.text, better, 1)
    return guess if guess != typed else None


def _nearest(session: Session, word: str) -> str | None:
    near = set(_one_letter_away(word))
    # What is typed is some form of a word: near it stand other forms of the right one.
    forms = {form for one in near if is_known(one) for form in forms_of(one)[:1]}
    stems = set(_one_letter_away(forms_of(word)[0]))
    in_use = list(
        session.scalars(select(SearchLemma.word).where(SearchLemma.word.in_(forms | stems)).limit(MOST_GUESSES))
    )
    counted = [(len(keys_of_hits(session, Query(terms=(Term(one, ((one,),)),)), None, 100)), one) for one in in_use]
    return max(counted, default=(0, None), key=lambda pair: (pair[0], pair[1] or ""))[1]


def _one_letter_away(word: str) -> Iterable[str]:
    for at in range(len(word) + 1):
        head, tail = word[:at], word[at:]
        for letter in LETTERS:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]
        if tail:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]


# ── acts ─────────────────────────────────────────────────────────────────────


def set_synonyms(session: Session, actor: Actor, lines: str) -> None:
    """Replaces the table: a line a group, its words and short phrases parted by commas."""
    require(actor, "settings.edit")
    groups = [[part.strip() for part in re.split(r"[,=;]", line) if part.strip()] for line in lines.splitlines()]
    value = {"groups": [group for group in groups if len(group) > 1][:200]}
    keep(session, actor, SYNONYMS, value)
