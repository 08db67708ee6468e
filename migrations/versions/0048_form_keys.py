"""A new rule and a new saved reply that are sent twice are one."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

TABLES = ("rule", "saved_reply")


def upgrade() -> None:
    for table in TABLES:
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("form_key", sa.String(), nullable=True))
            batch.create_unique_constraint(op.f(f"uq_{table}_form_key"), ["form_key"])


def downgrade() -> None:
    for table in reversed(TABLES):
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(op.f(f"uq_{table}_form_key"), type_="unique")
            batch.drop_column("form_key")
