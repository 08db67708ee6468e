"""Files by their hash: stored once, never changed."""

import hashlib

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from models import StoredFile, utc_now
from services.errors import NotFound
from services.leases import insert_missing

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = "application/pdf"


def get_file(session: Session, file_id: int) -> StoredFile:
    """The file with its bytes; raises NotFound, and also when the bytes are not those that were stored."""
    file = session.get(StoredFile, file_id, options=[undefer(StoredFile.content)])
    if file is None or hashlib.sha256(file.content).hexdigest() != file.hash:
        raise NotFound("file.unknown", id=file_id)
    return file


def store_file(session: Session, content: bytes, media: str) -> StoredFile:
    """The row for these bytes; the same bytes are one row."""
    digest = hashlib.sha256(content).hexdigest()
    insert_missing(
        session,
        StoredFile,
        [{"hash": digest, "media": media, "size": len(content), "content": content, "created_at": utc_now()}],
        "hash",
    )
    return session.scalars(select(StoredFile).where(StoredFile.hash == digest)).one()
