"""What is said in the language of who looks: the one place that knows Flask-Babel."""

from datetime import date, datetime, tzinfo
from gettext import NullTranslations
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo

import flask_babel
from flask import Flask, g, has_app_context
from flask_babel.speaklater import LazyString
from jinja2 import pass_context
from jinja2.runtime import Context

__all__ = ["Lazy", "_", "_l", "format_date", "format_datetime", "format_decimal", "here", "is_russian", "ngettext"]


class Lazy(Protocol):
    """Words that are looked up when they are shown, for tables made before anybody looks."""

    def __str__(self) -> str: ...


def _words() -> NullTranslations:
    """The catalogue of who looks, found once an answer: Flask-Babel looks for the language at every word."""
    if not has_app_context():
        return cast(NullTranslations, flask_babel.get_translations())
    found = g.get("words")
    if found is None:
        found = g.words = flask_babel.get_translations()
    return cast(NullTranslations, found)


def install_words(app: Flask) -> None:
    """Gives templates the same catalogue; after Flask-Babel has given them its own.

    A page says hundreds of words, nearly all without a value in them: those are looked up once a process.
    """
    env: Any = app.jinja_env
    env.install_gettext_callables(
        gettext=lambda text: _words().gettext(text),
        ngettext=lambda one, many, num: _words().ngettext(one, many, num),
        newstyle=True,
    )
    with_values = env.globals["gettext"]
    said: dict[tuple[NullTranslations, str], str] = {}

    @pass_context
    def say(context: Context, text: str, /, **values: object) -> str:
        if values or not context.eval_ctx.autoescape:
            return cast(str, with_values(context, text, **values))
        key = (_words(), text)
        found = said.get(key)
        if found is None:
            found = said[key] = cast(str, with_values(context, text))
        return found

    env.globals.update(_=say, gettext=say)


def _(text: str, /, **values: object) -> str:
    """The words for ``text`` (English is the key), with ``%(name)s`` filled in."""
    found = _words().gettext(text)
    return found % values if values else found


def _l(text: str) -> Lazy:
    """The same, for later."""
    return cast(Lazy, LazyString(_, text))


def ngettext(one: str, many: str, num: int, **values: object) -> str:
    """Words that agree with ``num``, which they may name as ``%(num)s``."""
    return _words().ngettext(one, many, num) % {"num": num, **values}


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
