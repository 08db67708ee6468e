"""How the classifier learns: trainings, and random texts that people check."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "training",
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("lessons", sa.Integer(), nullable=False),
        sa.Column("last_label_id", sa.Integer(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("decision", sa.JSON(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_training_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training")),
    )
    op.create_index(op.f("ix_training_state_id"), "training", ["state", "id"])
    op.create_table(
        "audit",
        sa.Column("message_id", Id, nullable=False),
        sa.Column("pile", sa.String(), nullable=False),
        sa.Column("drawn_at", UtcDateTime(), nullable=False),
        sa.Column("suggested", sa.String(), nullable=False),
        sa.Column("sure", sa.Boolean(), nullable=False),
        sa.Column("actionable", sa.Double(), nullable=True),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_audit_message_id_message")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_audit_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint("message_id", name=op.f("uq_audit_message_id")),
    )
    op.create_index(op.f("ix_audit_pile_label_id"), "audit", ["pile", "label", "id"])
    op.create_index(op.f("ix_audit_drawn_at"), "audit", ["drawn_at"])


def downgrade() -> None:
    op.drop_table("audit")
    op.drop_table("training")
