"""When secrets were typed in, and when a place was removed."""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = "0053"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("source", sa.Column("typed", sa.JSON(), nullable=False, server_default="{}"))
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("source") as batch:
            batch.alter_column("typed", server_default=None)
    else:
        op.alter_column("source", "typed", server_default=None)
    op.add_column("source", sa.Column("removed_at", UtcDateTime(), nullable=True))
    op.add_column("webhook", sa.Column("secret_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("webhook", "secret_at")
    for column in ("removed_at", "typed"):
        op.drop_column("source", column)
