"""What every table shares: the declarative base, key and time types, naming of constraints."""

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
    text,
)
from sqlalchemy import Text as LongText
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

# SQLite numbers rows by itself only in a column declared INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python, UTC in the database; a naive time is a programming error."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r}")
        return value if value.tzinfo is UTC else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def where(condition: str) -> dict[str, Any]:
    """What makes an ``Index`` partial on either database; a query that is to use it says the same words."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def holds_bytes(kind: TypeEngine[Any]) -> bool:
    """Whether a column of this type holds bytes, however they are packed."""
    return isinstance(_impl(kind), LargeBinary)


def holds_words(kind: TypeEngine[Any]) -> bool:
    """Whether a column of this type holds text."""
    return isinstance(_impl(kind), String)


def _impl(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind


class aside(FunctionElement[bool]):
    """A condition by which SQLite chooses no index; the other database knows how many rows it leaves.

    SQLite takes an index of equal values for better than one of a span of time, and would look up half a table row
    by row instead of walking through an index that holds all it is asked for.
    """

    inherit_cache = True
    type = Boolean()


@compiles(aside)
def _plain(element: aside, compiler: SQLCompiler, **more: Any) -> str:
    return compiler.process(element.clauses, **more)


@compiles(aside, "sqlite")
def _without_index(element: aside, compiler: SQLCompiler, **more: Any) -> str:
    return f"+({compiler.process(element.clauses, **more)})"


def storable(told: str) -> str:
    """``told`` as every database can keep it, see ``_Storable``."""
    return _UNSTORABLE.sub("\ufffd", told)


class _Storable(TypeDecorator[str]):
    """PostgreSQL refuses NUL in a text, and neither database can encode half of a surrogate pair: wherever a text
    comes from, what cannot be stored in it becomes U+FFFD, lest one letter stop all that comes with it."""

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value if value is None else storable(value)


class Word(_Storable):
    """A short text: an id, a code, a name."""

    impl = String
    cache_ok = True


class Text(_Storable):
    """A text of any length."""

    impl = LongText
    cache_ok = True


class Base(DeclarativeBase):
    """Names every constraint, because Alembic can drop only what has a name."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: Word, datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012

    id: Mapped[int] = mapped_column(Id, primary_key=True)


def utc_now() -> datetime:
    """The time as tables store it."""
    return datetime.now(UTC)
