"""Files that go out with a reply: beside the draft, known by their content, held to what the platform takes."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session, undefer

from collectors import channel_class
from collectors.base import ActKind, ChannelError
from collectors.files import KINDS, ActFile, FileLimits
from models import Act, Case, Draft, Message, ReplyFile, Source, utc_now
from models.database import Database
from services.carriers import carrier_of
from services.cases import get_case, newest_incoming
from services.errors import NotFound, Refused
from services.events import record
from services.file_forms import content_type_of, ending_of, plain_name
from services.rights import DESK, Actor, require

LARGEST = 20 * 1024 * 1024
ABANDONED = timedelta(days=7)
"""So long a file waits beside a draft that nobody writes on."""
PIECE = 100
# What goes out: content → (kind, endings, the first by default).
_FORMS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "image/jpeg": ("photo", ("jpg", "jpeg")), "image/png": ("photo", ("png",)), "image/gif": ("photo", ("gif",)),
    "image/webp": ("photo", ("webp",)), "audio/mp4": ("audio", ("m4a",)), "audio/mpeg": ("audio", ("mp3",)),
    "audio/ogg": ("audio", ("ogg", "oga")), "audio/wav": ("audio", ("wav",)),
    "video/mp4": ("video", ("mp4", "mov", "m4v")), "application/pdf": ("document", ("pdf",)),
}  # fmt: skip
_OFFICE = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
_PLAIN = {"txt": "text/plain", "csv": "text/csv"}
ENDINGS = tuple(sorted({*(ending for _kind, endings in _FORMS.values() for ending in endings), *_OFFICE, *_PLAIN}))
"""What may be added at all; whether a platform takes it is another question."""


def limits_of(source: Source, *, public: bool) -> FileLimits | None:
    """What goes with a text by this place; None: nothing does."""
    limits = channel_class(source.platform).can.files
    return None if limits is None or (limits.private_only and public) else limits


def form_of(name: str, content: bytes) -> tuple[str, str, str] | None:
    """(kind, content type, ending) by the first bytes; None for what is not sent to anybody."""
    ending, found = ending_of(name), content_type_of(content)
    if found is not None and found in _FORMS:
        kind, endings = _FORMS[found]
        return kind, found, ending if ending in endings else endings[0]
    if found == "application/zip" and ending in _OFFICE:
        return "document", _OFFICE[ending], ending
    if found is None and ending in _PLAIN and content and b"\0" not in content:
        return "document", _PLAIN[ending], ending
    return None


def files_beside(session: Session, actor: Actor, case_id: int) -> list[ReplyFile]:
    """What this person has added to the reply that they are writing, without the content."""
    mine = select(ReplyFile).where(
        ReplyFile.case_id == case_id, ReplyFile.staff_id == actor.staff_id, ReplyFile.reply_id.is_(None)
    )
    return list(session.scalars(mine.order_by(ReplyFile.id)))


def files_of(session: Session, reply_ids: Collection[int]) -> dict[int, list[ReplyFile]]:
    """Reply → its files, without the content."""
    found: dict[int, list[ReplyFile]] = {}
    rows = select(ReplyFile).where(ReplyFile.reply_id.in_(reply_ids)).order_by(ReplyFile.id)
    for row in session.scalars(rows) if reply_ids else ():
        found.setdefault(row.reply_id or 0, []).append(row)
    return found


def add_file(session: Session, actor: Actor, case_id: int, name: str, content: bytes) -> ReplyFile:
    """Keeps a file beside the draft; the same one once. Raises Refused for what the platform would not take."""
    require(actor, "case.reply")
    case = get_case(session, actor, case_id, hold=True)
    form = form_of(name, content)
    if form is None:
        raise Refused("file.type", endings=", ".join(ENDINGS))
    kind, content_type, ending = form
    digest = hashlib.sha256(content).hexdigest()
    beside = files_beside(session, actor, case.id)
    known = next((row for row in beside if row.digest == digest), None)
    if known is not None:
        return known
    row = ReplyFile(
        case_id=case.id, staff_id=actor.staff_id, kind=kind, name=plain_name(name, ending, "file"),
        content_type=content_type,
        size=len(content), digest=digest, content=content,
    )  # fmt: skip
    source, public = _goes_by(session, case)
    check_files(source, [*beside, row], public=public)
    session.add(row)
    session.flush()
    return row


def _goes_by(session: Session, case: Case) -> tuple[Source, bool]:
    """The place by which a reply would go, and whether everybody would read it."""
    message: Message | None = newest_incoming(session, case.id)
    source = session.get_one(Source, message.source_id if message else case.source_id)
    carrier = carrier_of(session, source, message) if message else None
    return carrier or source, (message.visibility if message else case.visibility) == "public"


def check_files(source: Source, files: Sequence[ReplyFile], *, public: bool) -> None:
    """Raises Refused where the place does not take these files."""
    if not files:
        return
    limits = limits_of(source, public=public)
    if limits is None:
        raise Refused("file.none", platform=source.platform)
    if len(files) > limits.most:
        raise Refused("file.many", most=limits.most)
    for row in files:
        if row.kind not in limits.largest:
            raise Refused("file.kind", kinds=[kind for kind in KINDS if kind in limits.largest])
        if row.size > min(limits.largest[row.kind], LARGEST):
            raise Refused("file.large", most=min(limits.largest[row.kind], LARGEST) // 1_048_576)
    if limits.together is not None and sum(row.size for row in files) > limits.together:
        raise Refused("file.large", most=limits.together // 1_048_576)


def take_files(session: Session, actor: Actor, case_id: int, ids: Collection[int]) -> list[ReplyFile]:
    """Those of one's own files that the form names; raises NotFound for one that is not there any more."""
    beside = {row.id: row for row in files_beside(session, actor, case_id)}
    if set(ids) - set(beside):
        raise NotFound("file.unknown")
    return [row for row in beside.values() if row.id in ids]


def named(files: Sequence[ReplyFile]) -> list[dict[str, object]]:
    """The files as an act's row names them."""
    fields = ("kind", "name", "content_type", "digest", "size")
    return [{name: getattr(row, name) for name in fields} for row in files]


def drop_file(session: Session, actor: Actor, file_id: int) -> None:
    """Takes out a file that was not sent; one that is gone already is no error."""
    require(actor, "case.reply")
    row = session.get(ReplyFile, file_id)
    if row is not None and row.staff_id == actor.staff_id and row.reply_id is None:
        session.delete(row)


def give_back(session: Session, reply_id: int) -> None:
    """A reply that was taken back leaves its files beside the draft again."""
    session.execute(update(ReplyFile).where(ReplyFile.reply_id == reply_id).values(reply_id=None))


def file_shown(session: Session, actor: Actor, case_id: int, file_id: int) -> ReplyFile:
    """A file with its content, for whoever sees the case; one of a draft only for who added it."""
    get_case(session, actor, case_id)
    row = session.get(ReplyFile, file_id, options=[undefer(ReplyFile.content)])
    if row is None or row.case_id != case_id or (row.reply_id is None and row.staff_id != actor.staff_id):
        raise NotFound("file.unknown", id=file_id)
    return row


def contents_of(session: Session, act: Act) -> tuple[ActFile, ...]:
    """What an act carries, with its bytes; raises ChannelError where a file is not there any more.

    An edit names the files that stand beside the text already: it sends none.
    """
    files = tuple(ActFile(**one) for one in act.files)
    if not files or act.kind not in (ActKind.REPLY, ActKind.MESSAGE):
        return files
    rows = session.execute(select(ReplyFile.digest, ReplyFile.content).where(ReplyFile.reply_id == act.reply_id))
    bytes_of = {row[0]: row[1] for row in rows}
    if any(file.digest not in bytes_of for file in files):
        raise ChannelError("a file of the reply is gone", code="invalid", permanent=True)
    return tuple(
        ActFile(file.kind, file.name, file.content_type, file.digest, file.size, bytes_of[file.digest])
        for file in files
    )


def run_clear_files(database: Database, now: datetime | None = None) -> int:
    """Takes away files that were added and never sent, once their draft has lain still for a week; how many."""
    before, count = (now or utc_now()) - ABANDONED, 0
    written = exists().where(
        Draft.case_id == ReplyFile.case_id, Draft.staff_id == ReplyFile.staff_id, Draft.updated_at >= before
    )
    old = select(ReplyFile.id).where(ReplyFile.reply_id.is_(None), ReplyFile.created_at < before, ~written)
    while True:
        with database.write.begin() as session:
            ids = list(session.scalars(old.order_by(ReplyFile.id).limit(PIECE)))
            if ids:
                session.execute(delete(ReplyFile).where(ReplyFile.id.in_(ids)))
                record(session, "files.cleared", DESK, count=len(ids))
        count += len(ids)
        if len(ids) < PIECE:
            return count
