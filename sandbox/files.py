"""Files on the sandbox's platforms: uploaded, hung on a message, shown to whoever looks at the page."""

import hashlib
from dataclasses import dataclass
from io import BytesIO

from flask import Blueprint, Response, abort, send_file
from werkzeug.datastructures import FileStorage

from sandbox.ground import store
from sandbox.store import Item

wire = Blueprint("files", __name__, url_prefix="/files")
SHOWN = ("image/jpeg", "image/png")


@dataclass(frozen=True, slots=True)
class File:
    """``seq`` is the message that it hangs on, None while it is only uploaded."""

    id: int
    seq: int | None
    kind: str
    name: str
    content_type: str
    size: int
    digest: str

    @property
    def is_picture(self) -> bool:
        return self.content_type in SHOWN


def keep(kind: str, sent: FileStorage) -> int:
    """Takes an uploaded file; returns its number."""
    content = sent.read()
    sql = "INSERT INTO files (seq, kind, name, content_type, digest, content) VALUES (NULL, ?, ?, ?, ?, ?)"
    digest = hashlib.sha256(content).hexdigest()
    store().execute(sql, (kind, sent.filename or "file", sent.mimetype, digest, content))
    return int(store().scalar("SELECT max(id) FROM files"))


def hang(item: Item, ids: list[int]) -> None:
    """Hangs uploaded files on a message."""
    for id_ in ids:
        store().execute("UPDATE files SET seq = ? WHERE id = ? AND seq IS NULL", (item.seq, id_))


def files_of(item: Item) -> list[File]:
    sql = "SELECT id, seq, kind, name, content_type, length(content) AS size, digest FROM files WHERE seq = ?"
    return [File(**dict(row)) for row in store().rows(f"{sql} ORDER BY id", (item.seq,))]


@wire.get("/<int:id_>")
def show(id_: int) -> Response:
    rows = store().rows("SELECT name, content_type, content FROM files WHERE id = ?", (id_,))
    if not rows:
        abort(404)
    name, kind, content = rows[0]
    answer = send_file(BytesIO(content), mimetype=kind, as_attachment=kind not in SHOWN, download_name=name)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
