"""Acts: a lane a place, the latest attempt, acts on our own acts."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INDEX = "ix_act_source_id_state_priority_due_at_id"


def upgrade() -> None:
    with op.batch_alter_table("act") as table:
        table.add_column(sa.Column("of_act_id", Id, nullable=True))
        table.add_column(sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("attempted_at", UtcDateTime(), nullable=True))
        table.create_foreign_key(op.f("fk_act_of_act_id_act"), "act", ["of_act_id"], ["id"])
        table.create_index(INDEX, ["source_id", "state", "priority", "due_at", "id"], unique=False)
    with op.batch_alter_table("act") as table:
        # Apart: SQLite copies the rows into the shape at the end of a batch, where nothing would fill the column.
        table.alter_column("priority", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("act") as table:
        table.drop_index(INDEX)
        table.drop_constraint(op.f("fk_act_of_act_id_act"), type_="foreignkey")
        table.drop_column("attempted_at")
        table.drop_column("priority")
        table.drop_column("of_act_id")
