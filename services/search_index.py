"""Keeps the index of search: written with the message it is about, filled in behind for what is older."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import Author, Case, Message, Note, SearchEntry, SearchLemma, Setting, Staff
from models.database import Database
from services.columns import among, insert_rows
from services.lemmas import index, index_name

RULES = 1
"""Raised when services.lemmas gives other forms than before: the index is then made anew."""
SEARCH_STATE = "search.index"
BATCH = 500
MOST_OF_AUTHOR = 1000
_OBJECT_BITS = 25
NAME_POSITION, EXTRA_POSITION = 16_000, 16_300
_KINDS = {"message": 0, "note": 1}
_ENTRIES = cast(Table, SearchEntry.__table__)
_SPOKEN = ("words", "names", "extra")
"""Columns of tokens, in the order in which ``vector`` takes them."""


def key_of(at: datetime, kind: str = "message", object_id: int = 0) -> int:
    """The key of an entry: the second of writing, then the row. Two rows would need one second and 33,554,432
    rows between them to meet."""
    low = object_id % (1 << _OBJECT_BITS)
    return (int(at.timestamp()) << (_OBJECT_BITS + 1)) | (low << 1) | _KINDS[kind]


def index_messages(session: Session, messages: Sequence[Message], *, known: bool = False) -> None:
    """Writes the entries of ``messages``; ``known``: they may have some already."""
    if not messages:
        return
    ids = {message.author_id for message in messages if message.author_id is not None}
    names: dict[int | None, str] = {
        row.id: row.name
        for row in session.execute(select(Author.id, Author.name).where(among(session, Author.id, ids)))
    }
    _write(session, [message_row(message, names.get(message.author_id, "")) for message in messages], known=known)


def index_note(session: Session, note: Note) -> None:
    """Writes the entry of a note, under the name of who wrote it."""
    name = session.scalar(select(Staff.name).where(Staff.id == note.staff_id)) or ""
    source_id = session.scalar(select(Case.source_id).where(Case.id == note.case_id)) or 0
    _write(session, [_note_row(note, name, source_id)], known=True)


def rename_author(session: Session, author_id: int) -> None:
    """After a change of name: the newest MOST_OF_AUTHOR messages are found by the new one."""
    query = select(Message).where(Message.author_id == author_id).order_by(Message.published_at.desc())
    index_messages(session, list(session.scalars(query.limit(MOST_OF_AUTHOR))), known=True)


def message_row(message: Message, name: str) -> dict[str, Any]:
    text = f"{message.subject}\n{message.text}" if message.subject else message.text
    marks = [f"xsrc{message.source_id}", "xout" if message.direction == "out" else "xin"]
    return _row("message", message.id, message.published_at, text, name, marks)


def _note_row(note: Note, name: str, source_id: int) -> dict[str, Any]:
    return _row("note", note.id, note.created_at, note.text, name, [f"xsrc{source_id}", "xnote"])


def _row(kind: str, object_id: int, at: datetime, text: str, name: str, marks: list[str]) -> dict[str, Any]:
    said, who = index(text), index_name(name)
    extra = [*said.extra, *marks]
    return {
        "id": key_of(at, kind, object_id), "kind": kind, "object_id": object_id, "names": " ".join(who.words),
        "words": " ".join(said.words), "extra": " ".join(extra),
    }  # fmt: skip


def vector(words: Sequence[str], names: Sequence[str], extra: Sequence[str]) -> str:
    """The same tokens as PostgreSQL reads them: who wrote has weight A, what may be found besides B."""
    places: dict[str, list[str]] = {}
    for at, word in enumerate(words, 1):
        places.setdefault(word, []).append(str(at))
    for at, word in enumerate(names[:100], NAME_POSITION):
        places.setdefault(word, []).append(f"{at}A")
    for word in extra:
        places.setdefault(word, []).append(f"{EXTRA_POSITION}B")
    return " ".join(f"'{word}':{','.join(found)}" for word, found in places.items())


def _write(session: Session, rows: list[dict[str, Any]], *, known: bool) -> None:
    if not rows:
        return
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    if not is_sqlite:
        rows = [{**row, "vector": vector(*(row[name].split() for name in _SPOKEN))} for row in rows]
    # FTS5 writes its pending words out whenever a key is not greater than the one before.
    rows = sorted(rows, key=lambda row: int(row["id"]))
    if known and is_sqlite:
        session.execute(delete(SearchEntry).where(SearchEntry.id.in_([row["id"] for row in rows])))
    elif known:
        # An edit and the walk behind may write one entry at the same moment.
        fresh = postgresql.insert(SearchEntry)
        kept = {name: fresh.excluded[name] for name in ("names", "words", "extra", "vector")}
        session.execute(fresh.on_conflict_do_update(index_elements=["id"], set_=kept), rows)
        return
    insert_rows(session, SearchEntry, rows)


def run_index(database: Database) -> int:
    """Gives entries to what has none yet, newest first, and learns which words are in use; returns how many rows.

    What comes in meanwhile is indexed by its own transaction, so that the walk goes down only. Its place is kept in
    a setting: a kill costs one batch.
    """
    done = 0
    with database.read.begin() as session:
        if _is_complete(session):
            return 0
    with database.write.begin() as session:
        state = _open_state(session)
    for kind in _KINDS:
        while state.get(kind) != 0:
            with database.write.begin() as session:
                count, state = _fill(session, kind)
            done += count
    while True:
        with database.write.begin() as session:
            count = _learn(session)
        if not count:
            return done
        done += count


def _is_complete(session: Session) -> bool:
    state = session.scalar(select(Setting.value).where(Setting.name == SEARCH_STATE)) or {}
    walked = state.get("rules") == RULES and all(state.get(kind) == 0 for kind in _KINDS)
    return walked and (session.scalar(select(func.max(Message.id))) or 0) <= int(state["learned"])


def _open_state(session: Session) -> dict[str, Any]:
    row = session.scalar(select(Setting).where(Setting.name == SEARCH_STATE))
    if row is not None and row.value.get("rules") == RULES:
        return dict(row.value)
    # Kinds without a number have not begun; 0 says that the walk has reached the oldest.
    state: dict[str, Any] = {"rules": RULES, "learned": 0}
    if row is None:
        session.add(Setting(name=SEARCH_STATE, value=state))
    else:
        row.value = state
    return state


def _fill(session: Session, kind: str) -> tuple[int, dict[str, Any]]:
    """One batch of ``kind`` below the last; returns how many and where it stands now."""
    setting = session.scalars(select(Setting).where(Setting.name == SEARCH_STATE).with_for_update()).one()
    below = setting.value.get(kind)
    if kind == "message":
        messages = list(session.scalars(_below(select(Message), Message.id, below)))
        index_messages(session, messages, known=True)
        ids = [message.id for message in messages]
    else:
        notes = list(session.scalars(_below(select(Note), Note.id, below)))
        for note in notes:
            index_note(session, note)
        ids = [note.id for note in notes]
    setting.value = {**setting.value, kind: ids[-1] if len(ids) == BATCH else 0}
    return len(ids), dict(setting.value)


def _below(query: Any, column: Any, below: int | None) -> Any:
    return (query if below is None else query.where(column < below)).order_by(column.desc()).limit(BATCH)


def _learn(session: Session) -> int:
    """Words of the next messages by number; only this job writes them, so that no two transactions cross."""
    setting = session.scalars(select(Setting).where(Setting.name == SEARCH_STATE).with_for_update()).one()
    last = int(setting.value.get("learned", 0))
    rows = list(
        session.execute(select(Message.id, Message.text).where(Message.id > last).order_by(Message.id).limit(BATCH))
    )
    if not rows:
        return 0
    _keep_words(session, {word for row in rows for word in index(row.text).words})
    setting.value = {**setting.value, "learned": rows[-1].id}
    return len(rows)


def _keep_words(session: Session, words: Iterable[str]) -> None:
    worth = [{"word": word} for word in sorted(words) if word.isalpha() and 3 <= len(word) <= 40]
    if worth:
        if session.get_bind().dialect.name == "sqlite":
            session.execute(sqlite.insert(SearchLemma).on_conflict_do_nothing(), worth)
        else:
            session.execute(postgresql.insert(SearchLemma).on_conflict_do_nothing(), worth)
