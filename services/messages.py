"""Messages as rows: stored once whatever the platform repeats, edits as versions, deletions by full listings."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from collectors import channel_class
from collectors.base import Attachment as IncomingFile
from collectors.base import Incoming, Person, SourceState
from collectors.base import Publication as IncomingPublication
from models import Act, Attachment, Author, Message, Publication, RawItem, TextVersion, utc_now
from services.broadcasts.places import is_on_air, publications_on_air
from services.cases import admit, hold_matters
from services.columns import among, insertion, rows_given
from services.crm.arrivals import note_arrivals
from services.crm.forgetting import ERASED, hidden_id
from services.events import record
from services.leases import hold_cases, insert_missing, keep_order
from services.named import by_names, names_given
from services.outcomes import join_own, mark_removed, match_own
from services.rights import DESK
from services.search_index import index_messages, rename_author

CHAT = frozenset({"live", "chat"})
"""``work`` of what is said in a broadcast: before it was looked at, and after."""
_MESSAGES = cast(Table, Message.__table__)
_KNOWN = by_names(_MESSAGES, (_MESSAGES.c.container, _MESSAGES.c.external_id), _MESSAGES.c.id)
_PERSON = ("platform", "external_id")
_PUBLICATION_FIELDS = ("kind", "title", "text", "url", "picture", "published_at")


def store_messages(
    session: Session,
    source_id: int,
    platform: str,
    incoming: Sequence[Incoming],
    publications: Sequence[IncomingPublication] = (),
) -> None:
    """Writes what was understood: authors, publications, messages, versions; opens or joins cases."""
    latest = {(item.container, item.external_id): item for item in incoming}
    items = list(latest.values())
    final = channel_class(platform).can.removal_is_final
    if any(item.quiet for item in items) or is_on_air(session, source_id):
        keep_order(session)
    authors = _store_authors(session, platform, [item.author for item in items if item.author is not None])
    places = _store_publications(session, source_id, items, publications)
    known = _known_messages(session, source_id, latest)
    on_air = publications_on_air(session, source_id)
    fresh, edited, now = [], [], utc_now()
    for item in items:
        row = known.get((item.container, item.external_id))
        if row is None:
            fresh.append(_row(source_id, item, authors, places, on_air, now))
        elif _update_message(session, row, item, final=final):
            edited.append(row)
    index_messages(session, edited, known=True)
    if fresh:
        _meet_again(fresh, items, authors)
        edited += _insert_messages(session, fresh, items)
    note_arrivals(session, source_id, platform, edited)


def _known_messages(
    session: Session, source_id: int, names: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Message]:
    if not names:
        return {}
    statement = _KNOWN[session.get_bind().dialect.name]
    ids = session.execute(statement, names_given(session, source_id, names)).scalars().all()
    # Held in the order in which labelling takes them: some of them were edited.
    held = select(Message).where(Message.id.in_(ids)).order_by(Message.id).with_for_update(key_share=True)
    rows = session.scalars(held) if ids else ()
    return {(row.container, row.external_id): row for row in rows}


def mark_absent(
    session: Session,
    source_id: int,
    listed: Mapping[str, frozenset[str]],
    *,
    since: datetime,
    own_too: bool = True,
) -> int:
    """Marks as deleted what a complete listing of its container lacks; returns how many.

    What was stored after ``since``, the begin of the walk, may be younger than the listing and stays. ``own_too``
    False leaves our own messages out, where the channel cannot list them reliably.
    """
    total = 0
    for container, present in listed.items():
        standing = session.scalars(
            select(Message).where(
                Message.source_id == source_id, Message.container == container,
                Message.state != SourceState.DELETED.value, Message.ingested_at < since,
            )
        )  # fmt: skip
        gone = [
            message
            for message in standing
            if message.external_id not in present and (own_too or message.direction == "in")
        ]
        _hold_gone(session, gone)
        for message in gone:
            _delete(session, message)
        _forget_digests(session, source_id, container, [message.external_id for message in gone])
        total += len(gone)
    return total


def _hold_gone(session: Session, gone: Sequence[Message]) -> None:
    """In the order of everybody: messages, acts, cases."""
    if gone:
        ids = [message.id for message in gone]
        session.execute(
            select(Message.id).where(Message.id.in_(ids)).order_by(Message.id).with_for_update(key_share=True)
        )
    acts = [message.act_id for message in gone if message.act_id is not None]
    if acts:
        own = session.scalars(select(Act).where(Act.id.in_(acts)).order_by(Act.id).with_for_update())
        hold_cases(session, {act.case_id for act in own if act.case_id is not None})


def _forget_digests(session: Session, source_id: int, container: str, ids: Sequence[str]) -> None:
    """The platform may put back what it took away: then it is read anew, although nothing in it differs."""
    for start in range(0, len(ids), 500):
        session.execute(
            update(RawItem)
            .where(RawItem.source_id == source_id, RawItem.container == container)
            .where(RawItem.external_id.in_(ids[start : start + 500]))
            .values(digest="")
        )


def _insert_messages(session: Session, rows: list[dict[str, Any]], items: Sequence[Incoming]) -> list[Message]:
    files = {(item.container, item.external_id): item.attachments for item in items if item.attachments}
    kept = insertion(session.get_bind().dialect.name, Message, tuple(rows[0])).returning(Message)
    messages = list(session.scalars(kept, rows_given(session, rows)))
    for message in messages:
        for file in files.get((message.container, message.external_id), ()):
            session.add(_file(message.id, file))
    index_messages(session, messages)
    theirs = [message for message in messages if message.direction == "in"]
    own = match_own(session, [message for message in messages if message.direction == "out"])
    answered = {act.case_id for act in own.values() if act is not None and act.case_id is not None}
    if answered:  # they change too: all at once, with those that are joined below
        hold_matters(session, [message for message in theirs if message.work == "received"], answered)
    join_own(session, own)
    admit(session, theirs)
    said = sum(message.work in CHAT for message in messages)
    if said:
        record(session, "broadcast.said", DESK, object_id=messages[0].source_id, count=said)
    return messages


def _file(message_id: int, file: IncomingFile) -> Attachment:
    return Attachment(
        message_id=message_id, kind=file.kind, name=file.name[:255], url=file.url, content_type=file.content_type,
        content=file.content, size=None if file.content is None else len(file.content),
    )  # fmt: skip


def _row(
    source_id: int,
    item: Incoming,
    authors: Mapping[str, Author],
    places: Mapping[str, int],
    on_air: Collection[int],
    now: datetime,
) -> dict[str, Any]:
    author = authors.get(item.author.external_id) if item.author else None
    place = item.publication.external_id if item.publication else item.publication_external_id
    deleted = item.state is SourceState.DELETED
    return {
        "source_id": source_id,
        "container": item.container,
        "external_id": item.external_id,
        "parent_external_id": item.parent_external_id,
        "thread": item.thread or item.parent_external_id or item.external_id,
        "publication_id": places.get(place) if place else None,
        "author_id": author.id if author else None,
        "direction": "out" if item.author is not None and item.author.is_us else "in",
        "visibility": item.visibility.value,
        "state": item.state.value,
        "work": _work(item, bool(place) and places.get(str(place)) in on_air),
        "subject": item.subject,
        "text": item.text,
        "url": item.url,
        "automatic": item.automatic,
        "context": dict(item.context),
        "published_at": item.published_at,
        "edited_at": item.edited_at,
        "deleted_at": now if deleted else None,
        "ingested_at": now,
        "versions": 1,
    }


def _work(item: Incoming, on_air: bool) -> str:
    """What is said in a broadcast waits for the broadcast's own look, see services.broadcasts.lifting."""
    is_gone = item.state is SourceState.DELETED
    if item.quiet or on_air:
        return "chat" if is_gone else "live"
    return "rest" if is_gone else "received"


def _update_message(session: Session, row: Message, item: Incoming, *, final: bool) -> bool:
    """Brings a known message up to date: an edit is a version, never a second case (domain.md §6.1).

    True when the text is another one now.
    """
    if ERASED in row.context:
        return False  # the person asked to be forgotten; the platform may still show it
    if item.state is SourceState.DELETED:
        _delete(session, row)
        return False  # a placeholder has no text: what was written stays readable
    if row.state == SourceState.DELETED.value and final:
        row.text = row.text or item.text  # the event of the removal came before that of the making (F9)
        return False
    if row.edited_at is not None and (item.edited_at or item.published_at) < row.edited_at:
        return False  # a late event may still carry the text from before the edit (F9)
    if row.state != item.state.value:
        record(session, "message.state", DESK, case_id=row.case_id, object_id=row.id, old=row.state, new=item.state)
        row.state, row.deleted_at = item.state.value, None
    is_edited = row.text != item.text
    if is_edited:
        session.add(
            TextVersion(
                message_id=row.id, number=row.versions, text=row.text, stood_until=item.edited_at or utc_now()
            )
        )
        row.versions += 1
        row.text = item.text
        record(session, "message.edited", DESK, case_id=row.case_id, object_id=row.id, version=row.versions)
        if row.direction == "in":
            row.work = "live" if row.work in CHAT else "received"  # the label must be given anew
    row.edited_at = item.edited_at or row.edited_at
    row.url = item.url or row.url
    row.context = dict(item.context) or row.context
    row.thread = item.thread or row.thread
    return is_edited


def _delete(session: Session, row: Message) -> None:
    if row.state == SourceState.DELETED.value:
        return
    record(session, "message.deleted", DESK, case_id=row.case_id, object_id=row.id)
    row.state, row.deleted_at = SourceState.DELETED.value, utc_now()
    if row.act_id is not None:
        mark_removed(session, session.get_one(Act, row.act_id))


def _store_authors(session: Session, platform: str, people: Sequence[Person]) -> dict[str, Author]:
    latest = {person.external_id: person for person in people}
    hidden = {hidden_id(platform, key): key for key in latest}
    known = {
        hidden.get(row.external_id, row.external_id): row
        for row in session.scalars(
            select(Author).where(
                Author.platform == platform, among(session, Author.external_id, [*latest, *hidden])
            )
        )
    }
    fresh = [
        {"platform": platform, "external_id": key, "name": person.name, "is_us": person.is_us}
        for key, person in latest.items()
        if key not in known
    ]
    if fresh:
        # One person may write at two places of a platform that are read at the same moment.
        insert_missing(session, Author, sorted(fresh, key=lambda row: str(row["external_id"])), *_PERSON)
        keys = [row["external_id"] for row in fresh]
        made = select(Author).where(Author.platform == platform, among(session, Author.external_id, keys))
        known.update((row.external_id, row) for row in session.scalars(made))
    renamed = []
    for key, person in latest.items():
        row = known[key]
        if row.hidden_at is not None:
            continue  # shown on a page that is read again; whoever writes anew is met anew, see _meet_again
        if person.name and person.name != row.name:
            renamed.append(row)
        told = {"name": person.name or row.name, "is_us": person.is_us, "url": person.url or row.url,
                "picture": person.picture or row.picture}  # fmt: skip
        for name, value in told.items():
            if getattr(row, name) != value:  # what is set counts as changed for all who listen
                setattr(row, name, value)
    session.flush()
    for row in renamed:
        rename_author(session, row.id)
    return known


def _meet_again(
    fresh: Sequence[Mapping[str, Any]], items: Sequence[Incoming], authors: Mapping[str, Author]
) -> None:
    """An author who was put out and writes anew has a name again; what was put out stays so."""
    new = {(row["container"], row["external_id"]) for row in fresh}
    for item in items:
        author = authors.get(item.author.external_id) if item.author else None
        is_new = (item.container, item.external_id) in new
        if is_new and author is not None and author.hidden_at is not None and item.author is not None:
            author.external_id, author.name = item.author.external_id, item.author.name
            author.url, author.hidden_at = item.author.url, None


def _store_publications(
    session: Session, source_id: int, items: Sequence[Incoming], described: Sequence[IncomingPublication]
) -> dict[str, int]:
    """external id → key; a publication that is only named so far gets a row without a title."""
    named: dict[str, IncomingPublication | None] = {
        item.publication_external_id: None for item in items if item.publication_external_id
    }
    full = {item.publication.external_id: item.publication for item in items if item.publication}
    named.update(full)
    named.update({publication.external_id: publication for publication in described})
    known = {
        row.external_id: row
        for row in session.scalars(
            select(Publication).where(
                Publication.source_id == source_id, among(session, Publication.external_id, named)
            )
        )
    }
    for key, publication in named.items():
        row = known.get(key)
        if row is None:
            row = known[key] = Publication(source_id=source_id, external_id=key, kind="post", title="")
            session.add(row)
        if publication is not None:
            for name in _PUBLICATION_FIELDS:
                value = getattr(publication, name)
                if value not in (None, "") and getattr(row, name) != value:
                    setattr(row, name, value)
    session.flush()
    return {key: row.id for key, row in known.items()}
