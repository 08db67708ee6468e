"""How many rows there are of each value or combination of values, by the way in which each database is quick."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, cast

from sqlalchemy import Case, Integer, Select, case, func, literal, select, tuple_, type_coerce
from sqlalchemy.orm import Session

from models.base import holds_words


class _All:
    """Equal to nothing but itself: no value of a column can be taken for it."""

    def __str__(self) -> str:
        return ""


ALL: Any = _All()
"""The key under which ``tallies`` gives the whole."""
Tallies = dict[Any, dict[int, int]]
"""A value, or ALL → measure → how many rows."""

UNMET, EMPTY, FIRST, TOO_BIG = 1, 2, 3, 0xD7FF
"""Letters: of a word not met before, of NULL, of the first word or of 0, and of what is too big for one."""
HALF = 12
"""Bits of a measure in the second of its two letters."""
MOST_WORDS = 60
ROOM = 1 << 21
Words = tuple[str, ...]
_met: dict[str, Words] = {}
"""Column → words that were met in it, up to one more than there are letters for."""


def tally(session: Session, query: Select[Any], columns: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """(a value of each of ``columns``, how many rows of ``query`` have them); numbers and words only.

    SQLite sorts what it groups: counting its rows here as they come takes half of that, and keeps the counts alone.
    """
    named = [column.label(f"value_{number}") for number, column in enumerate(columns)]
    if _is_sqlite(session):
        with session.connection().execute(query.with_only_columns(*named, maintain_column_froms=True)) as rows:
            counted: Counter[tuple[Any, ...]] = Counter(cast(Iterable[tuple[Any, ...]], rows.cursor))
        yield from ((*values, number) for values, number in counted.items())
        return
    grouped = query.with_only_columns(*named, func.count(), maintain_column_froms=True)
    for row in session.execute(grouped.group_by(*(column.name for column in named))):
        yield tuple(row)


def tallies(session: Session, query: Select[Any], keys: Sequence[Any], measure: Any = None) -> tuple[Tallies, ...]:
    """For each of ``keys`` (columns of words, or of numbers of 0 and more) apart, of one walk; of none of them: the
    whole alone.

    ``measure``: a whole number that each row has; None: 0.
    """
    if not _is_sqlite(session):
        return _grouped(session, query, keys, literal(0, Integer) if measure is None else measure)
    return _lettered(session, query, keys, measure) or _counted(session, query, keys, measure)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _grouped(session: Session, query: Select[Any], keys: Sequence[Any], amount: Any) -> tuple[Tallies, ...]:
    """The server groups by each key apart: of all together there are nearly as many groups as rows."""
    named = [key.label(f"key_{place}") for place, key in enumerate(keys)]
    rows = query.with_only_columns(*named, amount.label("amount"), maintain_column_froms=True).subquery()
    taken, apart = rows.c.amount, [rows.c[key.name] for key in named]
    if not apart:
        found = session.execute(select(taken, func.count()).group_by(taken))
        return ({ALL: {row[0]: row[1] for row in found}},)
    sets = func.grouping_sets(*(tuple_(key, taken) for key in apart))
    places: list[Tallies] = [{ALL: {}} for _ in apart]
    counted = session.execute(select(func.grouping(*apart), *apart, taken, func.count()).group_by(sets))
    for missing, *values, measure, number in cast(Iterable[tuple[Any, ...]], counted):
        place = next(one for one in range(len(apart)) if not missing >> (len(apart) - 1 - one) & 1)
        _add(places[place], values[place], measure, number)
    return tuple(places)


def _counted(session: Session, query: Select[Any], keys: Sequence[Any], measure: Any) -> tuple[Tallies, ...]:
    """Combination by combination; the words that it meets are known after it."""
    places: list[Tallies] = [{ALL: {}} for _ in keys or (None,)]
    asked = keys if measure is None else (*keys, measure)
    for *values, number in tally(session, query, asked):
        amount = 0 if measure is None else values[-1]
        for place, found in enumerate(places):
            _add(found, values[place] if keys else ALL, amount, number)
    for key, found in zip(keys, places, strict=False):
        if holds_words(key.type):
            known = _met.get(str(key), ())
            fresh = (word for word in found if isinstance(word, str) and word not in known)
            _met[str(key)] = (*known, *islice(fresh, MOST_WORDS + 1 - len(known)))
    return tuple(places)


def _add(found: Tallies, value: Any, measure: int, number: int) -> None:
    for group in {ALL, value}:
        measures = found.setdefault(group, {})
        measures[measure] = measures.get(measure, 0) + number


def _lettered(
    session: Session, query: Select[Any], keys: Sequence[Any], measure: Any
) -> tuple[Tallies, ...] | None:
    """A row costs Python more than it costs SQLite: here each becomes a few letters, and all of them one text.

    None: something in it has no letter.
    """
    import numpy as np

    # Another thread may meet words meanwhile: what is written with these is read with these.
    known = [_met.get(str(key), ()) if holds_words(key.type) else None for key in keys]
    if any(words is not None and len(words) > MOST_WORDS for words in known):
        return None
    letters = [_letter(key, words) for key, words in zip(keys, known, strict=True)]
    if isinstance(measure, Case):  # as few as its branches
        letters += [literal(1, Integer), measure]
    elif measure is not None:
        letters += [measure.op(">>")(HALF) + 1, measure.op("&")((1 << HALF) - 1)]
    text = func.group_concat(func.char(*letters), "")
    told = session.scalar(query.with_only_columns(text, maintain_column_froms=True)) or ""
    rows = np.frombuffer(told.encode("utf-32-le"), np.uint32).astype(np.int64).reshape(-1, len(letters)).T
    taken = np.zeros_like(rows[0]) if measure is None else (rows[-2] - 1 << HALF) + rows[-1]
    met = all(words is None or (row != UNMET).all() for words, row in zip(known, rows, strict=False))
    if not met or (taken < 0).any() or (rows >= TOO_BIG).any():
        return None
    whole = _spread_out(np.zeros_like(taken), taken).get(0, {})
    if not keys:
        return ({ALL: whole},)
    return tuple(
        {ALL: whole, **{_value(letter, words): found for letter, found in _spread_out(row, taken).items()}}
        for words, row in zip(known, rows, strict=False)
    )


def _letter(key: Any, words: Words | None) -> Any:
    """The number of a value's letter; ``words`` of a column of words that have one."""
    if words is None:
        return func.coalesce(func.min(type_coerce(key, Integer) + FIRST, TOO_BIG), EMPTY)
    others = case((key.is_(None), EMPTY), else_=UNMET)
    numbers = {word: FIRST + place for place, word in enumerate(words)}
    return case(numbers, value=key, else_=others) if numbers else others


def _value(letter: int, words: Words | None) -> Any:
    if letter == EMPTY:
        return None
    return letter - FIRST if words is None else words[letter - FIRST]


def _spread_out(row: Any, taken: Any) -> dict[int, dict[int, int]]:
    """letter → measure → how many rows have both."""
    import numpy as np

    if not len(row):
        return {}
    width = int(taken.max()) + 1
    both = row * width + taken
    if int(both.max()) < ROOM:
        numbers = np.bincount(both)
        found = np.flatnonzero(numbers)
        numbers = numbers[found]
    else:
        found, numbers = np.unique(both, return_counts=True)
    spread: dict[int, dict[int, int]] = {}
    for letter, measure, number in zip(
        (found // width).tolist(), (found % width).tolist(), numbers.tolist(), strict=True
    ):
        spread.setdefault(letter, {})[measure] = number
    return spread
