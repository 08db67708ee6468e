"""Photos, screenshots, documents and voice beside an answer: known by their content, not by their names."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Route, RouteFile
from services.errors import NotFound, Refused
from services.file_forms import content_type_of, ending_of, plain_name
from services.rights import Actor
from services.routing import get_route, sees_inquiry

MOST_BYTES = 10 * 1024 * 1024
MOST_FILES = 6
# What a phone makes of a photo or a voice: content → (kind, type, ending). Recorders write into films' containers.
_FORMS: Mapping[str, tuple[str, str, str]] = {
    "image/jpeg": ("photo", "image/jpeg", "jpg"),
    "image/png": ("photo", "image/png", "png"),
    "image/gif": ("photo", "image/gif", "gif"),
    "image/webp": ("photo", "image/webp", "webp"),
    "image/heic": ("photo", "image/heic", "heic"),
    "audio/mp4": ("voice", "audio/mp4", "m4a"),
    "video/mp4": ("voice", "audio/mp4", "m4a"),
    "audio/3gpp": ("voice", "audio/3gpp", "3gp"),
    "audio/ogg": ("voice", "audio/ogg", "ogg"),
    "audio/mpeg": ("voice", "audio/mpeg", "mp3"),
    "audio/aac": ("voice", "audio/aac", "aac"),
    "audio/wav": ("voice", "audio/wav", "wav"),
    "video/webm": ("voice", "audio/webm", "webm"),
    "audio/amr": ("voice", "audio/amr", "amr"),
    "application/pdf": ("document", "application/pdf", "pdf"),
}
OFFICE = ("docx", "xlsx", "pptx", "odt", "ods")
"""Endings of what offices write: its content is a ZIP, which tells no more."""


@dataclass(frozen=True, slots=True)
class FileIn:
    """A file as it was sent."""

    name: str
    content: bytes


def files_of(session: Session, route_ids: Sequence[int]) -> dict[int, list[RouteFile]]:
    """question → the files beside its answer, oldest first, without their content."""
    found: dict[int, list[RouteFile]] = {}
    if not route_ids:
        return found
    query = select(RouteFile).where(RouteFile.route_id.in_(route_ids)).order_by(RouteFile.id)
    for file in session.scalars(query):
        found.setdefault(file.route_id, []).append(file)
    return found


def answer_file(session: Session, actor: Actor, file_id: int) -> RouteFile:
    """A file for whoever may see its question or its case; its content is loaded."""
    file = session.get(RouteFile, file_id)
    if file is None:
        raise NotFound("file.unknown", id=file_id)
    route = session.get_one(Route, file.route_id)
    is_shown = actor.may("case.view") if route.case_id is not None else sees_inquiry(actor, route)
    if not is_shown:
        get_route(session, actor, file.route_id)
    _ = file.content
    return file


def is_taken(file: FileIn) -> bool:
    """Whether it is a photo, a document or a voice message, by its first bytes."""
    return _form(file) is not None


def _form(file: FileIn) -> tuple[str, str, str] | None:
    kind, ending = content_type_of(file.content) or "", ending_of(file.name)
    if kind == "application/zip" and ending in OFFICE:
        return "document", "application/octet-stream", ending
    return _FORMS.get(kind)


def check_files(files: Sequence[FileIn]) -> None:
    """Raises Refused for one that is too large, or neither photo nor document nor voice."""
    if len(files) > MOST_FILES:
        raise Refused("file.many", most=MOST_FILES)
    for file in files:
        if len(file.content) > MOST_BYTES:
            raise Refused("file.large", most=MOST_BYTES // 1_048_576)
        if not is_taken(file):
            raise Refused("file.form")


def add_files(
    session: Session, actor: Actor, route_id: int, files: Sequence[FileIn], *, asked: bool = False
) -> int:
    """Keeps files beside an answer, with ``asked`` beside the question, the same one once; returns how many there
    are now. Whoever calls has asked whether the actor may."""
    check_files(files)
    route = session.get_one(Route, route_id)
    beside = (RouteFile.route_id == route.id, RouteFile.asked.is_(asked))
    known = set(session.scalars(select(RouteFile.digest).where(*beside)))
    for number, file in enumerate(files, len(known) + 1):
        digest = hashlib.sha256(file.content).hexdigest()
        form = _form(file)
        if digest in known or form is None or actor.staff_id is None:
            continue
        if len(known) >= MOST_FILES:
            raise Refused("file.many", most=MOST_FILES)
        known.add(digest)
        kind, content_type, ending = form
        session.add(
            RouteFile(
                route_id=route.id, staff_id=actor.staff_id, kind=kind, content_type=content_type, digest=digest,
                name=plain_name(file.name, ending, str(number)), size=len(file.content), content=file.content,
                asked=asked,
            )
        )  # fmt: skip
    session.flush()
    return session.scalar(select(func.count()).select_from(RouteFile).where(*beside)) or 0
