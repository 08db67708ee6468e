"""A click that the database undoes, or that meets none, hears so in plain words; the same click may come again."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import create_engine, event, func, select, text

from models import Case, Note
from models.database import Database
from tests.conftest import _postgres

UNDO = "DO $$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$"


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    yield from _postgres(request)


@pytest.fixture
def undo(database: Database) -> Iterator[Callable[[str], None]]:
    """The next statement that begins so is undone by PostgreSQL, as where two wait for each other."""
    armed: list[str] = []

    def meet(_connection: Any, _cursor: Any, statement: str, given: Any, *_more: Any) -> tuple[str, Any]:
        if armed and statement.startswith(armed[0]):
            armed.clear()
            return UNDO, {}
        return statement, given

    event.listen(database.engine, "before_cursor_execute", meet, retval=True)
    yield armed.append
    event.remove(database.engine, "before_cursor_execute", meet)
    assert armed == []


def count_notes(database: Database) -> int:
    with database.read.begin() as session:
        return session.scalar(select(func.count()).select_from(Note)) or 0


def test_an_undone_click_is_told_and_does_once_what_it_should(database, cast, enter, label_all, undo) -> None:
    cast.write("Когда вебинар?")
    label_all()
    with database.read.begin() as session:
        case_id = session.scalars(select(Case.id)).one()
    smm = enter("smm")
    undo("INSERT INTO note")
    answer = smm.post(f"/inbox/{case_id}/note", htmx=True, text="Спросила куратора", form_key="n1")
    assert answer.status_code == 503
    assert "нажмите ещё раз" in str(json.loads(answer.headers["HX-Trigger"]))
    assert count_notes(database) == 0
    smm.post(f"/inbox/{case_id}/note", htmx=True, text="Спросила куратора", form_key="n1")
    assert count_notes(database) == 1


def test_a_database_that_is_away_is_told(database, enter) -> None:
    smm = enter("smm")
    with shut(database):
        answer = smm.get("/inbox")
        assert answer.status_code == 503
        assert "База данных сейчас не отвечает" in answer.text
    assert smm.get("/inbox").status_code == 200


@contextmanager
def shut(database: Database) -> Iterator[None]:
    """PostgreSQL takes nobody to this database."""
    database.engine.dispose()
    server = create_engine(database.engine.url.set(database="template1"), isolation_level="AUTOCOMMIT")
    words = f"ALTER DATABASE {database.engine.url.database} WITH ALLOW_CONNECTIONS"
    with server.connect() as connection:
        connection.execute(text(f"{words} false"))
        try:
            yield
        finally:
            connection.execute(text(f"{words} true"))
    server.dispose()
