"""Rows by names of several parts, many at once: one index look a name, on either database."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from models.base import Word


def is_named(*columns: Any) -> Mapping[str, ColumnElement[bool]]:
    """Dialect → the condition that ``columns``, all of them texts, bear one of the names of ``names_given``.

    PostgreSQL plans each name of a written list by itself, which takes longer than all the looks together: it gets
    the names as columns. SQLite knows no such thing and needs none.
    """
    parts: list[Any] = [bindparam(f"name_{at}", type_=ARRAY(Word)) for at in range(len(columns))]
    names = func.unnest(*parts).table_valued(*(f"part_{at}" for at in range(len(columns)))).render_derived()
    return {
        "sqlite": tuple_(*columns).in_(bindparam("names", expanding=True)),
        "postgresql": tuple_(*columns).in_(select(*names.c)),
    }


def names_given(session: Session, names: Collection[tuple[str, ...]], parts: int) -> dict[str, Any]:
    """What a statement with ``is_named`` is executed with; ``parts`` a name."""
    if session.get_bind().dialect.name == "sqlite":
        return {"names": list(names)}
    return {f"name_{at}": [name[at] for name in names] for at in range(parts)}
