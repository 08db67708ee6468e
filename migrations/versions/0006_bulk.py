"""Acts upon many cases."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulk",
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("cases", sa.JSON(), nullable=False),
        sa.Column("results", sa.JSON(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("of_bulk_id", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_bulk_staff_id_staff")),
        sa.ForeignKeyConstraint(["of_bulk_id"], ["bulk.id"], name=op.f("fk_bulk_of_bulk_id_bulk")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk")),
    )
    op.create_index(op.f("ix_bulk_state_id"), "bulk", ["state", "id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_bulk_state_id"), table_name="bulk")
    op.drop_table("bulk")
