"""Named views of reports and their letters, signed months, the register of wishes, verdicts on complaints."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_view",
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("common", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_report_view_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_view")),
        sa.UniqueConstraint("staff_id", "name", name=op.f("uq_report_view_staff_id_name")),
    )
    op.create_table(
        "snapshot",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("conclusions", sa.Text(), nullable=False),
        sa.Column("proposals", sa.Text(), nullable=False),
        sa.Column("made_by", Id, nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("signed_by", Id, nullable=True),
        sa.Column("signed_at", UtcDateTime(), nullable=True),
        sa.Column("seen_by", Id, nullable=True),
        sa.Column("seen_at", UtcDateTime(), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["made_by"], ["staff.id"], name=op.f("fk_snapshot_made_by_staff")),
        sa.ForeignKeyConstraint(["seen_by"], ["staff.id"], name=op.f("fk_snapshot_seen_by_staff")),
        sa.ForeignKeyConstraint(["signed_by"], ["staff.id"], name=op.f("fk_snapshot_signed_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
        sa.UniqueConstraint("month", "number", name=op.f("uq_snapshot_month_number")),
    )
    op.create_table(
        "wish",
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("decided_by", Id, nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_wish_created_by_staff")),
        sa.ForeignKeyConstraint(["decided_by"], ["staff.id"], name=op.f("fk_wish_decided_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wish")),
    )
    op.create_index(op.f("ix_wish_state_id"), "wish", ["state", "id"], unique=False)
    op.create_table(
        "report_order",
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("view_id", Id, nullable=True),
        sa.Column("rhythm", sa.String(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_report_order_created_by_staff")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_report_order_staff_id_staff")),
        sa.ForeignKeyConstraint(["view_id"], ["report_view.id"], name=op.f("fk_report_order_view_id_report_view")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_order")),
        sa.UniqueConstraint("staff_id", "what", "view_id", name=op.f("uq_report_order_staff_id_what_view_id")),
    )
    op.create_index(op.f("ix_report_order_next_at"), "report_order", ["next_at"], unique=False)
    op.create_table(
        "snapshot_file",
        sa.Column("snapshot_id", Id, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshot.id"], name=op.f("fk_snapshot_file_snapshot_id_snapshot")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot_file")),
        sa.UniqueConstraint("snapshot_id", "name", name=op.f("uq_snapshot_file_snapshot_id_name")),
    )
    op.create_table(
        "verdict",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("measures", sa.Text(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("found_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_verdict_case_id_case")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_verdict_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdict")),
        sa.UniqueConstraint("case_id", name=op.f("uq_verdict_case_id")),
    )
    op.create_table(
        "wish_case",
        sa.Column("wish_id", Id, nullable=False),
        sa.Column("case_id", Id, nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_wish_case_case_id_case")),
        sa.ForeignKeyConstraint(["wish_id"], ["wish.id"], name=op.f("fk_wish_case_wish_id_wish")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wish_case")),
        sa.UniqueConstraint("case_id", name=op.f("uq_wish_case_case_id")),
    )
    op.create_index(op.f("ix_wish_case_wish_id"), "wish_case", ["wish_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_wish_case_wish_id"), table_name="wish_case")
    op.drop_table("wish_case")
    op.drop_table("verdict")
    op.drop_table("snapshot_file")
    op.drop_index(op.f("ix_report_order_next_at"), table_name="report_order")
    op.drop_table("report_order")
    op.drop_index(op.f("ix_wish_state_id"), table_name="wish")
    op.drop_table("wish")
    op.drop_table("snapshot")
    op.drop_table("report_view")
