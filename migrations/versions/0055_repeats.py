"""Facts: whose a case is, whether it is a repeat, the place of a step; names of programmes as lists ask them."""

import sqlalchemy as sa
from alembic import op

from models.base import Id, UtcDateTime

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

DIMENSIONS = ("source_id", "kind", "theme", "staff_id", "department_id", "platform", "programme", "themes")
KNOWN, OWED = sa.text("person IS NOT NULL"), sa.text("outcome IS NULL")
WANTED = sa.text("kind = 'application'")
LENGTH, DAYS = 200, 14

FACT = sa.table(
    "case_fact", *(sa.column(name) for name in ("id", "theme", "counts", "person")),
    *(sa.column(name, UtcDateTime()) for name in ("opened_at", "resolved_at")), sa.column("again", sa.Boolean()),
)  # fmt: skip
STEP = sa.table("case_step", sa.column("case_id"), sa.column("source_id"))
CASE = sa.table("case", sa.column("id"), sa.column("author_id"), sa.column("source_id"))
AUTHOR = sa.table("author", sa.column("id"), sa.column("hidden_at"))
IDENTITY = sa.table("identity", sa.column("client_id"), sa.column("linked_author_id"))
CONTRACT = sa.table("contract", sa.column("id"), sa.column("terms", sa.JSON()), sa.column("programme", sa.String()))


def upgrade() -> None:
    with op.batch_alter_table("case_fact") as facts:
        facts.add_column(sa.Column("person", Id, nullable=True))
        facts.add_column(sa.Column("again", sa.Boolean(), nullable=True))
    _say_whose()
    op.create_index(
        "ix_case_fact_person", "case_fact", ["person", "resolved_at", "theme"], sqlite_where=KNOWN,
        postgresql_where=KNOWN,
    )  # fmt: skip
    _say_again()
    op.drop_index("ix_case_fact_opened", "case_fact")
    op.create_index("ix_case_fact_opened", "case_fact", ["opened_at", "counts", "checked", "again", *DIMENSIONS])
    with op.batch_alter_table("case_step") as steps:
        steps.add_column(sa.Column("source_id", Id, nullable=True))
    of_case = sa.select(CASE.c.source_id).where(CASE.c.id == STEP.c.case_id).scalar_subquery()
    op.execute(STEP.update().values(source_id=of_case))
    op.drop_index(op.f("ix_case_step_kind_at_case_id_staff_id"), "case_step")
    with op.batch_alter_table("case_step") as steps:
        steps.alter_column("source_id", existing_type=Id, nullable=False)
    op.create_index(
        op.f("ix_case_step_kind_at_case_id_staff_id_source_id"), "case_step",
        ["kind", "at", "case_id", "staff_id", "source_id"],
    )  # fmt: skip
    with op.batch_alter_table("contract") as contracts:
        contracts.add_column(sa.Column("programme", sa.String(), nullable=False, server_default=""))
    _name_programmes()
    with op.batch_alter_table("contract") as contracts:
        contracts.alter_column("programme", existing_type=sa.String(), server_default=None)
    op.create_index(op.f("ix_contract_programme"), "contract", ["programme"])
    op.create_index(op.f("ix_deal_product"), "deal", ["product"])
    op.create_index("ix_case_application", "case", ["id"], sqlite_where=WANTED, postgresql_where=WANTED)
    op.create_index("ix_route_fact_owed", "route_fact", ["due_at"], sqlite_where=OWED, postgresql_where=OWED)


def _say_whose() -> None:
    card = sa.select(IDENTITY.c.client_id * 2).where(IDENTITY.c.linked_author_id == CASE.c.author_id)
    whose = (
        sa.select(sa.func.coalesce(card.scalar_subquery(), CASE.c.author_id * 2 + 1))
        .join(AUTHOR, AUTHOR.c.id == CASE.c.author_id)
        .where(CASE.c.id == FACT.c.id, AUTHOR.c.hidden_at.is_(None))
    )
    op.execute(FACT.update().values(person=whose.scalar_subquery()))


def _say_again() -> None:
    """As services.reports.repeats does."""
    before = FACT.alias("before")
    day = "strftime('%Y-%m-%d %H:%M:%f', case_fact.opened_at, '-{} days')"
    if op.get_bind().dialect.name != "sqlite":
        day = "case_fact.opened_at - interval '{} days'"
    earlier = sa.select(before.c.id).where(
        before.c.person == FACT.c.person, before.c.theme == FACT.c.theme, before.c.counts,
        before.c.id != FACT.c.id, before.c.resolved_at <= FACT.c.opened_at,
        before.c.resolved_at >= sa.literal_column(day.format(DAYS), UtcDateTime()),
    )  # fmt: skip
    op.execute(FACT.update().where(FACT.c.person.is_not(None)).values(again=earlier.exists()))


def _name_programmes() -> None:
    raw = CONTRACT.c.terms["program"]["name"].as_string()
    op.execute(CONTRACT.update().values(programme=sa.func.coalesce(raw, "")))
    names = op.get_bind().scalars(sa.select(CONTRACT.c.programme).distinct())
    for name in list(names):
        short = " ".join(name.split())[:LENGTH]
        if short != name:
            op.execute(CONTRACT.update().where(CONTRACT.c.programme == name).values(programme=short))


def downgrade() -> None:
    op.drop_index("ix_route_fact_owed", "route_fact")
    op.drop_index("ix_case_application", "case")
    op.drop_index(op.f("ix_deal_product"), "deal")
    op.drop_index(op.f("ix_contract_programme"), "contract")
    op.drop_column("contract", "programme")
    op.drop_index(op.f("ix_case_step_kind_at_case_id_staff_id_source_id"), "case_step")
    op.drop_column("case_step", "source_id")
    op.create_index(
        op.f("ix_case_step_kind_at_case_id_staff_id"), "case_step", ["kind", "at", "case_id", "staff_id"]
    )
    op.drop_index("ix_case_fact_person", "case_fact")
    op.drop_index("ix_case_fact_opened", "case_fact")
    for column in ("again", "person"):
        op.drop_column("case_fact", column)
    op.create_index("ix_case_fact_opened", "case_fact", ["opened_at", "counts", "checked", *DIMENSIONS])
