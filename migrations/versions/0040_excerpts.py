"""A part of a message may be a case of its own."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "excerpt",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("from_case_id", Id, nullable=False),
        sa.Column("message_id", Id, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_excerpt_case_id_case")),
        sa.ForeignKeyConstraint(["from_case_id"], ["case.id"], name=op.f("fk_excerpt_from_case_id_case")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_excerpt_message_id_message")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_excerpt_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_excerpt")),
        sa.UniqueConstraint("case_id", name=op.f("uq_excerpt_case_id")),
    )
    op.create_index(op.f("ix_excerpt_message_id"), "excerpt", ["message_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_excerpt_message_id"), table_name="excerpt")
    op.drop_table("excerpt")
