"""What of a place was compared with the platform's own listing, and the gaps that were noticed."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, Text, UtcDateTime, Word

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gap",
        sa.Column("source_id", Id, nullable=False),
        sa.Column("from_at", UtcDateTime(), nullable=True),
        sa.Column("to_at", UtcDateTime(), nullable=False),
        sa.Column("reason", Text(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_by", Word(), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_gap_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gap")),
    )
    op.create_index(op.f("ix_gap_source_id_closed_at"), "gap", ["source_id", "closed_at"])
    op.add_column("source", sa.Column("verified_at", UtcDateTime(), nullable=True))
    op.add_column("source", sa.Column("coverage", sa.JSON(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("source") as table:
        table.drop_column("coverage")
        table.drop_column("verified_at")
    op.drop_index(op.f("ix_gap_source_id_closed_at"), "gap")
    op.drop_table("gap")
