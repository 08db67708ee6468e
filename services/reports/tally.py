"""How many rows there are of each value or combination of values, by the way in which each database is quick."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, cast

from sqlalchemy import Case, Integer, Select, case, func, literal, select, tuple_, type_coerce, union_all
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from models.base import UtcDateTime, holds_words


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


@dataclass(frozen=True, slots=True)
class Pieces:
    """A question in parts that have no row in common, and the same as a whole: ``at`` says in which part a row is,
    ``edges`` where the second and those after it begin."""

    parts: Sequence[Select[Any]]
    whole: Select[Any]
    at: Any
    edges: Sequence[datetime]


@dataclass(frozen=True, slots=True)
class Walk:
    """What one walk found: ``tallies`` of each key, ``alone`` value → how many rows, ``rows`` of each piece."""

    tallies: tuple[Tallies, ...]
    alone: Mapping[int, int]
    rows: tuple[int, ...]


def tallies(session: Session, query: Select[Any], keys: Sequence[Any], measure: Any = None) -> tuple[Tallies, ...]:
    """For each of ``keys`` (columns of words, or of numbers of 0 and more) apart, of one walk; of none of them: the
    whole alone.

    ``measure``: a whole number that each row has; None: 0.
    """
    return walk(session, Pieces((query,), query, None, ()), keys, measure).tallies


def walk(session: Session, pieces: Pieces, keys: Sequence[Any], measure: Any = None, alone: Any = None) -> Walk:
    """The same with how many rows each of ``pieces`` has, and how many rows have which value of ``alone``: a column
    of whole numbers of 0 and more, counted by itself; None is left out."""
    if not _is_sqlite(session):
        if alone is None and (measure is None or isinstance(measure, Case)):
            return _together(session, pieces, keys, measure)
        return _grouped(session, pieces, keys, literal(0, Integer) if measure is None else measure, alone)
    found = _lettered(session, pieces.parts, keys, measure, alone)
    return found or _counted(session, pieces.parts, keys, measure, alone)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _together(session: Session, pieces: Pieces, keys: Sequence[Any], measure: Any) -> Walk:
    """Few things are measured: a group of all keys together, and what they say apart is summed up here."""
    named = [key.label(f"key_{place}") for place, key in enumerate(keys)]
    rows = _rows(pieces, named, literal(0, Integer) if measure is None else measure)
    grouped = [*(rows.c[one.name] for one in named), *([] if measure is None else [rows.c.amount])]
    grouped += [rows.c.piece] if pieces.edges else []
    found: list[Tallies] = [{ALL: {}} for _ in keys or (None,)]
    numbers = [0] * (len(pieces.edges) + 1)
    for row in session.execute(select(*grouped, func.count()).group_by(*grouped)):
        amount = 0 if measure is None else row[len(keys)]
        numbers[row[-2] if pieces.edges else 0] += row[-1]
        for place, one in enumerate(found if row[-1] else ()):
            _add(one, row[place] if keys else ALL, amount, row[-1])
    return Walk(tuple(found), {}, tuple(numbers))


def _rows(pieces: Pieces, named: Sequence[Any], amount: Any) -> Any:
    columns = [*named, amount.label("amount")]
    if pieces.edges:
        edges = array([literal(edge, UtcDateTime()) for edge in pieces.edges])
        columns.append(func.width_bucket(pieces.at, edges, type_=Integer).label("piece"))
    return pieces.whole.with_only_columns(*columns, maintain_column_froms=True).subquery()


def _grouped(session: Session, pieces: Pieces, keys: Sequence[Any], amount: Any, alone: Any) -> Walk:
    """The server groups by each key apart: of all together there are nearly as many groups as rows."""
    named = [key.label(f"key_{place}") for place, key in enumerate(keys)]
    if alone is not None:
        named.append(alone.label("alone"))
    rows = _rows(pieces, named, amount)
    taken, apart = rows.c.amount, [rows.c[one.name] for one in named]
    sets = [tuple_(one, taken) for one in apart[: len(keys)]] or [tuple_(taken)]
    sets += [tuple_(one) for one in apart[len(keys) :]]
    if pieces.edges:
        apart.append(rows.c.piece)
        sets.append(tuple_(rows.c.piece))
    told = func.grouping(*apart) if apart else literal(0, Integer)
    found: list[Tallies] = [{ALL: {}} for _ in keys or (None,)]
    values_alone: dict[int, int] = {}
    numbers = [0] * (len(pieces.edges) + 1)
    counted = session.execute(select(told, *apart, taken, func.count()).group_by(func.grouping_sets(*sets)))
    for missing, *values, measure, number in cast(Iterable[tuple[Any, ...]], counted):
        place = next((one for one in range(len(apart)) if not missing >> (len(apart) - 1 - one) & 1), None)
        if place is None:  # of the whole
            _add(found[0], ALL, measure, number)
        elif place < len(keys):
            _add(found[place], values[place], measure, number)
        elif alone is not None and place == len(keys):
            if values[place] is not None:
                values_alone[values[place]] = number
        else:
            numbers[values[place]] = number
    if not pieces.edges:
        numbers = [sum(found[0][ALL].values())]
    return Walk(tuple(found), values_alone, tuple(numbers))


def _counted(
    session: Session, pieces: Sequence[Select[Any]], keys: Sequence[Any], measure: Any, alone: Any
) -> Walk:
    """Combination by combination; the words that it meets are known after it."""
    places: list[Tallies] = [{ALL: {}} for _ in keys or (None,)]
    values_alone: Counter[int] = Counter()
    numbers = [0] * len(pieces)
    more = [literal(0, Integer) if one is None else one for one in (measure, alone)]
    for piece, query in enumerate(pieces):
        for *values, amount, by_itself, number in tally(session, query, (*keys, *more)):
            numbers[piece] += number
            if alone is not None and by_itself is not None:
                values_alone[by_itself] += number
            for place, found in enumerate(places):
                _add(found, values[place] if keys else ALL, amount, number)
    for key, found in zip(keys, places, strict=False):
        if holds_words(key.type):
            known = _met.get(str(key), ())
            fresh = (word for word in found if isinstance(word, str) and word not in known)
            _met[str(key)] = (*known, *islice(fresh, MOST_WORDS + 1 - len(known)))
    return Walk(tuple(places), values_alone, tuple(numbers))


def _add(found: Tallies, value: Any, measure: int, number: int) -> None:
    for group in {ALL, value}:
        measures = found.setdefault(group, {})
        measures[measure] = measures.get(measure, 0) + number


def _lettered(
    session: Session, pieces: Sequence[Select[Any]], keys: Sequence[Any], measure: Any, alone: Any
) -> Walk | None:
    """A row costs Python more than it costs SQLite: here each becomes a few letters, and all of a piece one text.

    None: something in it has no letter.
    """
    import numpy as np

    # Another thread may meet words meanwhile: what is written with these is read with these.
    known = [_met.get(str(key), ()) if holds_words(key.type) else None for key in keys]
    if any(words is not None and len(words) > MOST_WORDS for words in known):
        return None
    letters = [_letter(key, words) for key, words in zip(keys, known, strict=True)]
    for number in (measure, alone):
        if isinstance(number, Case):  # as few as its branches
            letters += [literal(1, Integer), number]
        elif number is not None:
            letters += [number.op(">>")(HALF) + 1, number.op("&")((1 << HALF) - 1)]
    text = func.group_concat(func.char(*letters), "")
    texts = _texts(session, pieces, text)
    told = "".join(texts)
    rows = np.frombuffer(told.encode("utf-32-le"), np.uint32).astype(np.int64).reshape(-1, len(letters)).T
    halves = rows[len(keys) :]
    ends = [(high - 1 << HALF) + low for high, low in zip(halves[::2], halves[1::2], strict=True)]
    taken = np.zeros_like(rows[0]) if measure is None else ends[0]
    met = all(words is None or (row != UNMET).all() for words, row in zip(known, rows, strict=False))
    if not met or any((one < 0).any() for one in ends) or (rows >= TOO_BIG).any():
        return None
    whole = _spread_out(np.zeros_like(taken), taken).get(0, {})
    found: list[Tallies] = [
        {ALL: whole, **{_value(letter, words): some for letter, some in _spread_out(row, taken).items()}}
        for words, row in zip(known, rows, strict=False)
    ]
    values_alone = {} if alone is None else _spread_out(np.zeros_like(taken), ends[-1]).get(0, {})
    return Walk(
        tuple(found) if keys else ({ALL: whole},), values_alone, tuple(len(one) // len(letters) for one in texts)
    )


def _texts(session: Session, pieces: Sequence[Select[Any]], text: Any) -> list[str]:
    """One text a piece."""
    if len(pieces) == 1:
        return [session.scalar(pieces[0].with_only_columns(text, maintain_column_froms=True)) or ""]
    parts = (
        query.with_only_columns(literal(number, Integer), text, maintain_column_froms=True)
        for number, query in enumerate(pieces)
    )
    found = {row[0]: row[1] or "" for row in session.execute(union_all(*parts))}
    return [found[number] for number in range(len(pieces))]


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
