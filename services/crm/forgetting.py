"""How a person is put out of what they wrote: rows and counts stay, names, contacts and words go."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, text, update
from sqlalchemy.orm import Session

from models import (
    Act,
    Attachment,
    Author,
    Case,
    Draft,
    Excerpt,
    Label,
    Message,
    MessageBand,
    Note,
    Outreach,
    Publication,
    RawItem,
    Reply,
    ReplyFile,
    Review,
    Route,
    RouteFile,
    RouteLine,
    Satisfaction,
    SearchEntry,
    SearchLemma,
    TextVersion,
    utc_now,
)
from services.lemmas import index, is_known
from services.raw_ties import raws_of

ERASED = "erased"
"""Key of ``Message.context`` and beginning of whatever stands in place of an id that told who it was."""
PIECE = 400


def hidden_id(platform: str, external_id: str) -> str:
    """What stands for an account once it is put out: it tells the same account again, and nobody who it is."""
    if external_id.startswith(f"{ERASED}:"):
        return external_id
    return f"{ERASED}:{hashlib.sha256(f'{platform}:{external_id}'.encode()).hexdigest()[:32]}"


def hide_author(session: Session, author: Author) -> None:
    """Name, address and id go; what they wrote stays under a number."""
    author.external_id = hidden_id(author.platform, author.external_id)
    author.name, author.url, author.picture = f"№{author.id}", None, None
    author.hidden_at = author.hidden_at or utc_now()


def forget_words(session: Session, authors: Sequence[int]) -> dict[str, int]:
    """Everything these authors wrote and what was written about it; category → rows."""
    if not authors:
        return {}
    cases = list(session.scalars(select(Case.id).where(Case.author_id.in_(authors))))
    mine = select(Message).where(or_(Message.author_id.in_(authors), Message.case_id.in_(cases)))
    messages = list(session.scalars(mine))
    names = list(session.scalars(select(Author.name).where(Author.id.in_(authors))))
    _forget_lemmas(session, [*names, *(one.text for one in messages), *(one.subject or "" for one in messages)])
    counts = {"messages": len(messages), "cases": len(cases)}
    counts["raw"] = _forget_raws(session, messages)
    ids = [one.id for one in messages]
    places = {one.publication_id for one in messages if one.visibility == "private"} - {None}
    for part in _pieces(ids):
        session.execute(update(TextVersion).where(TextVersion.message_id.in_(part)).values(text=""))
        session.execute(delete(MessageBand).where(MessageBand.message_id.in_(part)))
        session.execute(update(Label).where(Label.message_id.in_(part)).values(why=[]))
        gone: dict[str, Any] = {"name": "", "url": None, "content": None, "content_type": None, "size": None}
        session.execute(update(Attachment).where(Attachment.message_id.in_(part)).values(**gone))
    _forget_entries(session, "message", ids)
    for message in messages:
        _blank(message)
    for part in _pieces(cases):
        _forget_cases(session, part)
    for place in session.scalars(select(Publication).where(Publication.id.in_(places))):
        place.title, place.text, place.url, place.picture = "", "", None, None
        place.external_id = f"{ERASED}:{place.id}"
    session.flush()
    return counts


def _blank(message: Message) -> None:
    message.text, message.subject, message.url = "", None, None
    message.context = {ERASED: True}
    if message.visibility == "private":
        # The place of a dialogue is the person's own number or address; nothing there is walked a second time.
        message.container = f"{ERASED}:{message.id}"
        message.thread, message.parent_external_id = f"{ERASED}:{message.id}", None


def _forget_cases(session: Session, cases: Sequence[int]) -> None:
    notes = list(session.scalars(select(Note.id).where(Note.case_id.in_(cases))))
    _forget_entries(session, "note", notes)
    session.execute(update(Note).where(Note.case_id.in_(cases)).values(text=""))
    session.execute(update(Reply).where(Reply.case_id.in_(cases)).values(text="", verdict_note=None, overrides={}))
    gone: dict[str, Any] = {"text": "", "target": {}, "files": [], "url": None, "error_text": None}
    session.execute(update(Act).where(Act.case_id.in_(cases)).values(**gone))
    session.execute(update(Outreach).where(Outreach.case_id.in_(cases)).values(target={}))
    session.execute(update(Excerpt).where(Excerpt.case_id.in_(cases)).values(text=""))
    session.execute(update(Review).where(Review.case_id.in_(cases)).values(note="", skip_reason=""))
    for asked in session.scalars(select(Satisfaction).where(Satisfaction.case_id.in_(cases))):
        asked.line, asked.comment, asked.token_hash = "", "", f"{ERASED}:{asked.id}"
    forget_questions(session, Route.case_id.in_(cases))
    session.execute(delete(ReplyFile).where(ReplyFile.case_id.in_(cases)))
    session.execute(delete(Draft).where(Draft.case_id.in_(cases)))
    for case in session.scalars(select(Case).where(Case.id.in_(cases))):
        if case.visibility == "private":
            case.subject_key = f"{ERASED}:{case.id}"
            case.open_key = case.open_key and case.subject_key


def forget_questions(session: Session, which: ColumnElement[bool]) -> int:
    """What departments were asked and said in ``which`` routes, with its files; returns how many there were."""
    routes = select(Route.id).where(which)
    session.execute(update(RouteLine).where(RouteLine.route_id.in_(routes)).values(text=""))
    session.execute(
        update(RouteFile).where(RouteFile.route_id.in_(routes)).values(name="", content=b"", size=0, digest="")
    )
    done = session.execute(update(Route).where(which).values(question="", answer=None, reason=None))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _forget_raws(session: Session, messages: Sequence[Message]) -> int:
    """Bodies go, digests stay: what the platform still shows is then not stored a second time."""
    count = 0
    for part in _pieces([one.id for one in messages]):
        for raw in session.scalars(select(RawItem).where(RawItem.id.in_(raws_of(part)))):
            raw.body, raw.state, raw.error = b"", "parsed", None
            if raw.container.startswith(("phone:", "mail:")):
                raw.container = f"{ERASED}:{raw.id}"
            count += 1
    return count


def forget_quarantine(session: Session, marks: Iterable[str]) -> int:
    """Raws without a message (not read, or rows of a platform's books) that hold one of ``marks``: contacts or
    account ids of the person."""
    needles = [mark.encode() for mark in marks if len(mark) > 5]
    count = 0
    query = select(RawItem).where(or_(RawItem.state != "parsed", RawItem.container == "export"))
    for raw in session.scalars(query.execution_options(yield_per=PIECE)):
        if any(needle in raw.body for needle in needles):
            raw.body, raw.state, raw.error = b"", "parsed", None
            count += 1
    return count


def _forget_entries(session: Session, kind: str, ids: Sequence[int]) -> None:
    for part in _pieces(ids):
        session.execute(delete(SearchEntry).where(SearchEntry.kind == kind, SearchEntry.object_id.in_(part)))


def _forget_lemmas(session: Session, texts: Sequence[str]) -> None:
    """Words that no dictionary has may be names; whoever else used one teaches it again."""
    words = {word for one in texts if one for word in index(one).words}
    rare = sorted(word for word in words if not is_known(word))
    for start in range(0, len(rare), PIECE):
        session.execute(delete(SearchLemma).where(SearchLemma.word.in_(rare[start : start + PIECE])))


def _pieces(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + PIECE] for start in range(0, len(ids), PIECE))


def scrub(session: Session) -> None:
    """Before an erasure on SQLite: what is deleted is overwritten, in the tables and in the index of search."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("PRAGMA secure_delete = ON"))
        session.execute(text("INSERT INTO search_fts(search_fts, rank) VALUES ('secure-delete', 1)"))
