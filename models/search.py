"""What search looks into: every text in the forms of its words, one row a message or note."""

from typing import Any

from sqlalchemy import DDL, Text, event
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class SearchEntry(Base):
    """``id`` grows with the time of writing, so that both databases walk the hits newest first by the key alone,
    see services.search_index.key_of. ``kind``: message · note; ``object_id`` is its row.

    ``names``, ``words`` and ``extra`` are tokens parted by spaces: who wrote, what, and what else may be looked
    for (other forms, joined numbers, «xsrc12» for the place). PostgreSQL searches ``vector``, SQLite the FTS5
    table that follows this one by triggers.
    """

    __tablename__ = "search_entry"

    kind: Mapped[str]
    object_id: Mapped[int]
    names: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    extra: Mapped[str] = mapped_column(Text)
    vector: Mapped[Any] = mapped_column(TSVECTOR().with_variant(Text(), "sqlite"), nullable=True)


class SearchLemma(Base):
    """A word in use, for corrections by one letter."""

    __tablename__ = "search_lemma"

    word: Mapped[str] = mapped_column(unique=True)


# What one of the databases alone has cannot stand in the metadata; migrations/env.py knows it by name.
FTS_DDL = (
    "CREATE VIRTUAL TABLE search_fts USING fts5(names, words, extra, content='search_entry', content_rowid='id', "
    "tokenize='unicode61 remove_diacritics 0')",
    "CREATE TRIGGER search_entry_added AFTER INSERT ON search_entry BEGIN INSERT INTO search_fts"
    "(rowid, names, words, extra) VALUES (new.id, new.names, new.words, new.extra); END",
    "CREATE TRIGGER search_entry_gone AFTER DELETE ON search_entry BEGIN INSERT INTO search_fts"
    "(search_fts, rowid, names, words, extra) VALUES ('delete', old.id, old.names, old.words, old.extra); END",
)
GIN_DDL = ("CREATE INDEX ix_search_entry_vector ON search_entry USING gin (vector)",)

for _kind, _statements in (("sqlite", FTS_DDL), ("postgresql", GIN_DDL)):
    for _statement in _statements:
        _ddl = DDL(_statement)  # type: ignore[no-untyped-call]
        event.listen(SearchEntry.__table__, "after_create", _ddl.execute_if(dialect=_kind))
