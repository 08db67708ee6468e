"""Which person of the school speaks: told before it begins and of its incidents."""

import sqlalchemy as sa
from alembic import op

from models.base import Id

revision = "0034"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("broadcast") as table:
        table.add_column(sa.Column("speaker_id", Id, nullable=True))
        table.create_foreign_key(op.f("fk_broadcast_speaker_id_staff"), "staff", ["speaker_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("broadcast") as table:
        table.drop_constraint(op.f("fk_broadcast_speaker_id_staff"), type_="foreignkey")
        table.drop_column("speaker_id")
