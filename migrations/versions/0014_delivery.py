"""Links, devices and sessions of people, the desk's own letters, and files beside a department's answer."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _people()
    _deliveries()
    _files()
    with op.batch_alter_table("route") as batch:
        batch.add_column(sa.Column("staff_id", Id, nullable=True))
        batch.add_column(sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.create_foreign_key(op.f("fk_route_staff_id_staff"), "staff", ["staff_id"], ["id"])
    with op.batch_alter_table("route") as batch:
        batch.alter_column("urgent", server_default=None)


def _people() -> None:
    op.create_table(
        "staff_session",
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("pin", sa.String(), nullable=True),
        sa.Column("pin_failures", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_session_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_session")),
        sa.UniqueConstraint("digest", name=op.f("uq_staff_session_digest")),
    )
    op.create_index(op.f("ix_staff_session_staff_id_ended_at"), "staff_session", ["staff_id", "ended_at"])
    op.create_table(
        "one_time_link",
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("route_id", Id, nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_one_time_link_staff_id_staff")),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_one_time_link_route_id_route")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_link")),
        sa.UniqueConstraint("digest", name=op.f("uq_one_time_link_digest")),
    )
    op.create_index(op.f("ix_one_time_link_staff_id_purpose"), "one_time_link", ["staff_id", "purpose"])


def _deliveries() -> None:
    op.create_table(
        "delivery",
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("form_key", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_delivery_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("form_key", name=op.f("uq_delivery_form_key")),
        sa.UniqueConstraint("token", name=op.f("uq_delivery_token")),
    )
    op.create_index(op.f("ix_delivery_state_due_at"), "delivery", ["state", "due_at"])
    op.create_index(op.f("ix_delivery_staff_id_kind_state"), "delivery", ["staff_id", "kind", "state"])


def _files() -> None:
    op.create_table(
        "route_file",
        sa.Column("route_id", Id, nullable=False),
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_route_file_route_id_route")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_route_file_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_file")),
    )
    op.create_index(op.f("ix_route_file_route_id"), "route_file", ["route_id"])


def downgrade() -> None:
    with op.batch_alter_table("route") as batch:
        batch.drop_constraint(op.f("fk_route_staff_id_staff"), type_="foreignkey")
        batch.drop_column("urgent")
        batch.drop_column("staff_id")
    for table in ("route_file", "delivery", "one_time_link", "staff_session"):
        op.drop_table(table)
