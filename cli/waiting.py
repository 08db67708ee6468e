"""A database that is not there yet: a door waits for it with words and with an end, a command says so at once."""

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from services.again import is_passing, words_of

T = TypeVar("T")
WAIT_SECONDS = 120.0
LOOK_SECONDS = 1.0
WAITS = "  База данных ещё не отвечает, ждём…"
AWAY = "База данных не отвечает ({said}). Проверьте, запущен ли PostgreSQL и верен ли адрес database.url."
_COMES = ("starting up", "shutting down", "recovery", "not yet accepting", "too many", "connection slots")
"""What a server that is there says while it cannot take us yet; any other refusal does not heal by waiting."""


def words_for(error: Exception) -> str | None:
    """What to tell the operator of a database that is not there; None for any other error."""
    return AWAY.format(said=words_of(error)) if is_passing(error) else None


def open_patiently(make: Callable[[], T], seconds: float) -> T:
    """What ``make`` gives, as soon as its database lets it; raises its error after ``seconds``, or when it is one
    that waiting does not heal."""
    until, told = time.monotonic() + seconds, False
    while True:
        try:
            return make()
        except DBAPIError as error:
            said = words_of(error)
            is_refused = "FATAL:" in said and not any(word in said for word in _COMES)
            if is_refused or not is_passing(error) or time.monotonic() >= until:
                raise
        if not told:
            print(WAITS, flush=True)
            told = True
        time.sleep(LOOK_SECONDS)
