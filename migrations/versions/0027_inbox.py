"""Files of replies, marks, followers and mentions; views for those who hold a role; urgent cases in order."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

OPEN = sa.text("open_key IS NOT NULL")


def _ties(table: str, *columns: str) -> list[sa.schema.SchemaItem]:
    """The primary key, and foreign keys of columns named after the table they point to."""
    made: list[sa.schema.SchemaItem] = [sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))]
    for column in columns:
        target = column.removesuffix("_id")
        name = op.f(f"fk_{table}_{column}_{target}")
        made.append(sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name))
    return made


def upgrade() -> None:
    op.create_index(
        "ix_case_open_priority_due", "case", ["priority", "due_at", "id"], sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.add_column("saved_view", sa.Column("role", sa.String(), nullable=True))
    op.add_column("act", sa.Column("files", sa.JSON(), nullable=False, server_default="[]"))
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("act") as batch:
            batch.alter_column("files", server_default=None)
    else:
        op.alter_column("act", "files", server_default=None)
    op.create_table(
        "reply_file",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("reply_id", Id, nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        *_ties("reply_file", "case_id", "staff_id", "reply_id"),
    )
    op.create_index(op.f("ix_reply_file_case_id_staff_id"), "reply_file", ["case_id", "staff_id"])
    op.create_index(op.f("ix_reply_file_reply_id"), "reply_file", ["reply_id"])
    op.create_index(op.f("ix_reply_file_digest"), "reply_file", ["digest"])
    _marks()
    _people()


def _marks() -> None:
    op.create_table(
        "tag",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        *_ties("tag"),
        sa.UniqueConstraint("key", name=op.f("uq_tag_key")),
    )
    op.create_table(
        "case_tag",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("tag_id", Id, nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        *_ties("case_tag", "case_id", "tag_id", "staff_id"),
        sa.UniqueConstraint("case_id", "tag_id", name=op.f("uq_case_tag_case_id_tag_id")),
    )
    op.create_index(op.f("ix_case_tag_tag_id_case_id"), "case_tag", ["tag_id", "case_id"])


def _people() -> None:
    op.create_table(
        "follower",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        *_ties("follower", "case_id", "staff_id"),
        sa.UniqueConstraint("case_id", "staff_id", name=op.f("uq_follower_case_id_staff_id")),
    )
    op.create_index(op.f("ix_follower_staff_id"), "follower", ["staff_id"])
    op.create_table(
        "mention",
        sa.Column("note_id", Id, nullable=False),
        sa.Column("case_id", Id, nullable=False),
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        *_ties("mention", "note_id", "case_id", "staff_id"),
        sa.UniqueConstraint("note_id", "staff_id", name=op.f("uq_mention_note_id_staff_id")),
    )
    op.create_index(op.f("ix_mention_staff_id_seen_at"), "mention", ["staff_id", "seen_at"])


def downgrade() -> None:
    for table in ("mention", "follower", "case_tag", "tag", "reply_file"):
        op.drop_table(table)
    with op.batch_alter_table("act") as batch:
        batch.drop_column("files")
    with op.batch_alter_table("saved_view") as batch:
        batch.drop_column("role")
    op.drop_index("ix_case_open_priority_due", "case")
