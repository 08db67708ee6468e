"""Answers drawn for the head to read, the marks by criterion, and the marks of those who were answered."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_draw",
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("drawn_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_draw")),
        sa.UniqueConstraint("week", name=op.f("uq_review_draw_week")),
    )
    op.create_table(
        "review",
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("act_id", Id, nullable=False),
        sa.Column("case_id", Id, nullable=False),
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("skip_reason", sa.Text(), nullable=False),
        sa.Column("reader_id", Id, nullable=True),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("drawn_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["act_id"], ["act.id"], name=op.f("fk_review_act_id_act")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_review_case_id_case")),
        sa.ForeignKeyConstraint(["reader_id"], ["staff.id"], name=op.f("fk_review_reader_id_staff")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_review_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("act_id", name=op.f("uq_review_act_id")),
    )
    for columns in (["week", "state", "id"], ["staff_id", "state", "id"], ["case_id"], ["answered_at"]):
        op.create_index(op.f("ix_review_" + "_".join(columns)), "review", columns)
    op.create_table(
        "review_mark",
        sa.Column("review_id", Id, nullable=False),
        sa.Column("case_id", Id, nullable=False),
        sa.Column("criterion", sa.Integer(), nullable=False),
        sa.Column("mark", sa.Integer(), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_review_mark_case_id_case")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_review_mark_review_id_review")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_mark")),
        sa.UniqueConstraint("review_id", "criterion", name=op.f("uq_review_mark_review_id_criterion")),
    )
    op.create_index(op.f("ix_review_mark_case_id"), "review_mark", ["case_id"])
    op.create_index(op.f("ix_review_mark_criterion"), "review_mark", ["criterion"])
    op.create_table(
        "satisfaction",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("reply_id", Id, nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("mark", sa.Integer(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("marked_at", UtcDateTime(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_satisfaction_case_id_case")),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_satisfaction_reply_id_reply")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_satisfaction_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_satisfaction")),
        sa.UniqueConstraint("case_id", name=op.f("uq_satisfaction_case_id")),
        sa.UniqueConstraint("reply_id", name=op.f("uq_satisfaction_reply_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_satisfaction_token_hash")),
    )
    op.create_index(op.f("ix_satisfaction_staff_id_id"), "satisfaction", ["staff_id", "id"])
    op.create_index(op.f("ix_satisfaction_mark_id"), "satisfaction", ["mark", "id"])


def downgrade() -> None:
    for name in ("satisfaction", "review_mark", "review", "review_draw"):
        op.drop_table(name)
