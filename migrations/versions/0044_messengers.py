"""Whose account of a messenger is whose."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

LIVE = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "messenger_account",
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("source_id", Id, nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_messenger_account_source_id_source")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_messenger_account_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messenger_account")),
    )
    for name, columns in (("person", ["staff_id", "platform"]), ("account", ["platform", "account"])):
        op.create_index(
            f"uq_messenger_account_{name}", "messenger_account", columns, unique=True, sqlite_where=LIVE,
            postgresql_where=LIVE,
        )  # fmt: skip
    op.create_index(op.f("ix_messenger_account_source_id_chat"), "messenger_account", ["source_id", "chat"])


def downgrade() -> None:
    op.drop_table("messenger_account")
