"""Notices that speak of a place: its access ends."""

import sqlalchemy as sa
from alembic import op

from models.base import Id

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("notice") as table:
        table.add_column(sa.Column("source_id", Id, nullable=True))
        table.create_foreign_key(op.f("fk_notice_source_id_source"), "source", ["source_id"], ["id"])
        table.create_index(op.f("ix_notice_source_id"), ["source_id"])


def downgrade() -> None:
    with op.batch_alter_table("notice") as table:
        table.drop_index(op.f("ix_notice_source_id"))
        table.drop_constraint(op.f("fk_notice_source_id_source"), type_="foreignkey")
        table.drop_column("source_id")
