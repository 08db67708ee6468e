"""Connections that died while nobody used them are not handed out."""

import pytest
from sqlalchemy import text


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
