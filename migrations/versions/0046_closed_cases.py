"""Closed cases by theme, kind and place, and all that the queue is asked about, without walking rows."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

CLOSED = sa.text("stage = 'closed'")
INDEXES = {"ix_case_closed_theme": "theme", "ix_case_closed_kind": "kind", "ix_case_closed_source": "source_id"}
QUEUE = "holder IS NOT NULL"
STANDING = [
    "counts", "lead_id", "first_at", "first_due_at", "resolution_due_at", "legal_due_at", "legal_done_at",
]  # fmt: skip


def upgrade() -> None:
    for name, column in INDEXES.items():
        op.create_index(
            name, "case", [column, "last_message_at", "id"], sqlite_where=CLOSED, postgresql_where=CLOSED
        )
    _queue(["holder", "opened_at", *STANDING])


def _queue(columns: list[str]) -> None:
    op.drop_index("ix_case_fact_queue", table_name="case_fact")
    where = sa.text(QUEUE)
    op.create_index("ix_case_fact_queue", "case_fact", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    _queue(["holder", "opened_at"])
    for name in reversed(INDEXES):
        op.drop_index(name, table_name="case")
