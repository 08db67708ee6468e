"""Deals: a sale from the wish to buy until the student is admitted, and every change of its stage."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0037"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deal",
        sa.Column("client_id", Id, nullable=False),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("contract_id", Id, nullable=True),
        sa.Column("task_id", Id, nullable=True),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("resume_on", sa.Date(), nullable=True),
        sa.Column("loss_reason", sa.String(), nullable=True),
        sa.Column("loss_note", sa.Text(), nullable=False),
        sa.Column("form_key", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("moved_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_deal_case_id_case")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_deal_client_id_client")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_deal_contract_id_contract")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_deal_staff_id_staff")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_deal_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal")),
        sa.UniqueConstraint("form_key", name=op.f("uq_deal_form_key")),
    )
    for columns in (["state", "moved_at", "id"], ["client_id", "id"], ["contract_id"], ["case_id"]):
        op.create_index(op.f("ix_deal_" + "_".join(columns)), "deal", columns)
    op.create_table(
        "deal_move",
        sa.Column("deal_id", Id, nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_deal_move_deal_id_deal")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_deal_move_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_move")),
    )
    op.create_index(op.f("ix_deal_move_deal_id_id"), "deal_move", ["deal_id", "id"])
    op.create_index(op.f("ix_deal_move_after_at"), "deal_move", ["after", "at"])


def downgrade() -> None:
    op.drop_table("deal_move")
    op.drop_table("deal")
