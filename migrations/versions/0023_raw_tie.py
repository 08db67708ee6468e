"""Raws tied to the messages they produced; when a place's access ends, and how far back its history is read."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "raw_tie",
        sa.Column("raw_id", Id, nullable=False),
        sa.Column("message_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["raw_id"], ["raw_item.id"], name=op.f("fk_raw_tie_raw_id_raw_item")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_raw_tie_message_id_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raw_tie")),
        sa.UniqueConstraint("raw_id", "message_id", name=op.f("uq_raw_tie_raw_id_message_id")),
    )
    op.create_index(op.f("ix_raw_tie_message_id"), "raw_tie", ["message_id"])
    op.create_index(op.f("ix_raw_item_received_at"), "raw_item", ["received_at"])
    op.add_column("source", sa.Column("token_until", UtcDateTime(), nullable=True))
    op.add_column("source", sa.Column("consent_until", UtcDateTime(), nullable=True))
    op.add_column("source", sa.Column("history_from", UtcDateTime(), nullable=True))
    op.add_column("source", sa.Column("history", sa.JSON(), nullable=True))
    op.add_column("source", sa.Column("history_paused", sa.Boolean(), nullable=False, server_default=sa.false()))
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("source") as table:
            table.alter_column("history_paused", server_default=None)
    else:
        op.alter_column("source", "history_paused", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("source") as table:
        for name in ("history_paused", "history", "history_from", "consent_until", "token_until"):
            table.drop_column(name)
    op.drop_index(op.f("ix_raw_item_received_at"), "raw_item")
    op.drop_table("raw_tie")
