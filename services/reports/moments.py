"""A moment so many days before a column's own, which the two databases write differently."""

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement

from models import UtcDateTime


class DaysBefore(ColumnElement[Any]):
    """``column`` less ``days``; on SQLite to the millisecond."""

    inherit_cache = False
    type = UtcDateTime()

    def __init__(self, column: Any, days: int) -> None:
        self.column, self.days = column, int(days)


@compiles(DaysBefore, "sqlite")
def _sqlite(element: DaysBefore, compiler: Any, **given: Any) -> str:
    column = compiler.process(element.column, **given)
    return f"strftime('%Y-%m-%d %H:%M:%f', {column}, '-{element.days} days')"


@compiles(DaysBefore)
def _others(element: DaysBefore, compiler: Any, **given: Any) -> str:
    return f"({compiler.process(element.column, **given)} - interval '{element.days} days')"
