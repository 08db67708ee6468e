"""Numbers in addresses and forms, no larger than a database can ask for."""

from flask import Flask
from werkzeug.routing import IntegerConverter

LARGEST = 2**63 - 1
"""SQLite refuses to be asked for more, and so does PostgreSQL to store it."""


class _Id(IntegerConverter):
    def __init__(self, *given: object, **more: object) -> None:
        super().__init__(*given, **{"max": LARGEST, **more})  # type: ignore[arg-type]


def whole(text: str) -> int:
    """``text`` as a number; raises ValueError, so that ``get(…, type=whole)`` gives its default."""
    number = int(text)
    if abs(number) > LARGEST:
        raise ValueError(text)
    return number


def hours(minutes: int | None) -> str:
    """Minutes as hours are typed: «4», «0,5», «0,25»."""
    return "" if minutes is None else f"{minutes / 60:.4f}".rstrip("0").rstrip(".").replace(".", ",")


def install(app: Flask) -> None:
    """A number that no row can have is an address that does not exist."""
    app.url_map.converters["int"] = _Id
