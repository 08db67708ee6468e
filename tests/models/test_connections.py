"""Which connections are handed out: not those that died at rest; the one used last first; few are kept."""

import contextlib
from typing import cast

import pytest
from sqlalchemy import QueuePool, text

from models.database import KEPT, open_database


def test_a_connection_that_died_at_rest_is_replaced(database, monkeypatch) -> None:
    if database.is_sqlite:
        pytest.skip("a file does not hang up")
    monkeypatch.setattr("models.database.MOMENT", 0.0)
    with database.engine.connect() as one, database.engine.connect() as other:
        numbers = [each.scalar(text("SELECT pg_backend_pid()")) for each in (one, other)]
    with database.engine.connect() as killer:
        own = killer.scalar(text("SELECT pg_backend_pid()"))
        for number in numbers:
            if number != own:
                killer.scalar(text("SELECT pg_terminate_backend(:number, 5000)"), {"number": number})
        with database.engine.connect() as fresh:
            assert fresh.scalar(text("SELECT pg_backend_pid()")) not in numbers


def test_the_connection_that_was_used_last_is_used_next(database) -> None:
    """It alone has the statements prepared and the pages at hand; those of a burst rest, and do not take turns."""
    with contextlib.ExitStack() as burst:
        for _ in range(4):
            burst.enter_context(database.engine.connect())
    used = set()
    for _ in range(8):
        with database.read() as session:
            used.add(id(session.connection().connection.driver_connection))
    assert len(used) == 1


def test_of_a_burst_few_connections_to_sqlite_are_kept(tmp_path) -> None:
    opened = open_database(f"sqlite:///{tmp_path / 'otklik.db'}", pool_size=10)
    pool = cast(QueuePool, opened.engine.pool)
    with contextlib.ExitStack() as burst:
        for _ in range(20):  # twice as many as the setting says, as on PostgreSQL
            burst.enter_context(opened.engine.connect())
        assert pool.checkedout() == 20
    assert pool.checkedin() == KEPT
    opened.engine.dispose()


def test_whoever_writes_has_room_and_leaves_it(database) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL keeps its pages itself")

    def room(session) -> int:
        return session.scalar(text("PRAGMA cache_size"))

    database.engine.dispose()  # one connection from here on
    for _ in range(2):
        with database.write.begin() as session:
            assert room(session) == -16_000
        with database.read.begin() as session:
            assert room(session) == -2_000
    with pytest.raises(ZeroDivisionError), database.write.begin():
        raise ZeroDivisionError
    with database.write.begin() as session:  # the turn was left too
        session.execute(text("SELECT 1"))
    with database.read.begin() as session:
        assert room(session) == -2_000
