"""What the database undoes by itself is done again: nobody is to blame for it, and nothing is lost by it."""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from models.database import Database

log = structlog.get_logger()
T = TypeVar("T")
UNDONE = frozenset({"40001", "40P01"})
"""PostgreSQL undid a transaction for the sake of another: serialization_failure, deadlock_detected."""
AWAY = ("08", "57P")
"""Classes of its errors (appendix A of its manual): it went away, ends, or does not take anybody yet."""
UP_SECONDS = (0.5, 1, *[2] * 12)
"""Pauses after which a database that restarts is asked again."""


def is_undone(error: BaseException) -> bool:
    """Two waited for each other and one was sent away: the same transaction may be tried at once."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in UNDONE


def is_passing(error: BaseException) -> bool:
    """The trouble is the database's own and passes: it undid the transaction, restarts, or cannot be reached.

    On SQLite nothing is: a file does not go away, and who waited in vain for its turn is told as before.
    """
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", "other")  # None: no server said anything, the connection failed
    if error.connection_invalidated or is_undone(error):
        return True
    is_away = state is None or state.startswith(AWAY)
    return isinstance(error, OperationalError | InterfaceError) and is_away


def tell(error: Exception, event: str, **given: Any) -> None:
    """Writes down what ended a piece of work, from within its ``except``: a trouble that passes in a line, anything
    else with the place in the code."""
    if is_passing(error):
        log.warning(event, trouble=words_of(error), **given)
    else:
        log.exception(event, **given)


def words_of(error: Exception) -> str:
    """What the database said, in one line."""
    said = str(getattr(error, "orig", error)).strip().splitlines()
    return said[0] if said else type(error).__name__


def run_again(database: Database, act: Callable[[Session], T], pauses: Sequence[float] = UP_SECONDS) -> T:
    """Does ``act`` in a transaction of its own, again after each of ``pauses`` while the database's trouble passes;
    then raises it.

    A connection may break in the middle of a commit: ``act`` must change nothing when it is done a second time.
    """
    for pause in (*pauses, None):
        try:
            with database.write.begin() as session:
                return act(session)
        except DBAPIError as error:
            if pause is None or not is_passing(error):
                raise
            log.warning("database.again", trouble=words_of(error))
            time.sleep(pause)
    raise AssertionError  # pragma: no cover (the last of the pauses is None)
