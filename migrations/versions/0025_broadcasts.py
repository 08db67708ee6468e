"""Broadcasts with their questions, incidents and recorded chats; places that people look into."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "broadcast",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("speaker", sa.String(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("drops", sa.Integer(), nullable=False),
        sa.Column("viewers", sa.Integer(), nullable=True),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("moved_to_id", Id, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=True),
        sa.Column("report_due_at", UtcDateTime(), nullable=True),
        sa.Column("reported_at", UtcDateTime(), nullable=True),
        sa.Column("reported_by", Id, nullable=True),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_broadcast_created_by_staff")),
        sa.ForeignKeyConstraint(["moved_to_id"], ["broadcast.id"], name=op.f("fk_broadcast_moved_to_id_broadcast")),
        sa.ForeignKeyConstraint(["reported_by"], ["staff.id"], name=op.f("fk_broadcast_reported_by_staff")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_broadcast_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast")),
        sa.UniqueConstraint("origin", name=op.f("uq_broadcast_origin")),
    )
    op.create_index(op.f("ix_broadcast_starts_at_id"), "broadcast", ["starts_at", "id"])
    op.create_index(op.f("ix_broadcast_state_starts_at"), "broadcast", ["state", "starts_at"])
    op.create_table(
        "visited_place",
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("every_minutes", sa.Integer(), nullable=False),
        sa.Column("opens", sa.String(), nullable=False),
        sa.Column("closes", sa.String(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("source_id", Id, nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_visited_place_source_id_source")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_visited_place_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visited_place")),
    )
    op.create_index(op.f("ix_visited_place_active_id"), "visited_place", ["active", "id"])
    op.create_table(
        "broadcast_check",
        sa.Column("broadcast_id", Id, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_broadcast_check_broadcast_id_broadcast")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_broadcast_check_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast_check")),
        sa.UniqueConstraint("broadcast_id", "code", name=op.f("uq_broadcast_check_broadcast_id_code")),
    )
    op.create_table(
        "broadcast_place",
        sa.Column("broadcast_id", Id, nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("source_id", Id, nullable=True),
        sa.Column("publication", sa.String(), nullable=True),
        sa.Column("chat", sa.String(), nullable=True),
        sa.Column("cursor", sa.JSON(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("lease_holder", sa.String(), nullable=True),
        sa.Column("pause_seconds", sa.Double(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_broadcast_place_broadcast_id_broadcast")
        ),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_broadcast_place_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast_place")),
        sa.UniqueConstraint("source_id", "publication", name=op.f("uq_broadcast_place_source_id_publication")),
    )
    op.create_index(op.f("ix_broadcast_place_broadcast_id"), "broadcast_place", ["broadcast_id"])
    op.create_index(op.f("ix_broadcast_place_due_at"), "broadcast_place", ["due_at"])
    op.create_table(
        "tape",
        sa.Column("broadcast_id", Id, nullable=False),
        sa.Column("source_id", Id, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("lines", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("speed", sa.Double(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("clock_at", UtcDateTime(), nullable=True),
        sa.Column("clock_second", sa.Double(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["broadcast_id"], ["broadcast.id"], name=op.f("fk_tape_broadcast_id_broadcast")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_tape_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tape")),
    )
    op.create_index(op.f("ix_tape_broadcast_id"), "tape", ["broadcast_id"])
    op.create_index(op.f("ix_tape_state"), "tape", ["state"])
    op.create_table(
        "visit",
        sa.Column("place_id", Id, nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["place_id"], ["visited_place.id"], name=op.f("fk_visit_place_id_visited_place")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_visit_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
    )
    op.create_index(op.f("ix_visit_at"), "visit", ["at"])
    op.create_index(op.f("ix_visit_place_id_at"), "visit", ["place_id", "at"])
    op.create_table(
        "broadcast_incident",
        sa.Column("broadcast_id", Id, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("open_key", sa.String(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("second", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("route_id", Id, nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_broadcast_incident_broadcast_id_broadcast")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_broadcast_incident_case_id_case")),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_broadcast_incident_route_id_route")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast_incident")),
        sa.UniqueConstraint("open_key", name=op.f("uq_broadcast_incident_open_key")),
    )
    op.create_index(op.f("ix_broadcast_incident_broadcast_id"), "broadcast_incident", ["broadcast_id"])
    op.create_table(
        "broadcast_mention",
        sa.Column("broadcast_id", Id, nullable=False),
        sa.Column("message_id", Id, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("second", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("incident_id", Id, nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_broadcast_mention_broadcast_id_broadcast")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["broadcast_incident.id"],
            name=op.f("fk_broadcast_mention_incident_id_broadcast_incident"),
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_broadcast_mention_message_id_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast_mention")),
        sa.UniqueConstraint("message_id", name=op.f("uq_broadcast_mention_message_id")),
    )
    op.create_index(
        op.f("ix_broadcast_mention_broadcast_id_kind_second"),
        "broadcast_mention",
        ["broadcast_id", "kind", "second"],
    )
    op.create_table(
        "broadcast_question",
        sa.Column("broadcast_id", Id, nullable=False),
        sa.Column("message_id", Id, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("theme", sa.String(), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("found_by", sa.String(), nullable=False),
        sa.Column("second", sa.Integer(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("into_id", Id, nullable=True),
        sa.Column("held_by_id", Id, nullable=True),
        sa.Column("held_until", UtcDateTime(), nullable=True),
        sa.Column("settled_by_id", Id, nullable=True),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("spoken_at", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("act_id", Id, nullable=True),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("route_id", Id, nullable=True),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["act_id"], ["act.id"], name=op.f("fk_broadcast_question_act_id_act")),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_broadcast_question_broadcast_id_broadcast")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_broadcast_question_case_id_case")),
        sa.ForeignKeyConstraint(["held_by_id"], ["staff.id"], name=op.f("fk_broadcast_question_held_by_id_staff")),
        sa.ForeignKeyConstraint(
            ["into_id"], ["broadcast_question.id"], name=op.f("fk_broadcast_question_into_id_broadcast_question")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_broadcast_question_message_id_message")
        ),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_broadcast_question_route_id_route")),
        sa.ForeignKeyConstraint(
            ["settled_by_id"], ["staff.id"], name=op.f("fk_broadcast_question_settled_by_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast_question")),
        sa.UniqueConstraint("message_id", name=op.f("uq_broadcast_question_message_id")),
    )
    op.create_index(op.f("ix_broadcast_question_act_id"), "broadcast_question", ["act_id"])
    op.create_index(
        op.f("ix_broadcast_question_broadcast_id_state_id"), "broadcast_question", ["broadcast_id", "state", "id"]
    )
    op.create_index(op.f("ix_broadcast_question_into_id"), "broadcast_question", ["into_id"])
    op.create_index(op.f("ix_message_publication_id_id"), "message", ["publication_id", "id"])
    op.add_column("notice", sa.Column("broadcast_id", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("notice", "broadcast_id")
    op.drop_index(op.f("ix_message_publication_id_id"), table_name="message")
    op.drop_table("broadcast_question")
    op.drop_table("broadcast_mention")
    op.drop_table("broadcast_incident")
    op.drop_table("visit")
    op.drop_table("tape")
    op.drop_table("broadcast_place")
    op.drop_table("broadcast_check")
    op.drop_table("visited_place")
    op.drop_table("broadcast")
