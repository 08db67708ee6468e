"""A moment so many days before a column's own, which the two databases write differently."""

from typing import Any

from sqlalchemy import Integer, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

from models import UtcDateTime


class DaysBefore(FunctionElement[Any]):
    """``column`` less ``days``; on SQLite to the millisecond."""

    inherit_cache = True
    type = UtcDateTime()

    def __init__(self, column: Any, days: int) -> None:
        super().__init__(column, literal(days, Integer))


@compiles(DaysBefore, "sqlite")
def _sqlite(element: DaysBefore, compiler: Any, **given: Any) -> str:
    column, days = (compiler.process(clause, **given) for clause in element.clauses)
    return f"strftime('%Y-%m-%d %H:%M:%f', {column}, '-' || {days} || ' days')"


@compiles(DaysBefore)
def _others(element: DaysBefore, compiler: Any, **given: Any) -> str:
    column, days = (compiler.process(clause, **given) for clause in element.clauses)
    return f"({column} - make_interval(days => {days}))"
