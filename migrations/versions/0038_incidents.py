"""Whom an incident is put to, who opened it, what was taken out of it; which notices went on by mail or bot."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("incident") as table:
        table.add_column(sa.Column("department_id", Id, nullable=True))
        table.add_column(sa.Column("opened_by_id", Id, nullable=True))
        table.add_column(sa.Column("bulk_id", Id, nullable=True))
        table.create_foreign_key(
            op.f("fk_incident_department_id_department"), "department", ["department_id"], ["id"]
        )
        table.create_foreign_key(op.f("fk_incident_opened_by_id_staff"), "staff", ["opened_by_id"], ["id"])
        table.create_foreign_key(op.f("fk_incident_bulk_id_bulk"), "bulk", ["bulk_id"], ["id"])
    with op.batch_alter_table("incident_case") as table:
        table.add_column(sa.Column("staff_id", Id, nullable=True))
        table.add_column(sa.Column("out_at", UtcDateTime(), nullable=True))
        table.create_foreign_key(op.f("fk_incident_case_staff_id_staff"), "staff", ["staff_id"], ["id"])
    with op.batch_alter_table("notice") as table:
        table.add_column(sa.Column("passed_at", UtcDateTime(), nullable=True))
    op.execute("UPDATE notice SET passed_at = created_at")
    op.create_index(
        "ix_notice_unpassed", "notice", ["show_at"], sqlite_where=sa.text("passed_at IS NULL"),
        postgresql_where=sa.text("passed_at IS NULL"),
    )  # fmt: skip


def downgrade() -> None:
    op.execute("DELETE FROM incident_case WHERE out_at IS NOT NULL")
    op.drop_index("ix_notice_unpassed", table_name="notice")
    with op.batch_alter_table("notice") as table:
        table.drop_column("passed_at")
    with op.batch_alter_table("incident_case") as table:
        table.drop_constraint(op.f("fk_incident_case_staff_id_staff"), type_="foreignkey")
        table.drop_column("out_at")
        table.drop_column("staff_id")
    with op.batch_alter_table("incident") as table:
        for name, to in (("bulk_id", "bulk"), ("opened_by_id", "staff"), ("department_id", "department")):
            table.drop_constraint(op.f(f"fk_incident_{name}_{to}"), type_="foreignkey")
            table.drop_column(name)
