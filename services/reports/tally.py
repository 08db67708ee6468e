"""How many rows there are of each combination of values, by the way in which the database is quick."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from sqlalchemy import Select, func
from sqlalchemy.orm import Session


def tally(session: Session, query: Select[Any], columns: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """(a value of each of ``columns``, how many rows of ``query`` have them); numbers and words only.

    SQLite sorts what it groups: counting its rows here as they come takes half of that, and keeps the counts alone.
    """
    named = [column.label(f"value_{number}") for number, column in enumerate(columns)]
    if session.get_bind().dialect.name == "sqlite":
        with session.connection().execute(query.with_only_columns(*named, maintain_column_froms=True)) as rows:
            counted: Counter[tuple[Any, ...]] = Counter(cast(Iterable[tuple[Any, ...]], rows.cursor))
        yield from ((*values, number) for values, number in counted.items())
        return
    grouped = query.with_only_columns(*named, func.count(), maintain_column_froms=True)
    for row in session.execute(grouped.group_by(*(column.name for column in named))):
        yield tuple(row)
