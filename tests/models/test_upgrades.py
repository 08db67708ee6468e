"""Upgrades of a desk with rows in every table: from each revision, and ended at each statement: old or new."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    DateTime,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    event,
    func,
    insert,
    inspect,
    literal,
    select,
    table,
    text,
    union_all,
)
from sqlalchemy.types import Float, Integer

from models import Base
from models.database import Database
from services.errors import DeskError
from services.schema import MIGRATIONS, check_revision, newest_revision, present_revision, run_alembic, upgrade

REVISIONS = sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
UNFILLED = ("alembic_version", "search_", "procrastinate_")
"""Made by the database or anew from others."""
FACTS = frozenset({"case_fact", "route_fact", "case_step"})
"""Made anew from cases by a job after an upgrade that empties them."""


def tables_of(database: Database) -> list[Table]:
    found = MetaData()
    found.reflect(database.engine, only=lambda name, _: not name.startswith(UNFILLED))
    return list(found.sorted_tables)


def fill(database: Database) -> dict[str, int]:
    """A row in every table, as its columns and constraints want it; returns rows per table."""
    with database.write.begin() as session:
        for rows in tables_of(database):
            if session.scalar(select(func.count()).select_from(rows)):
                continue
            ids = {
                key.column.table.name: session.scalar(select(func.min(key.column)))
                for key in rows.foreign_keys
                if key.column.table.name != rows.name
            }
            # Facts bear the number of what they are about; all other numbers are given by the database.
            filled = [one for one in rows.columns if one.name != "id" or one.foreign_keys]
            given = {one.name: value(one, ids) for one in filled}
            session.execute(insert(rows), given)
    return counts(database)


def value(column: Any, ids: dict[str, Any]) -> Any:
    keys = list(column.foreign_keys)
    if keys:
        return ids.get(keys[0].column.table.name)
    kind = column.type
    if isinstance(kind, JSON):
        return [] if column.name in LISTS else {}
    for types, made in (
        (Boolean, False), (DateTime, NOON), (Date, date(2026, 11, 25)), (LargeBinary, b"x"), (Integer, 1),
        (Numeric, 1), (Float, 1.0),
    ):  # fmt: skip
        if isinstance(kind, types):
            return made
    return None if column.nullable else f"{column.table.name[:3]}-{column.name}"


LISTS = frozenset(
    column.name
    for table in Base.metadata.tables.values()
    for column in table.columns
    if isinstance(column.type, JSON) and str(getattr(column.default, "arg", "")).find("list") >= 0
)


def counts(database: Database) -> dict[str, int]:
    names = [name for name in inspect(database.engine).get_table_names() if not name.startswith(UNFILLED)]
    if not names:
        return {}
    with database.read.begin() as session:
        asked = (select(literal(name), func.count()).select_from(table(name)) for name in sorted(names))
        return {row[0]: row[1] for row in session.execute(union_all(*asked))}


class Killed(Exception):
    """Ends the work; the transaction goes with it, as it does with the process."""


@contextmanager
def killed_at(database: Database, number: int) -> Iterator[list[str]]:
    """Ends the work before its ``number``-th statement that changes something."""
    seen: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_given: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "PRAGMA", "BEGIN", "SHOW")):
            return
        seen.append(statement)
        if len(seen) == number:
            raise Killed(statement)

    event.listen(database.engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", count)


@pytest.mark.timeout(300)
def test_every_revision_with_rows_is_old_or_new_and_comes_up_to_the_newest(empty_database) -> None:
    """From each revision, ended at statement after statement; then the rows are counted."""
    filled: set[str] = set()
    before: dict[str, int] = {}
    for old, revision in zip([None, *REVISIONS], REVISIONS, strict=False):
        ended = end_everywhere(empty_database, old, revision, before)
        assert ended >= 1, revision
        after = counts(empty_database)
        kept = [name for name in before if name in after and name not in FACTS]
        assert {name: after[name] for name in kept} == {name: before[name] for name in kept}, revision
        filled |= set(fill(empty_database))
        before = counts(empty_database)
        assert min(before.values()) >= 1, revision
    assert present_revision(empty_database) == newest_revision()
    assert check_revision(empty_database) is False
    run_alembic(empty_database, "check")


def end_everywhere(database: Database, old: str | None, revision: str, before: dict[str, int]) -> int:
    """How many times the upgrade to ``revision`` was ended before it came through."""
    ended = 0
    for number in chosen(revision):
        with killed_at(database, number) as seen:
            try:
                upgrade(database, revision)
            except Killed:
                ended += 1
        if len(seen) < number:
            break
        assert present_revision(database) == old
        assert counts(database) == before
    assert present_revision(database) == revision
    return ended


def chosen(revision: str) -> Iterator[int]:
    """The first statements one by one, then by leaps that grow, so that a long revision takes no minute."""
    leap = random.Random(revision)
    number = 0
    while True:
        number += 1 if number < 2 else leap.randint(1, 2 + number)
        yield number


def test_a_newer_database_is_refused_with_words(database) -> None:
    from cli import OPERATOR_WORDS

    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DeskError) as refused:
        check_revision(database)
    words = OPERATOR_WORDS[refused.value.code].format_map(refused.value.data)
    assert "9999" in words
    assert newest_revision() in words
