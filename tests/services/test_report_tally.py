"""Counting by several columns in one walk finds what counting one by one does, whatever stands in them."""

import itertools
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, case, delete, event, insert, select

from models import Client, Contract
from models.base import Id, UtcDateTime, Word
from models.database import Database
from services.reports import tally
from services.reports.tally import ALL, Pieces, tallies, walk
from services.schema import run_alembic

TOLD = Table(
    "told", MetaData(), Column("id", Id, primary_key=True), Column("word", Word()), Column("theme", Word()),
    Column("number", Id), Column("minutes", Id), Column("at", UtcDateTime()),
)  # fmt: skip
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
KEYS = (TOLD.c.word, TOLD.c.theme, TOLD.c.number)
WORDS = (
    st.none()
    | st.sampled_from(["wish", "wis", "all", "", "вопрос", "a'b", "\U0001f600"])
    | st.text("аб", max_size=2)
)
NUMBERS = st.none() | st.integers(0, 5) | st.sampled_from([55_292, 55_293, 57_000, 1_200_000])
MINUTES = st.integers(0, 5000) | st.sampled_from([-1, 4095, 4096, 70_000, 9_000_000])
ROWS = st.lists(st.tuples(WORDS, WORDS, NUMBERS, MINUTES), max_size=12)


def by_hand(rows: list[tuple[Any, ...]], place: int, measure: Any) -> dict[Any, Counter[int]]:
    found: dict[Any, Counter[int]] = {ALL: Counter()}
    for row in rows:
        for group in (ALL, row[place]):
            found.setdefault(group, Counter())[measure(row[3])] += 1
    return found


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
@example(rows=[])
@example(rows=[("wish", None, 1, 3), ("wis", "price", 1, 3), (None, "price", None, 9)])
def test_columns_are_counted_apart_in_one_walk(database: Database, rows: list[tuple[Any, ...]]) -> None:
    with database.write.begin() as session:
        TOLD.create(session.connection(), checkfirst=True)
        session.execute(delete(TOLD))
        if rows:
            names = ("word", "theme", "number", "minutes")
            session.execute(insert(TOLD), [dict(zip(names, row, strict=True)) for row in rows])
    few = case((TOLD.c.minutes < 10, 0), (TOLD.c.minutes < 100, 1), else_=2)
    with database.read.begin() as session:
        for _ in range(2):  # words that were not met before are the second time
            for measure, own in (
                (None, lambda minutes: 0), (TOLD.c.minutes, lambda minutes: minutes),
                (few, lambda minutes: 0 if minutes < 10 else 1 if minutes < 100 else 2),
            ):  # fmt: skip
                found = tallies(session, select(*KEYS), KEYS, measure)
                assert [dict(one) for one in found] == [by_hand(rows, place, own) for place in range(3)]
            (whole,) = tallies(session, select(TOLD.c.id), (), TOLD.c.minutes)
            assert whole == {ALL: Counter(row[3] for row in rows)}


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, ends=st.sets(st.integers(-1, 5000), max_size=3))
@example(rows=[], ends={3})
@example(rows=[("wish", None, 1, 3), ("wis", "price", 70_000, 3), (None, "price", None, 9)], ends={4, 5})
def test_pieces_of_a_walk_say_how_many_rows_each_has(database: Database, rows, ends) -> None:
    rows = [(*row, NOON + timedelta(seconds=row[3])) for row in rows]
    with database.write.begin() as session:
        TOLD.create(session.connection(), checkfirst=True)
        session.execute(delete(TOLD))
        if rows:
            names = ("word", "theme", "number", "minutes", "at")
            session.execute(insert(TOLD), [dict(zip(names, row, strict=True)) for row in rows])
    edges = [NOON + timedelta(seconds=end) for end in sorted(ends)]
    spans = list(itertools.pairwise([None, *edges, None]))
    parts = [
        select(*KEYS).where(
            *([] if low is None else [TOLD.c.at >= low]), *([] if high is None else [TOLD.c.at < high])
        )
        for low, high in spans
    ]
    pieces = Pieces(parts, select(*KEYS), TOLD.c.at, edges)
    within = [
        sum((low is None or row[4] >= low) and (high is None or row[4] < high) for row in rows)
        for low, high in spans
    ]
    with database.read.begin() as session:
        for _ in range(2):
            for keys in (KEYS, KEYS[:1], ()):
                for measure, own in ((None, lambda minutes: 0), (TOLD.c.minutes, lambda minutes: minutes)):
                    found = walk(session, pieces, keys, measure, TOLD.c.number)
                    hands = [by_hand(rows, place, own) for place in range(len(keys))]
                    assert [dict(one) for one in found.tallies] == (hands or [{ALL: by_hand(rows, 0, own)[ALL]}])
                    assert found.alone == Counter(row[2] for row in rows if row[2] is not None)
                    assert list(found.rows) == within


def test_more_words_than_letters_are_counted_as_well(database: Database) -> None:
    rows = [(f"слово {number % 90}", None, number % 3, number) for number in range(300)]
    with database.write.begin() as session:
        TOLD.create(session.connection())
        names = ("word", "theme", "number", "minutes")
        session.execute(insert(TOLD), [dict(zip(names, row, strict=True)) for row in rows])
    with database.read.begin() as session:
        for _ in range(2):
            found = tallies(session, select(*KEYS), KEYS)
            assert [dict(one) for one in found] == [by_hand(rows, place, lambda minutes: 0) for place in range(3)]


def test_words_met_meanwhile_by_another_thread_change_no_letter(database: Database) -> None:
    """Both threads began with no word known and met the same ones in another order."""
    rows = [("wish", None, 1, 3), ("question", None, 1, 3), ("question", None, 2, 3)]
    with database.write.begin() as session:
        TOLD.create(session.connection())
        names = ("word", "theme", "number", "minutes")
        session.execute(insert(TOLD), [dict(zip(names, row, strict=True)) for row in rows])
    tally._met[str(TOLD.c.word)] = ("wish", "question")

    def other(*_given: Any) -> None:
        tally._met[str(TOLD.c.word)] = ("question", "wish")

    event.listen(database.read.kw["bind"], "after_cursor_execute", other)
    try:
        with database.read.begin() as session:
            (found,) = tallies(session, select(TOLD.c.word), (TOLD.c.word,))
    finally:
        event.remove(database.read.kw["bind"], "after_cursor_execute", other)
    assert dict(found) == by_hand(rows, 0, lambda minutes: 0)


def test_the_upgrade_names_programmes_as_a_later_save_does(database: Database) -> None:
    named = {"Английский  с нуля\n": "Английский с нуля", "": "", "я" * 250: "я" * 200}
    with database.write.begin() as session:
        card = Client(name="Анна", name_key="анна")
        session.add(card)
        session.flush()
        for terms in ({}, {"program": {}}, *({"program": {"name": name}} for name in named)):
            session.add(Contract(kind="person", client_id=card.id, dated=date(2026, 11, 2), terms=terms))
    wanted = ["", "", *named.values()]
    with database.read.begin() as session:
        assert list(session.scalars(select(Contract.programme).order_by(Contract.id))) == wanted
    run_alembic(database, "downgrade", "0054")
    run_alembic(database, "upgrade", "head")
    with database.read.begin() as session:
        assert list(session.scalars(select(Contract.programme).order_by(Contract.id))) == wanted
