"""Many rows by one statement: PostgreSQL gets them as columns, SQLite row by row, which costs nothing there.

Five hundred rows that are written out take PostgreSQL's driver longer to put together than the server to keep, and
they are another statement for each number of them, so that none is planned beforehand.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Insert, Table, bindparam, column, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeEngine

from models import Base

T = TypeVar("T")


def as_rows(**columns: TypeEngine[Any]) -> TableValuedAlias:
    """Rows that PostgreSQL reads out of arrays, one for each of ``columns``, given under its name."""
    arrays = [bindparam(name, type_=ARRAY(kind, dimensions=1)) for name, kind in columns.items()]
    named = [column(name, kind) for name, kind in columns.items()]
    return func.unnest(*arrays).table_valued(*named).render_derived()


def for_each(make: Callable[[Any], T], **columns: TypeEngine[Any]) -> Mapping[str, T]:
    """Dialect → the statement that ``make`` gives when it may use ``columns`` of a row; see ``rows_given``."""
    row = {name: bindparam(name, type_=kind) for name, kind in columns.items()}
    return {"sqlite": make(type("Row", (), row)), "postgresql": make(as_rows(**columns).c)}


def rows_given(session: Session, rows: Sequence[Mapping[str, Any]]) -> Any:
    """What a statement for many rows is executed with; there is one at least, and all have the same keys."""
    if session.get_bind().dialect.name == "sqlite":
        return list(rows)
    return {name: [row[name] for row in rows] for name in rows[0]}


@cache
def insertion(
    dialect: str, table: Table | type[Base], names: tuple[str, ...], unless: tuple[str, ...] = ()
) -> Insert:
    """Inserts ``rows_given`` that have ``names``; not those whose columns ``unless`` somebody has taken.

    A default that is made anew for each row is made once: such a column must be among the names.
    """
    of = table if isinstance(table, Table) else table.__table__
    if dialect == "sqlite":
        plain = sqlite.insert(table)
        return plain.on_conflict_do_nothing(index_elements=unless) if unless else plain
    rows = as_rows(**{name: of.c[name].type for name in names})
    # The session must not take the arrays for one row of a model.
    made = postgresql.insert(table).from_select(names, select(*rows.c)).execution_options(dml_strategy="orm")
    return made.on_conflict_do_nothing(index_elements=unless) if unless else made


def insert_rows(
    session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]], unless: tuple[str, ...] = ()
) -> None:
    """Inserts ``rows`` into a table without making objects of them, as ``insertion`` says it."""
    statement = insertion(session.get_bind().dialect.name, table.__table__, tuple(rows[0]), unless)
    session.connection().execute(statement, rows_given(session, rows))


def among(session: Session, of: Column[T] | InstrumentedAttribute[T], values: Collection[T]) -> ColumnElement[bool]:
    """That a column has one of ``values``: for PostgreSQL one array, whatever their number."""
    if session.get_bind().dialect.name == "sqlite":
        return of.in_(list(values))
    return of == func.any(bindparam(None, list(values), type_=ARRAY(of.type, dimensions=1)))
