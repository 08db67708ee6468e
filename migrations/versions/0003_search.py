"""The index of search: entries, words in use, FTS5 on SQLite and GIN on PostgreSQL."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from models.base import Id

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FTS = (
    "CREATE VIRTUAL TABLE search_fts USING fts5(names, words, extra, content='search_entry', content_rowid='id', "
    "tokenize='unicode61 remove_diacritics 0')",
    "CREATE TRIGGER search_entry_added AFTER INSERT ON search_entry BEGIN INSERT INTO search_fts"
    "(rowid, names, words, extra) VALUES (new.id, new.names, new.words, new.extra); END",
    "CREATE TRIGGER search_entry_gone AFTER DELETE ON search_entry BEGIN INSERT INTO search_fts"
    "(search_fts, rowid, names, words, extra) VALUES ('delete', old.id, old.names, old.words, old.extra); END",
)
GIN = ("CREATE INDEX ix_search_entry_vector ON search_entry USING gin (vector)",)


def upgrade() -> None:
    op.create_table(
        "search_entry",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("object_id", sa.Integer(), nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("extra", sa.Text(), nullable=False),
        sa.Column("vector", TSVECTOR().with_variant(sa.Text(), "sqlite"), nullable=True),
        sa.Column("id", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_entry")),
    )
    op.create_table(
        "search_lemma",
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_lemma")),
        sa.UniqueConstraint("word", name=op.f("uq_search_lemma_word")),
    )
    for statement in FTS if op.get_bind().dialect.name == "sqlite" else GIN:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_fts")
    op.drop_table("search_lemma")
    op.drop_table("search_entry")
