"""What a holding reply promised, and notices about an act that does not get out."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reply", sa.Column("promised_until", UtcDateTime(), nullable=True))
    op.execute(sa.text("UPDATE reply SET promised_until = created_at WHERE is_holding"))
    with op.batch_alter_table("reply") as table:
        table.drop_column("is_holding")
    with op.batch_alter_table("notice") as table:
        table.add_column(sa.Column("act_id", Id, nullable=True))
        table.create_foreign_key(op.f("fk_notice_act_id_act"), "act", ["act_id"], ["id"])
    op.create_index(op.f("ix_notice_act_id"), "notice", ["act_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_notice_act_id"), "notice")
    with op.batch_alter_table("notice") as table:
        table.drop_constraint(op.f("fk_notice_act_id_act"), type_="foreignkey")
        table.drop_column("act_id")
    with op.batch_alter_table("reply") as table:
        table.add_column(sa.Column("is_holding", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(sa.text("UPDATE reply SET is_holding = true WHERE promised_until IS NOT NULL"))
    with op.batch_alter_table("reply") as table:
        table.alter_column("is_holding", server_default=None)
        table.drop_column("promised_until")
