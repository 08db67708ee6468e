"""Keys of the API; web hooks, their calls and the attempts of each."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, Text, UtcDateTime, Word

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", Id, primary_key=True),
        sa.Column("staff_id", Id, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("name", Word(), nullable=False),
        sa.Column("hint", Word(), nullable=False),
        sa.Column("digest", Word(), nullable=False, unique=True),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
    )
    op.create_index(op.f("ix_api_key_staff_id_revoked_at"), "api_key", ["staff_id", "revoked_at"])
    op.create_table(
        "webhook",
        sa.Column("id", Id, primary_key=True),
        sa.Column("name", Word(), nullable=False),
        sa.Column("url", Text(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("secret", Text(), nullable=False),
        sa.Column("state", Word(), nullable=False),
        sa.Column("failing_since", UtcDateTime(), nullable=True),
        sa.Column("dropped_at", UtcDateTime(), nullable=True),
        sa.Column("created_by_id", Id, sa.ForeignKey("staff.id"), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "webhook_call",
        sa.Column("id", Id, primary_key=True),
        sa.Column("webhook_id", Id, sa.ForeignKey("webhook.id"), nullable=False),
        sa.Column("message_id", Word(), nullable=False, unique=True),
        sa.Column("kind", Word(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", Word(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    op.create_index(op.f("ix_webhook_call_state_due_at"), "webhook_call", ["state", "due_at"])
    op.create_index(op.f("ix_webhook_call_webhook_id_id"), "webhook_call", ["webhook_id", "id"])
    op.create_table(
        "webhook_try",
        sa.Column("id", Id, primary_key=True),
        sa.Column("call_id", Id, sa.ForeignKey("webhook_call.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("code", Word(), nullable=True),
        sa.Column("answer", Text(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
    )
    op.create_index(op.f("ix_webhook_try_call_id_id"), "webhook_try", ["call_id", "id"])


def downgrade() -> None:
    for table in ("webhook_try", "webhook_call", "webhook", "api_key"):
        op.drop_table(table)
