"""Cases put off until a time or an answer."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "snooze",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_snooze_case_id_case")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_snooze_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snooze")),
        sa.UniqueConstraint("case_id", name=op.f("uq_snooze_case_id")),
    )
    op.create_index(op.f("ix_snooze_until"), "snooze", ["until"])


def downgrade() -> None:
    op.drop_index(op.f("ix_snooze_until"), table_name="snooze")
    op.drop_table("snooze")
