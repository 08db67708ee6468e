"""Absences, duty days, incidents, bound accounts; which notices a person wants and by which messenger one went."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _tables()
    with op.batch_alter_table("delivery") as batch:
        batch.add_column(sa.Column("source_id", Id, nullable=True))
        batch.add_column(sa.Column("external_id", sa.String(), nullable=True))
        batch.create_foreign_key(op.f("fk_delivery_source_id_source"), "source", ["source_id"], ["id"])
        batch.create_index(op.f("ix_delivery_source_id_external_id"), ["source_id", "external_id"])
    with op.batch_alter_table("staff") as batch:
        batch.add_column(sa.Column("deputy_id", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("hours", sa.JSON(), nullable=False, server_default="{}"))
        batch.add_column(sa.Column("choices", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("staff") as batch:
        batch.alter_column("hours", server_default=None)
        batch.alter_column("choices", server_default=None)
    with op.batch_alter_table("staff_role") as batch:
        batch.add_column(sa.Column("absence_id", Id, nullable=True))
        batch.add_column(sa.Column("starts_at", UtcDateTime(), nullable=True))
        batch.add_column(sa.Column("ends_at", UtcDateTime(), nullable=True))
        batch.drop_constraint(op.f("uq_staff_role_staff_id_role_department_id"), type_="unique")
        batch.create_unique_constraint(
            op.f("uq_staff_role_staff_id_role_department_id_absence_id"),
            ["staff_id", "role", "department_id", "absence_id"],
        )
        batch.create_foreign_key(op.f("fk_staff_role_absence_id_absence"), "absence", ["absence_id"], ["id"])
        batch.create_index(op.f("ix_staff_role_absence_id"), ["absence_id"])


def _tables() -> None:
    op.create_table(
        "absence",
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("deputy_id", Id, nullable=True),
        sa.Column("hand_over", sa.Boolean(), nullable=False),
        sa.Column("handed_at", UtcDateTime(), nullable=True),
        sa.Column("created_by_id", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["staff.id"], name=op.f("fk_absence_created_by_id_staff")),
        sa.ForeignKeyConstraint(["deputy_id"], ["staff.id"], name=op.f("fk_absence_deputy_id_staff")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_absence_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
    )
    op.create_index(op.f("ix_absence_staff_id_to_day"), "absence", ["staff_id", "to_day"])
    op.create_index(op.f("ix_absence_to_day"), "absence", ["to_day"])
    op.create_table(
        "duty_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_duty_day_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_day")),
        sa.UniqueConstraint("day", name=op.f("uq_duty_day_day")),
    )
    op.create_table(
        "staff_contact",
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("source_id", Id, nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("account", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("code_until", UtcDateTime(), nullable=True),
        sa.Column("bound_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_staff_contact_source_id_source")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_contact_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_contact")),
        sa.UniqueConstraint(
            "channel", "source_id", "address", name=op.f("uq_staff_contact_channel_source_id_address")
        ),
        sa.UniqueConstraint("code", name=op.f("uq_staff_contact_code")),
        sa.UniqueConstraint("staff_id", "channel", name=op.f("uq_staff_contact_staff_id_channel")),
    )
    op.create_table(
        "incident",
        sa.Column("theme", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("open_key", sa.String(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("route_id", Id, nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by_id", Id, nullable=True),
        sa.Column("closing", sa.Text(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_incident_case_id_case")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["staff.id"], name=op.f("fk_incident_ended_by_id_staff")),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_incident_route_id_route")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint("open_key", name=op.f("uq_incident_open_key")),
    )
    op.create_index(op.f("ix_incident_state_id"), "incident", ["state", "id"])
    op.create_table(
        "incident_case",
        sa.Column("incident_id", Id, nullable=False),
        sa.Column("case_id", Id, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_incident_case_case_id_case")),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_incident_case_incident_id_incident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_case")),
        sa.UniqueConstraint("case_id", name=op.f("uq_incident_case_case_id")),
    )
    op.create_index(op.f("ix_incident_case_incident_id_id"), "incident_case", ["incident_id", "id"])


def downgrade() -> None:
    op.execute("DELETE FROM staff_role WHERE absence_id IS NOT NULL")
    with op.batch_alter_table("staff_role") as batch:
        batch.drop_index(op.f("ix_staff_role_absence_id"))
        batch.drop_constraint(op.f("fk_staff_role_absence_id_absence"), type_="foreignkey")
        batch.drop_constraint(op.f("uq_staff_role_staff_id_role_department_id_absence_id"), type_="unique")
        batch.create_unique_constraint(
            op.f("uq_staff_role_staff_id_role_department_id"), ["staff_id", "role", "department_id"]
        )
        batch.drop_column("ends_at")
        batch.drop_column("starts_at")
        batch.drop_column("absence_id")
    with op.batch_alter_table("staff") as batch:
        batch.drop_column("choices")
        batch.drop_column("hours")
        batch.drop_column("deputy_id")
    with op.batch_alter_table("delivery") as batch:
        batch.drop_index(op.f("ix_delivery_source_id_external_id"))
        batch.drop_constraint(op.f("fk_delivery_source_id_source"), type_="foreignkey")
        batch.drop_column("external_id")
        batch.drop_column("source_id")
    for table in ("incident_case", "incident", "staff_contact", "duty_day", "absence"):
        op.drop_table(table)
