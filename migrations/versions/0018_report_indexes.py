"""Indexes that hold all that a report asks of a period, so that no row of facts is fetched for it."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

LEGAL = sa.text("legal_due_at IS NOT NULL")
OLD = ("opened_at", "first_at", "first_due_at", "resolved_at", "resolution_due_at")
DIMENSIONS = ("source_id", "kind", "staff_id", "department_id", "platform")
NEW = {
    "opened": ("opened_at", "counts", "checked"),
    "first": ("first_at", "counts", "first_minutes", "first_here_minutes"),
    "first_due": ("first_due_at", "counts", "first_at", "holder"),
    "resolved": ("resolved_at", "counts", "desk_minutes", "department_minutes", "client_minutes"),
    "resolution_due": ("resolution_due_at", "counts", "holder", "resolved_at"),
}


def upgrade() -> None:
    for column in OLD:
        op.drop_index(op.f(f"ix_case_fact_{column}"), "case_fact")
    for name, columns in NEW.items():
        op.create_index(f"ix_case_fact_{name}", "case_fact", [*columns, *DIMENSIONS])
    op.create_index("ix_case_fact_legal", "case_fact", ["legal_due_at"], sqlite_where=LEGAL, postgresql_where=LEGAL)


def downgrade() -> None:
    for name in (*NEW, "legal"):
        op.drop_index(f"ix_case_fact_{name}", "case_fact")
    for column in OLD:
        op.create_index(op.f(f"ix_case_fact_{column}"), "case_fact", [column])
