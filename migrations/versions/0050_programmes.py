"""Programme, all themes, who led at the term and how long, and when questions were opened; facts are made anew."""

from typing import Literal

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

BEFORE = ("source_id", "kind", "theme", "staff_id", "department_id", "platform")
AFTER = (*BEFORE, "programme")
OLD = {
    "opened": ("opened_at", "counts", "checked", *BEFORE),
    "first": ("first_at", "counts", "first_minutes", "first_here_minutes", *BEFORE),
    "first_due": ("first_due_at", "counts", "first_at", "holder", *BEFORE),
    "resolved": ("resolved_at", "counts", "desk_minutes", "department_minutes", "client_minutes", *BEFORE),
    "resolution_due": ("resolution_due_at", "counts", "holder", "resolved_at", *BEFORE),
}
NEW = {
    "opened": ("opened_at", "counts", "checked", *AFTER, "themes"),
    "first": ("first_at", "counts", "first_minutes", "first_here_minutes", *AFTER),
    "first_due": ("first_due_at", "counts", "first_at", "holder", "due_staff_id", *AFTER),
    "resolved": ("resolved_at", "counts", "desk_minutes", "department_minutes", "client_minutes", *AFTER),
    "resolution_due": ("resolution_due_at", "counts", "holder", "resolved_at", *AFTER),
}
NAMED = sa.text("programme IS NOT NULL")
STANDING = ["counts", "lead_id", "first_at", "first_due_at", "resolution_due_at", "legal_due_at", "legal_done_at"]
PARTIAL = {
    "queue": (["holder", "opened_at", *STANDING], "holder IS NOT NULL"),
    "legal": (["legal_due_at"], "legal_due_at IS NOT NULL"),
}


def upgrade() -> None:
    for table in ("case_step", "route_fact", "case_fact"):
        op.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608
    for name in OLD:
        op.drop_index(f"ix_case_fact_{name}", "case_fact")
    for name in PARTIAL:
        op.drop_index(f"ix_case_fact_{name}", "case_fact")
    # The table is empty: a column that may not be empty needs no default, but SQLite makes the table anew for it.
    recreate: Literal["always", "auto"] = "always" if op.get_bind().dialect.name == "sqlite" else "auto"
    with op.batch_alter_table("case_fact", recreate=recreate) as facts:
        facts.add_column(sa.Column("themes", sa.String(), nullable=False))
        facts.add_column(sa.Column("programme", sa.String(), nullable=True))
        facts.add_column(sa.Column("due_staff_id", Id, nullable=True))
    for name, (standing, where) in PARTIAL.items():
        narrow = sa.text(where)
        op.create_index(f"ix_case_fact_{name}", "case_fact", standing, sqlite_where=narrow, postgresql_where=narrow)
    for name in ("accept_due_at", "accept_done_at"):
        op.add_column("route_fact", sa.Column(name, UtcDateTime(), nullable=True))
    for name, columns in NEW.items():
        op.create_index(f"ix_case_fact_{name}", "case_fact", [*columns])
    op.create_index(
        "ix_case_fact_programme", "case_fact", ["programme"], sqlite_where=NAMED, postgresql_where=NAMED
    )
    op.create_table(
        "lead_fact",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_lead_fact_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_fact")),
    )
    op.create_index(op.f("ix_lead_fact_case_id"), "lead_fact", ["case_id"])
    op.create_index("ix_lead_fact_since", "lead_fact", ["since", "until", "staff_id", "minutes", "case_id"])
    op.create_index("ix_lead_fact_until", "lead_fact", ["until", "since", "staff_id", "case_id"])


def downgrade() -> None:
    op.drop_table("lead_fact")
    op.drop_index("ix_case_fact_programme", "case_fact")
    for name in NEW:
        op.drop_index(f"ix_case_fact_{name}", "case_fact")
    for column in ("accept_done_at", "accept_due_at"):
        op.drop_column("route_fact", column)
    for column in ("due_staff_id", "programme", "themes"):
        op.drop_column("case_fact", column)
    for name, columns in OLD.items():
        op.create_index(f"ix_case_fact_{name}", "case_fact", [*columns])
