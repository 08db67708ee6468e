"""Photos, screenshots and voice beside a department's answer: known by their content, not by their names."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Route, RouteFile
from services.errors import NotFound, Refused
from services.file_forms import content_type_of, plain_name
from services.rights import Actor
from services.routing import get_route

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
}


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
    if not actor.may("case.view"):
        get_route(session, actor, file.route_id)
    _ = file.content
    return file


def is_taken(content: bytes) -> bool:
    """Whether it is a photo or a voice message, by its first bytes."""
    return _form(content) is not None


def _form(content: bytes) -> tuple[str, str, str] | None:
    return _FORMS.get(content_type_of(content) or "")


def check_files(files: Sequence[FileIn]) -> None:
    """Raises Refused for one that is too large or neither photo nor voice."""
    if len(files) > MOST_FILES:
        raise Refused("file.many", most=MOST_FILES)
    for file in files:
        if len(file.content) > MOST_BYTES:
            raise Refused("file.large", most=MOST_BYTES // 1_048_576)
        if not is_taken(file.content):
            raise Refused("file.form")


def add_files(session: Session, actor: Actor, route_id: int, files: Sequence[FileIn]) -> int:
    """Keeps files beside an answer, the same one once; returns how many there are now."""
    check_files(files)
    route = session.get_one(Route, route_id)
    known = set(session.scalars(select(RouteFile.digest).where(RouteFile.route_id == route.id)))
    for number, file in enumerate(files, len(known) + 1):
        digest = hashlib.sha256(file.content).hexdigest()
        form = _form(file.content)
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
            )
        )  # fmt: skip
    session.flush()
    return session.scalar(select(func.count()).select_from(RouteFile).where(RouteFile.route_id == route.id)) or 0
