"""«Что спрашивают»: topics that came up in a period, what is said of prices, competitors and courses to be.

A topic is a word that more people wrote than the period before lets expect, with the words that stand beside it.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Case, CaseFact, Message, SearchEntry
from services.lemmas import content_of, is_first_name, is_noun
from services.lint import Habits, Place, habits_of, lint
from services.questions import without_contacts
from services.reports.cohorts import COHORTS
from services.reports.cut import Cut
from services.rights import Actor, require
from services.search_index import key_of
from services.search_keys import keys_of_hits
from services.search_query import Query, Term

MOST_READ = 4000
"""Of each of the two periods the newest so many cases are read."""
LEAST = 3
"""A word of fewer people is no topic (domain.md §8, report 11)."""
SURE = 2.0
"""How many standard deviations above what the period before lets expect, as a Poisson count."""
TOO_COMMON = 0.5
LEAST_BEFORE = 10
"""With fewer cases before there is nothing to compare with."""
LEAST_LETTERS = 4
MEASURES = frozenset((
    "время", "минута", "час", "сутки", "день", "неделя", "месяц", "год", "пора", "раз", "слово", "человек", "дело",
    "вещь", "часть", "начало", "конец",
))  # fmt: skip
"""Nouns that stand beside every matter and name none."""
BESIDE = 0.5
"""The share of the rarer word's cases, and LEAST of them, in which the other stands too: both are one topic."""
MOST_TOPICS, MOST_WORDS, MOST_CASES, MOST_EXAMPLES, QUOTED = 12, 3, 30, 3, 200
MENTIONS: Mapping[str, str | None] = {"price": "question", "new_product": None, "competitor": None}
"""theme → the kind that is counted, for marketing (domain.md §8, report 11)."""


@dataclass(frozen=True, slots=True)
class Example:
    """First words of a case in which the linter finds nobody's personal data."""

    case_id: int
    number: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Topic:
    """``words`` name it; ``before``: cases with one of them in the period before; ``is_first``: the word stands
    in nothing that came to the desk earlier. ``key``: all its words, by which its lists are found again."""

    words: tuple[str, ...]
    key: str
    count: int
    before: int
    people: int
    is_first: bool
    cases: tuple[tuple[int, str | None], ...]  # the newest, by id and number
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Mention:
    """Cases of one theme; ``names``: which names of the settings' list of competitors stand in them, how often."""

    theme: str
    kind: str | None
    count: int
    before: int
    names: tuple[tuple[str, int], ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """``topics``: None where the period before is too thin to compare with; ``capped``: older ones were left."""

    topics: tuple[Topic, ...] | None
    mentions: tuple[Mention, ...]
    read: int
    capped: bool


@dataclass(frozen=True, slots=True)
class _Said:
    """One case: who wrote it and the words of its first message, each once, in their order."""

    case_id: int
    person: int
    words: tuple[str, ...]


def asked(session: Session, actor: Actor, cut: Cut, now: datetime) -> Asked:
    """Topics and mentions of the period; costs two reads of at most MOST_READ cases."""
    require(actor, "report.view")
    found = _said(session, cut, now)
    topics = _compared(session, cut, found, now)
    mentions = tuple(_mention(session, theme, kind, cut, now) for theme, kind in MENTIONS.items())
    return Asked(topics, mentions, len(found), len(found) == MOST_READ)


def topics_of(session: Session, cut: Cut, now: datetime) -> tuple[Topic, ...] | None:
    """The topics alone, for a letter of the desk itself."""
    return _compared(session, cut, _said(session, cut, now), now)


def _compared(session: Session, cut: Cut, found: Sequence[_Said], now: datetime) -> tuple[Topic, ...] | None:
    before = _said(session, cut.before(), now)
    return _topics(session, cut, found, before) if len(before) >= LEAST_BEFORE else None


def _said(session: Session, cut: Cut, now: datetime) -> list[_Said]:
    columns = (CaseFact.id, Case.author_id, Message.id.label("message_id"), Message.published_at)
    query = (
        COHORTS["came"].query(columns, cut, now)
        .join(Case, Case.id == CaseFact.id).join(Message, Message.id == Case.first_message_id)
        .order_by(CaseFact.opened_at.desc(), CaseFact.id.desc()).limit(MOST_READ)
    )  # fmt: skip
    rows = session.execute(query).all()
    words = _words(session, [key_of(row.published_at, "message", row.message_id) for row in rows])
    return [_Said(row.id, row.author_id or -row.id, words.get(row.message_id, ())) for row in rows]


def _words(session: Session, keys: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """message → what it is about, from the index of search."""
    found: dict[int, tuple[str, ...]] = {}
    for start in range(0, len(keys), 900):
        query = select(SearchEntry.object_id, SearchEntry.words).where(
            SearchEntry.id.in_(keys[start : start + 900])
        )
        found.update(
            (row.object_id, tuple(dict.fromkeys(_telling(row.words.split())))) for row in session.execute(query)
        )
    return found


def _telling(words: Iterable[str]) -> tuple[str, ...]:
    """Those that can name a topic, each once."""
    said = (word for word in content_of(words) if len(word) >= LEAST_LETTERS and word.isalpha())
    return tuple(dict.fromkeys(said))


# ── topics ───────────────────────────────────────────────────────────────────


def _topics(session: Session, cut: Cut, found: Sequence[_Said], before: Sequence[_Said]) -> tuple[Topic, ...]:
    cases = _by_word(found)
    earlier = _by_word(before)
    scores = _rising(cases, earlier, len(found), len(before))
    places = _places(found, set(scores))
    rising = sorted(scores, key=lambda word: (-scores[word], places[word], word))
    habits = habits_of(session)
    topics: list[Topic] = []
    taken: set[str] = set()
    for seed in rising:
        if seed in taken or not _names(seed):
            continue
        group = [
            seed,
            *(word for word in rising if word not in taken and word != seed and _beside(cases, word, seed)),
        ]
        taken.update(group)
        was = {case for word in group for case in earlier.get(word, ())}
        topics.append(_topic(session, cut, group, cases, len(was), habits))
        if len(topics) == MOST_TOPICS:
            break
    return tuple(sorted(topics, key=lambda topic: (-topic.people, topic.words)))


def _by_word(said: Iterable[_Said]) -> dict[str, dict[int, int]]:
    """word → case → who wrote it, the newest case first."""
    found: dict[str, dict[int, int]] = {}
    for one in said:
        for word in one.words:
            found.setdefault(word, {})[one.case_id] = one.person
    return found


def _rising(
    cases: Mapping[str, Mapping[int, int]], earlier: Mapping[str, Mapping[int, int]], total: int, total_before: int
) -> dict[str, float]:
    """Words of more people than were to be expected, with how little so."""
    scale = total / total_before
    scores: dict[str, float] = {}
    for word, having in cases.items():
        people = len(set(having.values()))
        if people < LEAST or len(having) > max(LEAST, TOO_COMMON * total):
            continue
        expected = len(set(earlier.get(word, {}).values())) * scale
        score = (people - expected) / math.sqrt(expected + 1)
        if score >= SURE:
            scores[word] = score
    return scores


def _places(said: Sequence[_Said], words: set[str]) -> dict[str, float]:
    """word → where in a text it stands, on an average: what a text is about mostly comes first."""
    found: dict[str, list[int]] = {}
    for one in said:
        for place, word in enumerate(one.words):
            if word in words:
                found.setdefault(word, []).append(place)
    return {word: sum(places) / len(places) for word, places in found.items()}


def _names(word: str) -> bool:
    """Whether a topic may be called by the word: «каждый», «вчера», «прийти» only stand beside what it is about."""
    return is_noun(word) and word not in MEASURES and not is_first_name(word)


def _beside(cases: Mapping[str, Mapping[int, int]], word: str, seed: str) -> bool:
    one, other = cases[word].keys(), cases[seed].keys()
    return len(one & other) >= max(LEAST, BESIDE * min(len(one), len(other)))


def _topic(
    session: Session, cut: Cut, group: Sequence[str], cases: Mapping[str, Mapping[int, int]], before: int,
    habits: Habits,
) -> Topic:  # fmt: skip
    seed = group[0]
    having: dict[int, int] = {}
    for word in group:
        having.update(cases[word])
    words = [seed, *sorted(group[1:], key=lambda word: -len(cases[word]))][:MOST_WORDS]
    ids = sorted(having, reverse=True)
    known = keys_of_hits(
        session, Query(terms=(Term(seed, ((seed,),)), Term("xin", (("xin",),)))), key_of(cut.since), 1
    )
    return Topic(
        tuple(words), BETWEEN.join(sorted(group)), len(having), before, len(set(having.values())), not known,
        _numbered(session, ids[:MOST_CASES]), _examples(session, ids, habits),
    )  # fmt: skip


def _numbered(session: Session, ids: Sequence[int]) -> tuple[tuple[int, str | None], ...]:
    query = select(Case.id, Case.number).where(Case.id.in_(ids)).order_by(Case.id.desc())
    return tuple((row.id, row.number) for row in session.execute(query))


BETWEEN = "-"
"""Between the words of a topic in an address; they are letters alone."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody who wrote: an author's id, or a case's with a minus where nobody knows whose it is; and a case of
    theirs."""

    id: int
    case_id: int


def topic_lists(session: Session, cut: Cut, now: datetime, key: str | None) -> tuple[list[Any], list[Writer]]:
    """The cases behind a topic and the people who wrote them, read as the topic itself was."""
    words = set((key or "").split(BETWEEN))
    found = [one for one in _said(session, cut, now) if words.intersection(one.words)]
    writers: dict[int, Writer] = {}
    for one in found:  # the newest first
        writers.setdefault(one.person, Writer(one.person, one.case_id))
    return _facts(session, [one.case_id for one in found]), list(writers.values())


def named_cases(session: Session, cut: Cut, now: datetime, key: str | None) -> list[Any]:
    """The cases in which a competitor is named, of those that the theme has."""
    ids = _of_theme(session, "competitor", MENTIONS["competitor"], cut, now)
    pattern = _naming(key or "")
    texts = _texts(session, ids[:MOST_READ])
    return _facts(session, [case_id for case_id, text in texts.items() if key and pattern.search(text)])


def _facts(session: Session, ids: Sequence[int]) -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(ids), 900):
        query = select(CaseFact.id, CaseFact.opened_at).where(CaseFact.id.in_(ids[start : start + 900]))
        found.extend(session.execute(query))
    return found


def _naming(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(name)}", re.IGNORECASE)


# ── what marketing asks for besides ──────────────────────────────────────────


def _mention(session: Session, theme: str, kind: str | None, cut: Cut, now: datetime) -> Mention:
    ids, before = _of_theme(session, theme, kind, cut, now), _of_theme(session, theme, kind, cut.before(), now)
    habits = habits_of(session)
    names: Counter[str] = Counter()
    if theme == "competitor" and habits.competitors:
        said = {name: _naming(name) for name in habits.competitors}
        for text in _texts(session, ids[:MOST_READ]).values():
            names.update(name for name, pattern in said.items() if pattern.search(text))
    listed = tuple(sorted(names.items(), key=lambda pair: (-pair[1], pair[0])))
    return Mention(theme, kind, len(ids), len(before), listed, _examples(session, ids, habits))


def _of_theme(session: Session, theme: str, kind: str | None, cut: Cut, now: datetime) -> list[int]:
    """Its own theme and kind take the place of the filter's, as in the list that it opens."""
    asked_of = replace(cut, theme=theme, kind=kind or cut.kind)
    query = COHORTS["came"].query((CaseFact.id,), asked_of, now)
    return list(session.scalars(query.order_by(CaseFact.opened_at.desc(), CaseFact.id.desc())))


def _texts(session: Session, case_ids: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for start in range(0, len(case_ids), 900):
        query = select(Case.id, Message.text).join(Message, Message.id == Case.first_message_id)
        rows = session.execute(query.where(Case.id.in_(case_ids[start : start + 900])))
        found.update((row.id, row.text) for row in rows)
    return found


def _examples(session: Session, case_ids: Sequence[int], habits: Habits) -> tuple[Example, ...]:
    """The newest that may be read by anybody: a text with somebody's data is passed over, not blacked out."""
    wanted = list(case_ids[: 4 * MOST_EXAMPLES])
    rows = session.execute(
        select(Case.id, Case.number, Message.text)
        .join(Message, Message.id == Case.first_message_id)
        .where(Case.id.in_(wanted), Message.text != "")
        .order_by(Case.id.desc())
    )
    found = []
    for row in rows:
        text = " ".join(row.text.split())
        if without_contacts(text) != text or any(one.rule == "personal" for one in lint(text, Place(True), habits)):
            continue
        found.append(Example(row.id, row.number, text[:QUOTED]))
        if len(found) == MOST_EXAMPLES:
            break
    return tuple(found)
