"""The theme of a case among the facts; they are emptied, and the desk's job makes them anew."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BEFORE = ("source_id", "kind", "staff_id", "department_id", "platform")
AFTER = ("source_id", "kind", "theme", "staff_id", "department_id", "platform")
INDEXES = {
    "opened": ("opened_at", "counts", "checked"),
    "first": ("first_at", "counts", "first_minutes", "first_here_minutes"),
    "first_due": ("first_due_at", "counts", "first_at", "holder"),
    "resolved": ("resolved_at", "counts", "desk_minutes", "department_minutes", "client_minutes"),
    "resolution_due": ("resolution_due_at", "counts", "holder", "resolved_at"),
}


def _index(dimensions: tuple[str, ...]) -> None:
    for name, columns in INDEXES.items():
        op.create_index(f"ix_case_fact_{name}", "case_fact", [*columns, *dimensions])


def upgrade() -> None:
    for table in ("case_step", "route_fact", "case_fact"):
        op.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608
    for name in INDEXES:
        op.drop_index(f"ix_case_fact_{name}", "case_fact")
    op.add_column("case_fact", sa.Column("theme", sa.String(), nullable=True))
    _index(AFTER)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(f"ix_case_fact_{name}", "case_fact")
    op.drop_column("case_fact", "theme")
    _index(BEFORE)
