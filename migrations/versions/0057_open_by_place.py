"""The open cases of a place with few of them are found without walking those of all others."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

NAME, OPEN = "ix_case_open_source", sa.text("open_key IS NOT NULL")


def upgrade() -> None:
    columns = ["source_id", "last_message_at", "id"]
    op.create_index(NAME, "case", columns, sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_index(NAME, "case")
