"""What was typed at «Забыли пароль?», until it is looked up."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "password_asked",
        sa.Column("typed", sa.String(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_asked")),
    )


def downgrade() -> None:
    op.drop_table("password_asked")
