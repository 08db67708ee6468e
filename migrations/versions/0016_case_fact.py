"""Facts that reports count; the desk's job fills them for the cases that are there already."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

QUEUE = sa.text("holder IS NOT NULL")
TIMES = ("opened_at", "first_at", "first_due_at", "resolved_at", "resolution_due_at")


def _time(name: str, nullable: bool = True) -> "sa.Column[object]":
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "case_fact",
        sa.Column("id", Id, nullable=False),
        sa.Column("source_id", Id, nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("checked", sa.Boolean(), nullable=False),
        sa.Column("department_id", Id, nullable=True),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("lead_id", Id, nullable=True),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("holder", sa.String(), nullable=True),
        _time("held_since"),
        _time("opened_at", nullable=False),
        _time("ingested_at", nullable=False),
        _time("first_at"),
        sa.Column("first_by_id", Id, nullable=True),
        *(sa.Column(f"first_{name}minutes", sa.Integer(), nullable=True) for name in ("", "clock_", "here_")),
        _time("first_due_at"),
        _time("resolved_at"),
        _time("resolution_due_at"),
        sa.Column("legal_class", sa.String(), nullable=True),
        _time("legal_due_at"),
        _time("legal_done_at"),
        *(sa.Column(f"{name}_minutes", sa.Integer(), nullable=False) for name in ("desk", "department", "client")),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["case.id"], name=op.f("fk_case_fact_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_fact")),
    )
    for name in TIMES:
        op.create_index(op.f(f"ix_case_fact_{name}"), "case_fact", [name])
    op.create_index(
        "ix_case_fact_queue", "case_fact", ["holder", "opened_at"], sqlite_where=QUEUE, postgresql_where=QUEUE
    )
    op.create_table(
        "route_fact",
        sa.Column("id", Id, nullable=False),
        sa.Column("case_id", Id, nullable=False),
        sa.Column("department_id", Id, nullable=False),
        _time("asked_at", nullable=False),
        sa.Column("open_minutes", sa.Integer(), nullable=True),
        sa.Column("answer_minutes", sa.Integer(), nullable=True),
        _time("due_at"),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("returns", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["route.id"], name=op.f("fk_route_fact_id_route")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_route_fact_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_fact")),
    )
    for name in ("case_id", "asked_at"):
        op.create_index(op.f(f"ix_route_fact_{name}"), "route_fact", [name])
    op.create_table(
        "case_step",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        _time("at", nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_case_step_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_step")),
    )
    op.create_index(op.f("ix_case_step_case_id"), "case_step", ["case_id"])
    op.create_index(
        op.f("ix_case_step_kind_at_case_id_staff_id"), "case_step", ["kind", "at", "case_id", "staff_id"]
    )


def downgrade() -> None:
    for table in ("case_step", "route_fact", "case_fact"):
        op.drop_table(table)
