"""Runs the migrations over the connection that bootstrap hands in (or --x url=… by hand)."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import BigInteger, Connection

from models import Base, UtcDateTime
from models.database import open_database


def render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Our two own types by their names, so that a revision reads like the models."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "UtcDateTime()"
    if kind == "type" and isinstance(item, BigInteger):
        return "Id"
    return False


def is_foreign(kind: str, name: str) -> bool:
    """What stands in the database and not in the metadata: see models.search and models.case_fact, and the task
    queue's tables."""
    if kind == "index":
        return name in ("ix_search_entry_vector", "ix_case_fact_narrow")
    return kind == "table" and name.startswith(("procrastinate_", "search_fts"))


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=render,
        compare_server_default=True,
        transaction_per_migration=False,
        include_name=lambda name, kind, _parents: not is_foreign(kind, name or ""),
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    url = context.get_x_argument(as_dictionary=True).get("url", "sqlite:///var/otklik.db")
    with open_database(url).engine.begin() as opened:
        run(opened)
