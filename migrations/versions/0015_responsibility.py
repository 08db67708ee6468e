"""Who answers for what, what is asked back about a question, and the second factor of people."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "responsibility",
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("theme", sa.String(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("department_id", Id, nullable=True),
        sa.Column("asked_id", Id, nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_responsibility_staff_id_staff")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_responsibility_department_id_department")
        ),
        sa.ForeignKeyConstraint(["asked_id"], ["staff.id"], name=op.f("fk_responsibility_asked_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responsibility")),
        sa.UniqueConstraint("place", "theme", name=op.f("uq_responsibility_place_theme")),
    )
    op.create_table(
        "route_line",
        sa.Column("route_id", Id, nullable=False),
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_route_line_route_id_route")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_route_line_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_line")),
    )
    op.create_index(op.f("ix_route_line_route_id"), "route_line", ["route_id"])
    with op.batch_alter_table("staff") as batch:
        batch.add_column(sa.Column("totp", sa.String(), nullable=True))
        batch.add_column(sa.Column("totp_step", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("recovery", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("staff") as batch:
        batch.alter_column("totp_step", server_default=None)
        batch.alter_column("recovery", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("staff") as batch:
        for name in ("recovery", "totp_step", "totp"):
            batch.drop_column(name)
    op.drop_table("route_line")
    op.drop_table("responsibility")
