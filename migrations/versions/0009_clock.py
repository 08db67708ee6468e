"""Clocks on cases and questions, and what people are told of them."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OPEN = sa.text("open_key IS NOT NULL")
INDEXES = (("ix_case_open_due", ["due_at", "id"]), ("ix_case_open_warn", ["warn_at", "stage", "open_key"]))


def upgrade() -> None:
    op.create_table(
        "clock",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("route_id", Id, nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sla_class", sa.String(), nullable=False),
        sa.Column("calendar", sa.String(), nullable=False),
        sa.Column("term_seconds", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("warn_at", UtcDateTime(), nullable=False),
        sa.Column("paused_at", UtcDateTime(), nullable=True),
        sa.Column("paused_seconds", sa.Integer(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_clock_case_id_case")),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_clock_route_id_route")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock")),
    )
    for column in ("case_id", "route_id", "next_at"):
        op.create_index(op.f(f"ix_clock_{column}"), "clock", [column])
    op.create_table(
        "notice",
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("route_id", Id, nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("show_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_notice_staff_id_staff")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_notice_case_id_case")),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_notice_route_id_route")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index(op.f("ix_notice_staff_id_seen_at_show_at"), "notice", ["staff_id", "seen_at", "show_at"])
    op.create_index(op.f("ix_notice_case_id"), "notice", ["case_id"])
    for name in ("due_at", "warn_at"):
        op.add_column("case", sa.Column(name, UtcDateTime(), nullable=True))
    for name, columns in INDEXES:
        op.create_index(name, "case", columns, sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    for name, _columns in INDEXES:
        op.drop_index(name, table_name="case")
    for name in ("warn_at", "due_at"):
        op.drop_column("case", name)
    op.drop_table("notice")
    op.drop_table("clock")
