"""What is said in the language of who looks: the one place that knows Flask-Babel."""

from datetime import date, datetime, tzinfo
from typing import Protocol, cast
from zoneinfo import ZoneInfo

import flask_babel

__all__ = ["Lazy", "_", "_l", "format_date", "format_datetime", "format_decimal", "here", "is_russian", "ngettext"]


class Lazy(Protocol):
    """Words that are looked up when they are shown, for tables made before anybody looks."""

    def __str__(self) -> str: ...


def _(text: str, **values: object) -> str:
    """The words for ``text`` (English is the key), with ``%(name)s`` filled in."""
    return str(flask_babel.gettext(text, **values))


def _l(text: str) -> Lazy:
    """The same, for later."""
    return cast(Lazy, flask_babel.lazy_gettext(text))


def ngettext(one: str, many: str, num: int, **values: object) -> str:
    """Words that agree with ``num``, which they may name as ``%(num)s``."""
    return str(flask_babel.ngettext(one, many, num, **values))


def is_russian() -> bool:
    return str(flask_babel.get_locale()).startswith("ru")


def format_date(day: date, pattern: str) -> str:
    return str(flask_babel.format_date(day, pattern))


def format_decimal(number: float) -> str:
    """«8,4»"""
    return str(flask_babel.format_decimal(number))


def format_datetime(at: datetime, pattern: str) -> str:
    """In the desk's zone."""
    return str(flask_babel.format_datetime(at, pattern))


def here() -> tzinfo:
    """The zone that times are shown in and typed in.

    Flask-Babel gives it as pytz has it, which put into a typed time means the local mean time of the nineteenth
    century: half an hour beside Moscow's.
    """
    return ZoneInfo(str(flask_babel.get_timezone()))
