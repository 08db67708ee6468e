"""No view of the inbox sorts what it could walk: the plan of every list names an index and no sorting."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import event, text

from collectors.base import Raw
from services.counters import counters
from services.filters import Filters
from services.inbox import list_cases
from services.intake import forget_twins

VIEWS = {
    "open": Filters(),
    "oldest first": Filters(sort="wait"),
    "by deadline": Filters(sort="due"),
    "burning": Filters(burning=True, sort="due"),
    "new": Filters(stage="new"),
    "closed": Filters(stage="closed"),
    "put off": Filters(stage="later"),
    "kind": Filters(label="question"),
    "closed kind": Filters(stage="closed", label="question"),
    "unsure": Filters(label="unsure"),
    "mine": Filters(mine=True),
    "nobody's": Filters(unassigned=True),
    "answer came": Filters(lift="answer"),
    "private wishes": Filters(label="wish", visibility="private"),
}


@pytest.fixture
def plans(database, cast):
    """Runs a question and gives the plan of each of its statements about cases."""
    if not database.is_sqlite:
        pytest.skip("SQLite says its plan without any rows to weigh; PostgreSQL is watched by bench inbox")
    kept = []

    def keep(_connection, _cursor, statement, parameters, _context, _many):
        kept.append((statement, parameters))

    def _plans(ask) -> str:
        event.listen(database.engine, "before_cursor_execute", keep)
        with database.read.begin() as session:
            ask(session)
        event.remove(database.engine, "before_cursor_execute", keep)
        lines = []
        with database.engine.connect() as connection:
            for statement, parameters in kept:
                if 'FROM "case"' in statement:
                    found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                    lines += [row[-1] for row in found]
        return "\n".join(lines)

    return _plans


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("after", [None, f"2:{datetime(2026, 11, 1, tzinfo=UTC).timestamp()}:5"])
def test_a_list_is_walked_not_sorted(plans, cast, name, after) -> None:
    plan = plans(lambda session: list_cases(session, cast.smm, VIEWS[name], after=after))
    assert "USING INDEX ix_case_" in plan
    assert "TEMP B-TREE FOR ORDER BY" not in plan


def test_counters_read_one_index_alone(plans, cast) -> None:
    plan = plans(lambda session: counters(session, cast.smm))
    assert "COVERING INDEX ix_case_open_counts" in plan
    assert "COVERING INDEX ix_case_open_warn" in plan


def test_unread_of_the_rest_is_an_index_of_its_own(database, cast) -> None:
    if not database.is_sqlite:
        pytest.skip("see above")
    with database.engine.connect() as connection:
        found = connection.execute(
            text("EXPLAIN QUERY PLAN SELECT 1 FROM message WHERE work = 'rest' AND read_at IS NULL LIMIT 1000")
        )
        assert "ix_message_unread" in "".join(row[-1] for row in found)


def test_what_polling_read_of_an_event_is_found_by_its_name(database, cast) -> None:
    if not database.is_sqlite:
        pytest.skip("see above")
    kept = []

    def keep(_connection, _cursor, statement, parameters, _context, _many):
        kept.append((statement, parameters))

    with database.write.begin() as session:
        event.listen(database.engine, "before_cursor_execute", keep)
        forget_twins(session, cast.source_id, (Raw("heard", "v1", "1", b"x"),))
        event.remove(database.engine, "before_cursor_execute", keep)
        statement, parameters = kept[-1]
        found = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plan = [row[-1] for row in found]
    assert any("(source_id=? AND kind=? AND container=? AND external_id=?)" in line for line in plan)
