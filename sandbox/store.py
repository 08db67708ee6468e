"""The truth of the sandbox: what stands on every platform, in one SQLite file that survives any kill."""

import contextlib
import importlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
else:
    # Debian's SQLite stands in the range of the WAL-reset fault (3.7.0 to 3.51.2), the wheel's copy does not.
    try:
        sqlite3 = importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        import sqlite3

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS persons (
  platform TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, handle TEXT NOT NULL, key TEXT,
  banned INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (platform, id));
CREATE TABLE IF NOT EXISTS publications (
  platform TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL, slug TEXT NOT NULL,
  title TEXT NOT NULL, text TEXT NOT NULL, at REAL NOT NULL, open INTEGER NOT NULL, pinned INTEGER NOT NULL,
  thread TEXT, PRIMARY KEY (platform, kind, id));
CREATE TABLE IF NOT EXISTS items (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, platform TEXT NOT NULL, space TEXT NOT NULL, id TEXT NOT NULL,
  kind TEXT NOT NULL, publication TEXT NOT NULL, parent TEXT, root TEXT, author TEXT NOT NULL, text TEXT NOT NULL,
  state TEXT NOT NULL, at REAL NOT NULL, edited REAL, ours INTEGER NOT NULL, label TEXT, key TEXT UNIQUE,
  guid TEXT, likes INTEGER NOT NULL DEFAULT 0, UNIQUE (platform, space, id));
CREATE INDEX IF NOT EXISTS items_by_root ON items (platform, root, at);
CREATE INDEX IF NOT EXISTS items_by_publication ON items (platform, kind, publication, at);
CREATE TABLE IF NOT EXISTS versions (seq INTEGER NOT NULL, text TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS writes (
  n INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, platform TEXT NOT NULL, method TEXT NOT NULL,
  space TEXT NOT NULL, id TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS lives (
  id TEXT PRIMARY KEY, title TEXT NOT NULL, chat TEXT NOT NULL, starts REAL NOT NULL, ends REAL, over REAL);
CREATE TABLE IF NOT EXISTS live_lines (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, chat TEXT NOT NULL, id TEXT NOT NULL UNIQUE, who TEXT NOT NULL,
  name TEXT NOT NULL, text TEXT NOT NULL, at REAL NOT NULL, ours INTEGER NOT NULL, kind TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS live_lines_by_time ON live_lines (chat, at, seq);
CREATE TABLE IF NOT EXISTS files (
  id INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER, kind TEXT NOT NULL, name TEXT NOT NULL,
  content_type TEXT NOT NULL, digest TEXT NOT NULL, content BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS files_by_item ON files (seq);
CREATE TABLE IF NOT EXISTS events (
  platform TEXT NOT NULL, n INTEGER NOT NULL, at REAL NOT NULL, body TEXT NOT NULL, PRIMARY KEY (platform, n));
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Who writes on one platform; ``id`` is the platform's own, for a guest of the blog the e-mail address."""

    platform: str
    id: str
    name: str
    handle: str
    key: str | None = None
    banned: bool = False


@dataclass(frozen=True, slots=True)
class Publication:
    """What people comment on: a video, a post, a photo, or a private dialogue; times in Unix seconds."""

    platform: str
    kind: str
    id: str
    key: str
    slug: str
    title: str
    text: str
    at: float
    open: bool = True
    pinned: bool = False
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A comment or message before the platform has given it an identity."""

    platform: str
    kind: str
    publication: str
    author: str
    text: str
    parent: str | None = None
    at: float | None = None
    state: str = "published"
    ours: bool = False
    label: str | None = None
    key: str | None = None
    guid: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A comment or message as it stands on its platform; ``space`` is the range in which ``id`` is unique there."""

    seq: int
    platform: str
    space: str
    id: str
    kind: str
    publication: str
    parent: str | None
    root: str | None
    author: str
    text: str
    state: str
    at: float
    edited: float | None
    ours: bool
    label: str | None
    key: str | None
    guid: str | None
    likes: int


class Store:
    """One connection behind one lock: a write is on the disk when the ``with`` block of `writing` is left."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self.changed = threading.Condition()
        self.revision = 0
        self.stopping = threading.Event()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def stop(self) -> None:
        """Wakes everybody who waits in a long poll or in a fault, so that the process can end at once."""
        self.stopping.set()
        with self.changed:
            self.changed.notify_all()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction, committed with fsync on leaving; nested blocks belong to the outermost one."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                if outermost:
                    self._db.execute("ROLLBACK")
                raise
            else:
                if outermost:
                    self._db.execute("COMMIT")
            finally:
                self._depth -= 1
        if outermost:
            self.wake()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def scalar(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """The first column of the first row, or None."""
        with self._lock:
            row = self._db.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Runs one statement inside `writing`; returns the number of rows it touched."""
        return int(self._db.execute(sql, values).rowcount)

    # Small named values

    def meta(self, name: str) -> str | None:
        value = self.scalar("SELECT value FROM meta WHERE name = ?", (name,))
        return None if value is None else str(value)

    def set_meta(self, name: str, value: str) -> None:
        self.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def count(self, name: str, step: int = 1, start: int = 0) -> int:
        """Adds ``step`` to a counter and returns its new value; a new counter begins at ``start``."""
        sql = "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + ?"
        self.execute(sql, (name, start + step, step))
        return int(self.scalar("SELECT value FROM counters WHERE name = ?", (name,)))

    # People and publications

    def person(self, platform: str, id_: str) -> Person:
        """The author with this id; an id never seen gives a nameless person, as after a deleted account."""
        rows = self.rows("SELECT * FROM persons WHERE platform = ? AND id = ?", (platform, id_))
        return Person(**_plain(rows[0], "banned")) if rows else Person(platform, id_, "", "")

    def persons(self, platform: str) -> list[Person]:
        rows = self.rows("SELECT * FROM persons WHERE platform = ? ORDER BY name", (platform,))
        return [Person(**_plain(row, "banned")) for row in rows]

    def add_person(self, person: Person) -> None:
        sql = "INSERT OR IGNORE INTO persons VALUES (?, ?, ?, ?, ?, ?)"
        self.execute(sql, (person.platform, person.id, person.name, person.handle, person.key, person.banned))

    def ban(self, platform: str, id_: str, banned: bool) -> None:
        self.execute("UPDATE persons SET banned = ? WHERE platform = ? AND id = ?", (banned, platform, id_))

    def publications(self, platform: str, kind: str | None = None) -> list[Publication]:
        """Newest first."""
        rows = self.rows(
            "SELECT * FROM publications WHERE platform = ? AND (? IS NULL OR kind = ?) ORDER BY at DESC, id DESC",
            (platform, kind, kind),
        )
        return [Publication(**_plain(row, "open", "pinned")) for row in rows]

    def publication(self, platform: str, kind: str, id_: str) -> Publication | None:
        sql = "SELECT * FROM publications WHERE platform = ? AND kind = ? AND id = ?"
        rows = self.rows(sql, (platform, kind, id_))
        return Publication(**_plain(rows[0], "open", "pinned")) if rows else None

    def add_publication(self, publication: Publication) -> None:
        sql = "INSERT OR IGNORE INTO publications VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        names = Publication.__slots__
        self.execute(sql, tuple(getattr(publication, name) for name in names))

    # Items

    def items(self, where: str, values: Sequence[Any], order: str = "at, seq", limit: int = -1) -> list[Item]:
        """Items by a condition written in this package; values only through placeholders."""
        sql = f"SELECT * FROM items WHERE {where} ORDER BY {order} LIMIT ?"  # noqa: S608
        return [Item(**_plain(row, "ours")) for row in self.rows(sql, (*values, limit))]

    def item(self, platform: str, space: str, id_: str) -> Item | None:
        found = self.items("platform = ? AND space = ? AND id = ?", (platform, space, id_))
        return found[0] if found else None

    def add(self, draft: Draft, space: str, id_: str, root: str | None) -> Item:
        """Stores a draft under the identity its platform chose; the caller stands inside `writing`."""
        at = time.time() if draft.at is None else draft.at
        fields = (
            "platform, space, id, kind, publication, parent, root, author, text, state, at, ours, label, key, guid"
        )
        sql = f"INSERT INTO items ({fields}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
        head = (draft.platform, space, id_, draft.kind, draft.publication, draft.parent, root, draft.author)
        tail = (draft.text, draft.state, at, draft.ours, draft.label, draft.key, draft.guid)
        self.execute(sql, head + tail)
        found = self.item(draft.platform, space, id_)
        if found is None:
            raise LookupError(id_)
        return found

    def edit(self, item: Item, text: str) -> Item:
        """A new text; the old one is kept among the versions."""
        now = time.time()
        self.execute("INSERT INTO versions VALUES (?, ?, ?)", (item.seq, item.text, now))
        self.execute("UPDATE items SET text = ?, edited = ? WHERE seq = ?", (text, now, item.seq))
        return self.items("seq = ?", (item.seq,))[0]

    def set_state(self, item: Item, state: str) -> Item:
        self.execute("UPDATE items SET state = ? WHERE seq = ?", (state, item.seq))
        return self.items("seq = ?", (item.seq,))[0]

    def accept(self, method: str, item: Item, text: str | None = None) -> None:
        """Writes one line of the log of accepted writes, in the transaction that carried the write out."""
        sql = "INSERT INTO writes (at, platform, method, space, id, text) VALUES (?, ?, ?, ?, ?, ?)"
        kept = item.text if text is None else text
        self.execute(sql, (time.time(), item.platform, method, item.space, item.id, kept))

    # Events that wait to be fetched

    def push(self, platform: str, body: dict[str, Any], start: int = 0) -> None:
        """Numbers an event by one more than the platform's last one; the first is ``start`` + 1."""
        n = self.count(f"{platform}:event", 1, start)
        sql = "INSERT INTO events (platform, n, at, body) VALUES (?, ?, ?, ?)"
        self.execute(sql, (platform, n, time.time(), json.dumps(body, ensure_ascii=False)))

    def events(self, platform: str, after: int, limit: int = -1) -> list[tuple[int, dict[str, Any]]]:
        sql = "SELECT n, body FROM events WHERE platform = ? AND n > ? ORDER BY n LIMIT ?"
        return [(int(row["n"]), json.loads(row["body"])) for row in self.rows(sql, (platform, after, limit))]

    def wake(self) -> None:
        """Lets everybody who waits look again."""
        with self.changed:
            self.revision += 1
            self.changed.notify_all()

    def wait(self, revision: int, seconds: float) -> None:
        """Sleeps until something was written after ``revision``, the process stops, or the seconds are over."""
        with self.changed:
            if self.revision == revision and not self.stopping.is_set():
                self.changed.wait(max(0.0, seconds))


def _plain(row: Any, *flags: str) -> dict[str, Any]:
    fields = dict(row)
    for flag in flags:
        fields[flag] = bool(fields[flag])
    return fields
