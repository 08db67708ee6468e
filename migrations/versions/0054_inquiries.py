"""Requests to departments that no client's message began: questions and their clocks may stand without a case."""

import sqlalchemy as sa
from alembic import op

from models.base import Id

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

CASELESS, CARDED = sa.text("case_id IS NULL"), sa.text("client_id IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("route") as batch:
        batch.alter_column("case_id", existing_type=Id, nullable=True)
        batch.add_column(sa.Column("client_id", Id, nullable=True))
        batch.create_foreign_key(op.f("fk_route_client_id_client"), "client", ["client_id"], ["id"])
    with op.batch_alter_table("clock") as batch:
        batch.alter_column("case_id", existing_type=Id, nullable=True)
    op.create_index(
        "ix_route_inquiry", "route", ["asked_by_id", "id"], sqlite_where=CASELESS, postgresql_where=CASELESS
    )
    op.create_index("ix_route_client", "route", ["client_id"], sqlite_where=CARDED, postgresql_where=CARDED)
    with op.batch_alter_table("route_file") as batch:
        batch.add_column(sa.Column("asked", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("route_file") as batch:
        batch.alter_column("asked", existing_type=sa.Boolean(), server_default=None)


def downgrade() -> None:
    gone = "SELECT id FROM route WHERE case_id IS NULL"
    for table in ("route_line", "route_file", "one_time_link", "notice", "clock"):
        op.execute(sa.text(f"DELETE FROM {table} WHERE route_id IN ({gone})"))  # noqa: S608
    op.execute(sa.text("DELETE FROM route WHERE case_id IS NULL"))
    with op.batch_alter_table("route_file") as batch:
        batch.drop_column("asked")
    op.drop_index("ix_route_client", "route")
    op.drop_index("ix_route_inquiry", "route")
    with op.batch_alter_table("clock") as batch:
        batch.alter_column("case_id", existing_type=Id, nullable=False)
    with op.batch_alter_table("route") as batch:
        batch.drop_constraint(op.f("fk_route_client_id_client"), type_="foreignkey")
        batch.drop_column("client_id")
        batch.alter_column("case_id", existing_type=Id, nullable=False)
