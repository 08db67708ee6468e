"""Joined cases remember what moved, so that they can be parted again."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

KEYS = {"gone_id": "case", "kept_id": "case", "staff_id": "staff", "undone_by_id": "staff"}


def upgrade() -> None:
    op.create_table(
        "joining",
        sa.Column("gone_id", Id, nullable=False),
        sa.Column("kept_id", Id, nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.Column("undone_by_id", Id, nullable=True),
        sa.Column("id", Id, nullable=False),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_joining_{column}_{table}"))
            for column, table in KEYS.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joining")),
    )
    for column in ("gone_id", "kept_id"):
        op.create_index(op.f(f"ix_joining_{column}"), "joining", [column])


def downgrade() -> None:
    for column in ("kept_id", "gone_id"):
        op.drop_index(op.f(f"ix_joining_{column}"), table_name="joining")
    op.drop_table("joining")
