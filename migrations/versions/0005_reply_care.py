"""Saved replies, facts, approval and what the linter was told."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved_reply",
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("archived_at", UtcDateTime(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_saved_reply_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_reply")),
    )
    op.create_table(
        "fact",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("owner_id", Id, nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name=op.f("fk_fact_owner_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact")),
        sa.UniqueConstraint("code", name=op.f("uq_fact_code")),
    )
    op.create_table(
        "fact_use",
        sa.Column("fact_id", Id, nullable=False),
        sa.Column("reply_id", Id, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["fact_id"], ["fact.id"], name=op.f("fk_fact_use_fact_id_fact")),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_fact_use_reply_id_reply")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact_use")),
        sa.UniqueConstraint("fact_id", "reply_id", name=op.f("uq_fact_use_fact_id_reply_id")),
    )
    with op.batch_alter_table("reply") as table:
        table.add_column(sa.Column("overrides", sa.JSON(), nullable=False, server_default="{}"))
        table.add_column(sa.Column("afterwards", sa.String(), nullable=True))
        table.add_column(sa.Column("is_holding", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("approver_id", Id, nullable=True))
        table.add_column(sa.Column("decided_at", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("verdict_note", sa.Text(), nullable=True))
        table.create_foreign_key(op.f("fk_reply_approver_id_staff"), "staff", ["approver_id"], ["id"])
    # Apart: SQLite copies the rows into the shape at the end of a batch, where nothing would fill the columns.
    with op.batch_alter_table("reply") as table:
        table.alter_column("overrides", server_default=None)
        table.alter_column("is_holding", server_default=None)
    with op.batch_alter_table("staff") as table:
        table.add_column(sa.Column("trainee", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("staff") as table:
        table.alter_column("trainee", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("staff") as table:
        table.drop_column("trainee")
    with op.batch_alter_table("reply") as table:
        table.drop_constraint(op.f("fk_reply_approver_id_staff"), type_="foreignkey")
        for name in ("verdict_note", "decided_at", "approver_id", "is_holding", "afterwards", "overrides"):
            table.drop_column(name)
    for name in ("fact_use", "fact", "saved_reply"):
        op.drop_table(name)
