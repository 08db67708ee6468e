"""Closed cases by theme, kind and place: what is rare among them is found without walking all."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

CLOSED = sa.text("open_key IS NULL")
INDEXES = {"ix_case_closed_theme": "theme", "ix_case_closed_kind": "kind", "ix_case_closed_source": "source_id"}


def upgrade() -> None:
    for name, column in INDEXES.items():
        op.create_index(
            name, "case", [column, "last_message_at", "id"], sqlite_where=CLOSED, postgresql_where=CLOSED
        )


def downgrade() -> None:
    for name in reversed(INDEXES):
        op.drop_index(name, table_name="case")
