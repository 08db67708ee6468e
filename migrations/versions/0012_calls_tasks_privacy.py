"""Calls, tasks, imports and exports of cards, and what 152-ФЗ asks for."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "client_export",
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("decided_by", Id, nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ready_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["decided_by"], ["staff.id"], name=op.f("fk_client_export_decided_by_staff")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_client_export_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_export")),
        sa.UniqueConstraint("mark", name=op.f("uq_client_export_mark")),
    )
    op.create_index(op.f("ix_client_export_state_id"), "client_export", ["state", "id"])
    op.create_table(
        "client_import",
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_client_import_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_import")),
    )
    op.create_index(op.f("ix_client_import_state_id"), "client_import", ["state", "id"])
    op.create_table(
        "erasure",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("kept", sa.JSON(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_erasure_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        sa.UniqueConstraint("number", name=op.f("uq_erasure_number")),
    )
    op.create_index(op.f("ix_erasure_subject_subject_id"), "erasure", ["subject", "subject_id"])
    op.create_table(
        "client_note",
        sa.Column("client_id", Id, nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("form_key", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_client_note_client_id_client")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_client_note_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_note")),
        sa.UniqueConstraint("form_key", name=op.f("uq_client_note_form_key")),
    )
    op.create_index(op.f("ix_client_note_client_id_created_at"), "client_note", ["client_id", "created_at"])
    op.create_table(
        "import_row",
        sa.Column("import_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("client_id", Id, nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_import_row_client_id_client")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["client_import.id"], name=op.f("fk_import_row_import_id_client_import")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_row")),
        sa.UniqueConstraint("import_id", "number", name=op.f("uq_import_row_import_id_number")),
    )
    op.create_index(
        op.f("ix_import_row_import_id_outcome_number"), "import_row", ["import_id", "outcome", "number"]
    )
    op.create_table(
        "sensitive_field",
        sa.Column("client_id", Id, nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_sensitive_field_client_id_client")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_sensitive_field_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sensitive_field")),
        sa.UniqueConstraint("client_id", "field", name=op.f("uq_sensitive_field_client_id_field")),
    )
    op.create_table(
        "privacy_request",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("client_id", Id, nullable=True),
        sa.Column("author_id", Id, nullable=True),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("known_by", sa.String(), nullable=False),
        sa.Column("prolonged_at", UtcDateTime(), nullable=True),
        sa.Column("prolonged_why", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["author.id"], name=op.f("fk_privacy_request_author_id_author")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_privacy_request_case_id_case")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_privacy_request_client_id_client")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_privacy_request_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_request")),
        sa.UniqueConstraint("number", name=op.f("uq_privacy_request_number")),
    )
    op.create_index(op.f("ix_privacy_request_client_id"), "privacy_request", ["client_id"])
    op.create_index(op.f("ix_privacy_request_state_due_at"), "privacy_request", ["state", "due_at"])
    op.create_table(
        "call",
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("notice_given", sa.Boolean(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("client_id", Id, nullable=True),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("message_id", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_call_case_id_case")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_call_client_id_client")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_call_message_id_message")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_call_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
        sa.UniqueConstraint("message_id", name=op.f("uq_call_message_id")),
    )
    op.create_index(op.f("ix_call_client_id_started_at"), "call", ["client_id", "started_at"])
    op.create_index(op.f("ix_call_number_started_at"), "call", ["number", "started_at"])
    op.create_index(op.f("ix_call_started_at_id"), "call", ["started_at", "id"])
    op.create_table(
        "task",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("client_id", Id, nullable=True),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("call_id", Id, nullable=True),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("open_key", sa.String(), nullable=True),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("remind_at", UtcDateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("form_key", sa.String(), nullable=True),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("done_by", Id, nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_task_call_id_call")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_task_case_id_case")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_task_client_id_client")),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_task_created_by_staff")),
        sa.ForeignKeyConstraint(["done_by"], ["staff.id"], name=op.f("fk_task_done_by_staff")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_task_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint("form_key", name=op.f("uq_task_form_key")),
        sa.UniqueConstraint("open_key", name=op.f("uq_task_open_key")),
    )
    op.create_index(op.f("ix_task_case_id"), "task", ["case_id"])
    op.create_index(op.f("ix_task_client_id_id"), "task", ["client_id", "id"])
    op.create_index(
        "ix_task_due",
        "task",
        ["due_at", "id"],
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_task_remind",
        "task",
        ["remind_at"],
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_task_staff_due",
        "task",
        ["staff_id", "due_at", "id"],
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.add_column("author", sa.Column("hidden_at", UtcDateTime(), nullable=True))
    op.add_column("notice", sa.Column("task_id", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_notice_task_id"), "notice", ["task_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_notice_task_id"), table_name="notice")
    op.drop_column("notice", "task_id")
    op.drop_column("author", "hidden_at")
    op.drop_table("task")
    op.drop_table("call")
    op.drop_table("privacy_request")
    op.drop_table("sensitive_field")
    op.drop_table("import_row")
    op.drop_table("client_note")
    op.drop_table("erasure")
    op.drop_table("client_import")
    op.drop_table("client_export")
