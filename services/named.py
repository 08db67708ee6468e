"""Rows of a place by names of several parts, many at once: one look into the index a name, on either database."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Select, Table, bindparam, func, select, true, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from models.base import Word


def by_names(table: Table, name: Sequence[Column[Any]], *wanted: Column[Any]) -> Mapping[str, Select[Any]]:
    """Dialect → the columns ``wanted`` of those rows of place «of» whose ``name``, texts and unique within a place,
    is one of ``names_given``.

    PostgreSQL plans each name of a written list by itself, which takes longer than all the looks together; of names
    that it gets as columns it may think it better to read the whole place, unless each is looked up alone. Of a
    table that it has not analysed yet it takes any index that begins like the name: only the order of the last
    part, which an equation would make meaningless, leaves it the right one.
    """
    of_place = table.c.source_id == bindparam("of")
    parts: list[Any] = [bindparam(f"name_{at}", type_=ARRAY(Word)) for at in range(len(name))]
    names = func.unnest(*parts).table_valued(*(f"part_{at}" for at in range(len(name)))).render_derived()
    *same, last = zip(name, names.c, strict=True)
    is_it = (*(column == part for column, part in same), last[0].between(last[1], last[1]))
    found = select(*wanted).where(of_place, *is_it).order_by(last[0]).limit(1).lateral()
    listed = tuple_(*name).in_(bindparam("names", expanding=True))
    return {
        "sqlite": select(*wanted).where(of_place, listed),
        "postgresql": select(found).select_from(names.join(found, true())),
    }


def names_given(session: Session, source_id: int, names: Collection[tuple[str, ...]]) -> dict[str, Any]:
    """What a statement of ``by_names`` is executed with."""
    if session.get_bind().dialect.name == "sqlite":
        return {"of": source_id, "names": list(names)}
    parts = zip(*names, strict=True)
    return {"of": source_id, **{f"name_{at}": list(part) for at, part in enumerate(parts)}}
