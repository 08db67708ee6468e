"""Indexes that the views of open cases walk in order, and that counters read alone."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OPEN, UNREAD = sa.text("open_key IS NOT NULL"), sa.text("read_at IS NULL")
INDEXES = (
    ("ix_case_open", "case", ["last_message_at", "id"], OPEN),
    ("ix_case_open_assignee", "case", ["assignee_id", "last_message_at", "id"], OPEN),
    ("ix_case_open_lift", "case", ["lift", "last_message_at", "id"], OPEN),
    ("ix_case_open_counts", "case", ["stage", "label", "sure", "assignee_id", "lift", "open_key"], OPEN),
    ("ix_message_unread", "message", ["work"], UNREAD),
)


def upgrade() -> None:
    for name, table, columns, where in INDEXES:
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table, _columns, _where in reversed(INDEXES):
        op.drop_index(name, table_name=table)
