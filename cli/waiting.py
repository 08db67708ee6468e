"""A database that is not there yet: a door waits for it with words and with an end, a command says so at once."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy.exc import OperationalError

from services.again import is_passing, words_of

WAIT_SECONDS = 120.0
LOOK_SECONDS = 1.0
WAITS = "  База данных ещё не отвечает, ждём…"
AWAY = "База данных не отвечает ({said}). Проверьте, запущен ли PostgreSQL и верен ли адрес database.url."
_COMES = ("starting up", "shutting down", "recovery", "not yet accepting", "too many", "connection slots")
"""What a server that is there says while it cannot take us yet; any other refusal does not heal by waiting."""


def words_for(error: Exception) -> Callable[[], str] | None:
    """How to tell of a database that went away meanwhile; None for any other error."""
    return partial(AWAY.format, said=words_of(error)) if is_passing(error) else None


def wait_for_database(database: Any, seconds: float, stop: type[Exception]) -> None:
    """Returns as soon as PostgreSQL takes a connection; raises ``stop`` after ``seconds`` or when it refuses us."""
    if database.is_sqlite:
        return
    until, told = time.monotonic() + seconds, False
    while True:
        try:
            database.engine.connect().close()
            return
        except OperationalError as error:
            if not is_passing(error):
                raise
            said = words_of(error)
        is_refused = "FATAL:" in said and not any(word in said for word in _COMES)
        if is_refused or time.monotonic() >= until:
            raise stop(AWAY.format(said=said))
        if not told:
            print(WAITS, flush=True)
            told = True
        time.sleep(LOOK_SECONDS)
