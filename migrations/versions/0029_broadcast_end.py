"""Who ended a broadcast by hand: then only a person puts it on air again."""

import sqlalchemy as sa
from alembic import op

from models.base import Id

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("broadcast") as table:
        table.add_column(sa.Column("ended_by_id", Id, nullable=True))
        table.create_foreign_key(op.f("fk_broadcast_ended_by_id_staff"), "staff", ["ended_by_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("broadcast") as table:
        table.drop_constraint(op.f("fk_broadcast_ended_by_id_staff"), type_="foreignkey")
        table.drop_column("ended_by_id")
