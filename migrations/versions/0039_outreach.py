"""Conversations that the desk begins: a reply need not answer a message."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outreach",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("target", sa.JSON(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_outreach_case_id_case")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_outreach_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outreach")),
        sa.UniqueConstraint("case_id", name=op.f("uq_outreach_case_id")),
    )
    op.create_index(op.f("ix_outreach_created_at"), "outreach", ["created_at"])
    with op.batch_alter_table("reply") as table:
        table.alter_column("message_id", existing_type=Id, nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM reply WHERE message_id IS NULL")
    with op.batch_alter_table("reply") as table:
        table.alter_column("message_id", existing_type=Id, nullable=False)
    op.drop_index(op.f("ix_outreach_created_at"), table_name="outreach")
    op.drop_table("outreach")
