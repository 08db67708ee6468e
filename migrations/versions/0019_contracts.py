"""Contracts, documents and their templates, money and obligations."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime
from models.crm.client import Ordered

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stored_file",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("media", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_file")),
        sa.UniqueConstraint("hash", name=op.f("uq_stored_file_hash")),
    )
    op.create_table(
        "approval",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("asked_by_id", Id, nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("decided_by_id", Id, nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("voided_at", UtcDateTime(), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["asked_by_id"], ["staff.id"], name=op.f("fk_approval_asked_by_id_staff")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["staff.id"], name=op.f("fk_approval_decided_by_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    op.create_index(op.f("ix_approval_subject_subject_id"), "approval", ["subject", "subject_id"])
    op.create_table(
        "legal_ref",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("requires", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("confirmed_by_id", Id, nullable=True),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["confirmed_by_id"], ["staff.id"], name=op.f("fk_legal_ref_confirmed_by_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_ref")),
        sa.UniqueConstraint("code", name=op.f("uq_legal_ref_code")),
    )
    op.create_table(
        "template",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("file_id", Id, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("tokens", sa.JSON(), nullable=False),
        sa.Column("legal", sa.JSON(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("author_id", Id, nullable=True),
        sa.Column("approver_id", Id, nullable=True),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["approver_id"], ["staff.id"], name=op.f("fk_template_approver_id_staff")),
        sa.ForeignKeyConstraint(["author_id"], ["staff.id"], name=op.f("fk_template_author_id_staff")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_template_file_id_stored_file")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template")),
        sa.UniqueConstraint("kind", "version", name=op.f("uq_template_kind_version")),
    )
    op.create_index(op.f("ix_template_kind_state"), "template", ["kind", "state"])
    op.create_table(
        "contract",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("number", Ordered, nullable=True),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("student_id", Id, nullable=True),
        sa.Column("payer_id", Id, nullable=True),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("template_id", Id, nullable=True),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("offer_until", sa.Date(), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("discount", sa.BigInteger(), nullable=False),
        sa.Column("funding", sa.String(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("parties", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("site", sa.JSON(), nullable=False),
        sa.Column("text_hash", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("signed_at", UtcDateTime(), nullable=True),
        sa.Column("signed_hash", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("author_id", Id, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["staff.id"], name=op.f("fk_contract_author_id_staff")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_contract_case_id_case")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_contract_client_id_client")),
        sa.ForeignKeyConstraint(["payer_id"], ["client.id"], name=op.f("fk_contract_payer_id_client")),
        sa.ForeignKeyConstraint(["student_id"], ["client.id"], name=op.f("fk_contract_student_id_client")),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name=op.f("fk_contract_template_id_template")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("external_id", name=op.f("uq_contract_external_id")),
        sa.UniqueConstraint("number", name=op.f("uq_contract_number")),
    )
    op.create_index(op.f("ix_contract_case_id"), "contract", ["case_id"])
    op.create_index(op.f("ix_contract_client_id_id"), "contract", ["client_id", "id"])
    op.create_index("ix_contract_state", "contract", ["state", "id"])
    op.create_index(op.f("ix_contract_student_id"), "contract", ["student_id"])
    op.create_table(
        "amendment",
        sa.Column("contract_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("active_key", sa.Integer(), nullable=True),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("schedule", sa.JSON(), nullable=False),
        sa.Column("text_hash", sa.String(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("signature", sa.String(), nullable=True),
        sa.Column("signed_at", UtcDateTime(), nullable=True),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("author_id", Id, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["staff.id"], name=op.f("fk_amendment_author_id_staff")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_amendment_case_id_case")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_amendment_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendment")),
        sa.UniqueConstraint("active_key", name=op.f("uq_amendment_active_key")),
        sa.UniqueConstraint("contract_id", "number", name=op.f("uq_amendment_contract_id_number")),
    )
    op.create_table(
        "decision",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("contract_id", Id, nullable=True),
        sa.Column("client_id", Id, nullable=True),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("norm", sa.String(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("author_id", Id, nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["staff.id"], name=op.f("fk_decision_author_id_staff")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_decision_case_id_case")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_decision_client_id_client")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_decision_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_contract_id"), "decision", ["contract_id"])
    op.create_index(op.f("ix_decision_kind_id"), "decision", ["kind", "id"])
    op.create_table(
        "instalment",
        sa.Column("contract_id", Id, nullable=False),
        sa.Column("schedule", sa.Integer(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.BigInteger(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("reminded_on", sa.Date(), nullable=True),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_instalment_not_negative")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_instalment_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instalment")),
        sa.UniqueConstraint("contract_id", "schedule", "no", name=op.f("uq_instalment_contract_id_schedule_no")),
    )
    op.create_index("ix_instalment_due", "instalment", ["current", "stage", "due_on", "id"])
    op.create_table(
        "obligation",
        sa.Column("contract_id", Id, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("clause", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_obligation_contract_id_contract")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_obligation_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligation")),
        sa.UniqueConstraint("contract_id", "key", name=op.f("uq_obligation_contract_id_key")),
    )
    op.create_index("ix_obligation_due", "obligation", ["state", "due_on", "id"])
    op.create_table(
        "payment",
        sa.Column("contract_id", Id, nullable=False),
        sa.Column("payer_id", Id, nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("is_refund", sa.Boolean(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("receipt", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payment_positive")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_payment_contract_id_contract")),
        sa.ForeignKeyConstraint(["payer_id"], ["client.id"], name=op.f("fk_payment_payer_id_client")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_payment_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("external_id", name=op.f("uq_payment_external_id")),
    )
    op.create_index(op.f("ix_payment_contract_id_paid_on"), "payment", ["contract_id", "paid_on"])
    op.create_index(op.f("ix_payment_paid_on"), "payment", ["paid_on"])
    op.create_table(
        "service_record",
        sa.Column("contract_id", Id, nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("volume", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("accepted_by_id", Id, nullable=True),
        sa.Column("accepted_at", UtcDateTime(), nullable=True),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["accepted_by_id"], ["staff.id"], name=op.f("fk_service_record_accepted_by_id_staff")
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_service_record_contract_id_contract")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_service_record_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_record")),
        sa.UniqueConstraint("contract_id", "period", name=op.f("uq_service_record_contract_id_period")),
    )
    op.create_index(op.f("ix_service_record_period_id"), "service_record", ["period", "id"])
    op.create_table(
        "termination",
        sa.Column("contract_id", Id, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("active_key", sa.Integer(), nullable=True),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("initiator", sa.String(), nullable=False),
        sa.Column("paper", sa.String(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("answer_due", sa.Date(), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("expenses", sa.JSON(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.Column("refund", sa.BigInteger(), nullable=False),
        sa.Column("refund_due", sa.Date(), nullable=True),
        sa.Column("no_refund_ground", sa.Text(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("proof", sa.JSON(), nullable=False),
        sa.Column("text_hash", sa.String(), nullable=False),
        sa.Column("author_id", Id, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["staff.id"], name=op.f("fk_termination_author_id_staff")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_termination_case_id_case")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_termination_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_termination")),
        sa.UniqueConstraint("active_key", name=op.f("uq_termination_active_key")),
    )
    op.create_index(op.f("ix_termination_contract_id"), "termination", ["contract_id"])
    op.create_index(op.f("ix_termination_state_id"), "termination", ["state", "id"])
    op.create_table(
        "allocation",
        sa.Column("payment_id", Id, nullable=False),
        sa.Column("instalment_id", Id, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_allocation_positive")),
        sa.ForeignKeyConstraint(
            ["instalment_id"], ["instalment.id"], name=op.f("fk_allocation_instalment_id_instalment")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_allocation_payment_id_payment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation")),
        sa.UniqueConstraint("payment_id", "instalment_id", name=op.f("uq_allocation_payment_id_instalment_id")),
    )
    op.create_index(op.f("ix_allocation_instalment_id"), "allocation", ["instalment_id"])
    op.create_table(
        "contract_revision",
        sa.Column("contract_id", Id, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("amendment_id", Id, nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["amendment_id"], ["amendment.id"], name=op.f("fk_contract_revision_amendment_id_amendment")
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_contract_revision_contract_id_contract")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_revision")),
        sa.UniqueConstraint("contract_id", "revision", name=op.f("uq_contract_revision_contract_id_revision")),
    )
    op.create_table(
        "document",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("series", sa.String(), nullable=True),
        sa.Column("serial", sa.Integer(), nullable=True),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("contract_id", Id, nullable=True),
        sa.Column("amendment_id", Id, nullable=True),
        sa.Column("termination_id", Id, nullable=True),
        sa.Column("client_id", Id, nullable=True),
        sa.Column("template_id", Id, nullable=True),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("docx_id", Id, nullable=True),
        sa.Column("pdf_id", Id, nullable=True),
        sa.Column("uploaded", sa.Boolean(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("signed_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("staff_id", Id, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["amendment_id"], ["amendment.id"], name=op.f("fk_document_amendment_id_amendment")
        ),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_document_client_id_client")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_document_contract_id_contract")),
        sa.ForeignKeyConstraint(["docx_id"], ["stored_file.id"], name=op.f("fk_document_docx_id_stored_file")),
        sa.ForeignKeyConstraint(["pdf_id"], ["stored_file.id"], name=op.f("fk_document_pdf_id_stored_file")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_document_staff_id_staff")),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name=op.f("fk_document_template_id_template")),
        sa.ForeignKeyConstraint(
            ["termination_id"], ["termination.id"], name=op.f("fk_document_termination_id_termination")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("series", "serial", name=op.f("uq_document_series_serial")),
    )
    op.create_index(op.f("ix_document_client_id"), "document", ["client_id"])
    op.create_index(op.f("ix_document_contract_id_kind"), "document", ["contract_id", "kind"])
    op.create_index(op.f("ix_document_kind_id"), "document", ["kind", "id"])


def downgrade() -> None:
    for table in (
        "document",
        "contract_revision",
        "allocation",
        "termination",
        "service_record",
        "payment",
        "obligation",
        "instalment",
        "decision",
        "amendment",
        "contract",
        "template",
        "legal_ref",
        "approval",
        "stored_file",
    ):
        op.drop_table(table)
