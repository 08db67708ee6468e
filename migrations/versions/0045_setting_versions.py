"""Versions of settings: what there was, who changed it, what was taken back."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0045"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "setting_version",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("value", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("restored", sa.Integer(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_setting_version_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setting_version")),
        sa.UniqueConstraint("name", "number", name=op.f("uq_setting_version_name_number")),
    )


def downgrade() -> None:
    op.drop_table("setting_version")
