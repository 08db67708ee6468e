"""What a text is about: themes, signals, language, near copies, and the kind of work on the case."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

OPEN = sa.text("open_key IS NOT NULL")
INDEXES = (
    ("ix_case_open_theme", ["theme", "last_message_at", "id"]),
    ("ix_case_open_kind", ["kind", "last_message_at", "id"]),
    ("ix_case_open_priority", ["priority", "last_message_at", "id"]),
    ("ix_case_open_wave", ["wave_id", "stage", "open_key"]),
)
COUNTS = ("ix_case_open_counts", "case")
COUNTED = ["stage", "label", "sure", "kind", "priority", "assignee_id", "lift", "open_key"]
COUNTED_BEFORE = ["stage", "label", "sure", "assignee_id", "lift", "open_key"]
CASE = ("kind", "theme", "department")


def upgrade() -> None:
    op.create_table(
        "signal",
        sa.Column("message_id", Id, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("certain", sa.Boolean(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_signal_message_id_message")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_signal_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal")),
        sa.UniqueConstraint("message_id", "name", name=op.f("uq_signal_message_id_name")),
    )
    op.create_index(op.f("ix_signal_state_name_message_id"), "signal", ["state", "name", "message_id"])
    op.create_table(
        "message_band",
        sa.Column("band", sa.BigInteger(), nullable=False),
        sa.Column("message_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_message_band_message_id_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_band")),
        sa.UniqueConstraint("message_id", "band", name=op.f("uq_message_band_message_id_band")),
    )
    op.create_index(op.f("ix_message_band_band_message_id"), "message_band", ["band", "message_id"])
    op.add_column("label", sa.Column("themes", sa.JSON(), nullable=True))
    op.add_column("message", sa.Column("language", sa.String(), nullable=True))
    for name in ("fingerprint", "wave_id"):
        op.add_column("message", sa.Column(name, sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_message_wave_id"), "message", ["wave_id"])
    op.add_column("author", sa.Column("ads_stopped_at", UtcDateTime(), nullable=True))
    for name in CASE:
        op.add_column("case", sa.Column(name, sa.String(), nullable=True))
    op.add_column("case", sa.Column("wave_id", sa.BigInteger(), nullable=True))
    for name, value in (("priority", "2"), ("sentiment", "0")):
        op.add_column("case", sa.Column(name, sa.Integer(), nullable=False, server_default=value))
        with op.batch_alter_table("case") as batch:
            batch.alter_column(name, server_default=None)
    for name, columns in INDEXES:
        op.create_index(name, "case", columns, sqlite_where=OPEN, postgresql_where=OPEN)
    op.drop_index(COUNTS[0], table_name=COUNTS[1])
    op.create_index(*COUNTS, COUNTED, sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_index(COUNTS[0], table_name=COUNTS[1])
    op.create_index(*COUNTS, COUNTED_BEFORE, sqlite_where=OPEN, postgresql_where=OPEN)
    for name, _columns in INDEXES:
        op.drop_index(name, table_name="case")
    for name in (*CASE, "wave_id", "priority", "sentiment"):
        op.drop_column("case", name)
    op.drop_column("author", "ads_stopped_at")
    op.drop_index(op.f("ix_message_wave_id"), table_name="message")
    for name in ("wave_id", "fingerprint", "language"):
        op.drop_column("message", name)
    op.drop_column("label", "themes")
    op.drop_table("message_band")
    op.drop_table("signal")
