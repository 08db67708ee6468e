"""Cards of clients, their contacts, who is who, what they agreed to."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime
from models.crm.client import Ordered

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consent_text",
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_text")),
        sa.UniqueConstraint("purpose", "hash", name=op.f("uq_consent_text_purpose_hash")),
    )
    op.create_table(
        "client",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", Ordered, nullable=False),
        sa.Column("last_name", sa.String(), nullable=False),
        sa.Column("first_name", sa.String(), nullable=False),
        sa.Column("middle_name", sa.String(), nullable=False),
        sa.Column("gender", sa.String(), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("inn", sa.String(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("segment_by", sa.String(), nullable=False),
        sa.Column("owner_id", Id, nullable=True),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=True),
        sa.Column("preferred_channel", sa.String(), nullable=True),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("merged_into_id", Id, nullable=True),
        sa.Column("import_id", sa.Integer(), nullable=True),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("hold", sa.Boolean(), nullable=False),
        sa.Column("blocked_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_client_created_by_staff")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["client.id"], name=op.f("fk_client_merged_into_id_client")),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name=op.f("fk_client_owner_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
        sa.UniqueConstraint("external_id", name=op.f("uq_client_external_id")),
    )
    op.create_index(op.f("ix_client_created_at"), "client", ["created_at"])
    op.create_index(op.f("ix_client_import_id"), "client", ["import_id"])
    op.create_index(op.f("ix_client_inn"), "client", ["inn"])
    op.create_index("ix_client_list", "client", ["state", "name_key", "id"])
    op.create_index(op.f("ix_client_merged_into_id"), "client", ["merged_into_id"])
    op.create_index("ix_client_owner", "client", ["owner_id", "state", "name_key", "id"])
    op.create_index("ix_client_segment", "client", ["segment", "state", "name_key", "id"])
    op.create_table(
        "client_tie",
        sa.Column("client_id", Id, nullable=False),
        sa.Column("other_id", Id, nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_client_tie_client_id_client")),
        sa.ForeignKeyConstraint(["other_id"], ["client.id"], name=op.f("fk_client_tie_other_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_tie")),
        sa.UniqueConstraint("client_id", "other_id", "role", name=op.f("uq_client_tie_client_id_other_id_role")),
    )
    op.create_index(op.f("ix_client_tie_other_id"), "client_tie", ["other_id"])
    op.create_table(
        "client_word",
        sa.Column("client_id", Id, nullable=False),
        sa.Column("word", Ordered, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_client_word_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_word")),
        sa.UniqueConstraint("client_id", "word", name=op.f("uq_client_word_client_id_word")),
    )
    op.create_index(op.f("ix_client_word_word_client_id"), "client_word", ["word", "client_id"])
    op.create_table(
        "contact",
        sa.Column("client_id", Id, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("key", Ordered, nullable=False),
        sa.Column("live_key", sa.String(), nullable=True),
        sa.Column("tail", Ordered, nullable=True),
        sa.Column("is_main", sa.Boolean(), nullable=False),
        sa.Column("verified_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_contact_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("live_key", name=op.f("uq_contact_live_key")),
    )
    op.create_index(op.f("ix_contact_client_id"), "contact", ["client_id"])
    op.create_index(op.f("ix_contact_key"), "contact", ["key"])
    op.create_index(
        "ix_contact_tail",
        "contact",
        ["tail", "client_id"],
        sqlite_where=sa.text("tail IS NOT NULL"),
        postgresql_where=sa.text("tail IS NOT NULL"),
    )
    op.create_table(
        "identity",
        sa.Column("client_id", Id, nullable=False),
        sa.Column("author_id", Id, nullable=False),
        sa.Column("linked_author_id", sa.Integer(), nullable=True),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["author.id"], name=op.f("fk_identity_author_id_author")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_identity_client_id_client")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_identity_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
        sa.UniqueConstraint("linked_author_id", name=op.f("uq_identity_linked_author_id")),
    )
    op.create_index(op.f("ix_identity_author_id_client_id"), "identity", ["author_id", "client_id"])
    op.create_index(op.f("ix_identity_client_id_state"), "identity", ["client_id", "state"])
    op.create_table(
        "merge",
        sa.Column("kept_id", Id, nullable=False),
        sa.Column("gone_id", Id, nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["gone_id"], ["client.id"], name=op.f("fk_merge_gone_id_client")),
        sa.ForeignKeyConstraint(["kept_id"], ["client.id"], name=op.f("fk_merge_kept_id_client")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_merge_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge")),
    )
    op.create_index(op.f("ix_merge_gone_id"), "merge", ["gone_id"])
    op.create_index(op.f("ix_merge_kept_id"), "merge", ["kept_id"])
    op.create_table(
        "study",
        sa.Column("client_id", Id, nullable=False),
        sa.Column("course", sa.String(), nullable=False),
        sa.Column("group_name", sa.String(), nullable=False),
        sa.Column("curator", sa.String(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("access_until", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_study_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study")),
        sa.UniqueConstraint("client_id", "course", "group_name", name=op.f("uq_study_client_id_course_group_name")),
    )
    op.create_index(op.f("ix_study_course"), "study", ["course"])
    op.create_table(
        "consent",
        sa.Column("client_id", Id, nullable=True),
        sa.Column("author_id", Id, nullable=True),
        sa.Column("message_id", Id, nullable=True),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("text_id", Id, nullable=True),
        sa.Column("text_hash", sa.String(), nullable=False),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("valid_to", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_how", sa.String(), nullable=True),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["author.id"], name=op.f("fk_consent_author_id_author")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_consent_client_id_client")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_consent_message_id_message")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_consent_staff_id_staff")),
        sa.ForeignKeyConstraint(["text_id"], ["consent_text.id"], name=op.f("fk_consent_text_id_consent_text")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        sa.UniqueConstraint("message_id", "purpose", name=op.f("uq_consent_message_id_purpose")),
    )
    op.create_index(op.f("ix_consent_author_id"), "consent", ["author_id"])
    op.create_index(op.f("ix_consent_client_id_purpose"), "consent", ["client_id", "purpose"])
    op.add_column("event", sa.Column("client_id", sa.Integer(), nullable=True))
    op.create_index(
        "ix_event_client",
        "event",
        ["client_id", "id"],
        sqlite_where=sa.text("client_id IS NOT NULL"),
        postgresql_where=sa.text("client_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_event_client",
        table_name="event",
        sqlite_where=sa.text("client_id IS NOT NULL"),
        postgresql_where=sa.text("client_id IS NOT NULL"),
    )
    op.drop_column("event", "client_id")
    op.drop_table("consent")
    op.drop_table("study")
    op.drop_table("merge")
    op.drop_table("identity")
    op.drop_table("contact")
    op.drop_table("client_word")
    op.drop_table("client_tie")
    op.drop_table("client")
    op.drop_table("consent_text")
