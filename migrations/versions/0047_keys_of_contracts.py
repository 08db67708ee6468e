"""A form pressed twice makes one contract, one document, one decision; a notice may speak of a contract."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

KEYED = ("contract", "decision", "document")


def upgrade() -> None:
    for table in KEYED:
        op.add_column(table, sa.Column("form_key", sa.String(), nullable=True))
        op.create_index(op.f(f"ix_{table}_form_key"), table, ["form_key"], unique=True)
    op.add_column("notice", sa.Column("contract_id", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_notice_contract_id"), "notice", ["contract_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_notice_contract_id"), table_name="notice")
    op.drop_column("notice", "contract_id")
    for table in reversed(KEYED):
        op.drop_index(op.f(f"ix_{table}_form_key"), table_name=table)
        op.drop_column(table, "form_key")
