"""PostgreSQL finds the facts that several filters leave without walking through a whole period."""

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

NAME = "ix_case_fact_narrow"
FILTERS = ("kind", "platform", "source_id", "staff_id", "theme", "department_id", "programme")


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.create_index(NAME, "case_fact", FILTERS)


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.drop_index(NAME, "case_fact")
