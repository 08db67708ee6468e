"""What the inbox shows: pages of cases by key, counters by index, one case with all that stands around it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import func, select, union
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from models import (
    Act,
    Attachment,
    Author,
    Base,
    Case,
    Department,
    Event,
    Label,
    Message,
    Note,
    Outreach,
    Publication,
    Reply,
    Route,
    Signal,
    Snooze,
    Source,
    Staff,
    Tag,
    TextVersion,
)
from services.cases import get_case
from services.counters import MOST_COUNTED
from services.errors import NotFound
from services.events import history_of
from services.excerpts import MARK, excerpts_of, message_of
from services.filters import Filters, branches, narrowed
from services.findings import signals_of, standing_signals, wave_sizes
from services.kinds import themes_among
from services.labelling import counting_among, label_rows, reasons_among
from services.order import OTHERS, Place, ids_in_lanes, in_order, parse_place, place_of, walk
from services.presence import drafts_of
from services.rights import DESK, Actor, require
from services.route_states import OWED
from services.routing import routes_of
from services.tags import tags_of

T = TypeVar("T", bound=Base)
PAGE = 30
SAID_BEFORE = 10
OPEN_STAGES = ("new", "work", "wait")
KINDS = ("question", "complaint", "wish", "unsure")
"""The inbox opens on Вопросы · Жалобы · Пожелания · Вид не определён (day.md §1.1)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    case: Case
    text: str
    author: str
    publication: str
    platform: str
    source_title: str
    assignee: str | None
    departments: tuple[str, ...] = ()
    snooze: Snooze | None = None
    drafts: tuple[tuple[int, str], ...] = ()  # (staff id, name) of those with an unsent one
    signals: tuple[Signal, ...] = ()
    copies: int = 0  # open cases of its wave, itself among them
    tags: tuple[Tag, ...] = ()

    @property
    def is_ours(self) -> bool:
        """We wrote first, and nobody has answered yet."""
        return self.case.first_message_id is None


@dataclass(frozen=True, slots=True)
class CasePage:
    rows: tuple[Row, ...]
    after: str | None  # the key of the next page


@dataclass(frozen=True, slots=True)
class Entry:
    """A message of the thread with what is known of it; ``act`` where it is ours."""

    message: Message
    author: Author | None
    label: Label | None
    versions: tuple[TextVersion, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    act: Act | None = None
    staff: str | None = None


@dataclass(frozen=True, slots=True)
class Sending:
    """A reply of ours that does not stand in the thread yet."""

    reply: Reply
    act: Act
    staff: str | None


@dataclass(frozen=True, slots=True)
class CaseView:
    """All that the case page shows."""

    case: Case
    source: Source
    author: Author | None
    publication: Publication | None
    thread: tuple[Entry, ...]
    sendings: tuple[Sending, ...]
    acts: tuple[Act, ...]
    routes: tuple[tuple[Route, Department, str | None], ...]
    notes: tuple[tuple[Note, str], ...]
    history: tuple[tuple[Event, str | None], ...]
    others: tuple[Case, ...]
    assignee: Staff | None
    others_texts: dict[int, str] = field(default_factory=dict)
    snooze: Snooze | None = None
    signals: dict[int, list[Signal]] = field(default_factory=dict)  # message → what was proposed or decided
    themes: dict[int, list[str]] = field(default_factory=dict)  # message → the leading one first
    reasons: dict[int, Label] = field(default_factory=dict)  # message → what the classifier said last
    copies: int = 0
    tags: tuple[Tag, ...] = ()


def list_cases(
    session: Session,
    actor: Actor,
    filters: Filters,
    *,
    after: str | None = None,
    limit: int = PAGE,
    arriving: bool = False,
) -> CasePage:
    """One page, newest message first; ``arriving`` also shows cases whose label is not there yet."""
    require(actor, "case.view")
    place = parse_place(after) if after else None
    found = walk(session, actor, filters, after=place, limit=limit + 1, arriving=arriving)
    cases = found[:limit]
    key = str(place_of(cases[-1], filters.sort)) if len(found) > limit else None
    return CasePage(rows_of(session, cases), key)


def ids_above(
    session: Session,
    actor: Actor,
    filters: Filters,
    tops: Sequence[Place],
    reach: int,
    *,
    arriving: bool,
    most: int,
) -> list[int]:
    """The cases of the view that stand above the first lines of its lanes, ``most`` at most; in a lane without one
    all of them, down to ``reach``."""
    require(actor, "case.view")
    known = {place.lane: place for place in tops}
    found: set[int] = set()
    for query in ids_in_lanes(actor, filters, arriving, known, reach):
        found.update(session.scalars(in_order(query, filters).limit(most)))  # by the index of the lane
    return list(found)[:most]


def all_ids(session: Session, actor: Actor, filters: Filters, most: int) -> list[int]:
    """Ids of the cases of a view in its order, ``most`` at most."""
    require(actor, "case.view")
    found: dict[int, None] = {}
    for query in ids_in_lanes(actor, filters, False, {}, OTHERS):
        found.update(dict.fromkeys(session.scalars(in_order(query, filters).limit(most))))
    return list(found)[:most]


def count_cases(session: Session, actor: Actor, filters: Filters, *, arriving: bool = False) -> int:
    """How many cases fit, MOST_COUNTED at most."""
    require(actor, "case.view")
    parts = [
        select(narrowed(select(Case.id), filters, actor, arriving, group).limit(MOST_COUNTED).subquery().c.id)
        for group in branches(filters)
    ]
    ids = union(*parts).subquery() if len(parts) > 1 else parts[0].subquery()
    return min(session.scalar(select(func.count()).select_from(ids)) or 0, MOST_COUNTED)


def rows_of(session: Session, cases: Sequence[Case]) -> tuple[Row, ...]:
    """The lines for ``cases`` in their order, with one query a table."""
    if not cases:
        return ()
    texts = _texts_of(session, cases)
    authors = _by_id(session, Author, [case.author_id for case in cases])
    places = _by_id(session, Publication, [case.publication_id for case in cases])
    sources = _by_id(session, Source, [case.source_id for case in cases])
    people = _by_id(session, Staff, [case.assignee_id for case in cases])
    waiting = session.execute(
        select(Route.case_id, Department.name)
        .join(Department, Department.id == Route.department_id)
        .where(Route.case_id.in_([case.id for case in cases]), Route.state.in_(OWED))
    )
    snoozed = [case.id for case in cases if case.state == "snoozed"]
    query = select(Snooze).where(Snooze.case_id.in_(snoozed))
    later = {row.case_id: row for row in session.scalars(query)} if snoozed else {}
    drafts = drafts_of(session, DESK, [case.id for case in cases])
    signals = standing_signals(session, [case.id for case in cases])
    copies = wave_sizes(session, list({case.wave_id for case in cases if case.wave_id}))
    tags = tags_of(session, [case.id for case in cases])
    owing: dict[int, list[str]] = {}
    for case_id, name in waiting:
        owing.setdefault(case_id or 0, []).append(name)
    return tuple(
        Row(
            case=case,
            text=texts.get(case.id, ""),
            author=authors[case.author_id].name if case.author_id in authors else "",
            publication=places[case.publication_id].title if case.publication_id in places else "",
            platform=sources[case.source_id].platform,
            source_title=sources[case.source_id].title,
            assignee=people[case.assignee_id].name if case.assignee_id in people else None,
            departments=tuple(owing.get(case.id, ())),
            snooze=later.get(case.id),
            drafts=tuple(drafts.get(case.id, ())),
            signals=tuple(signals.get(case.id, ())),
            copies=copies.get(case.wave_id or 0, 0),
            tags=tuple(tags.get(case.id, ())),
        )
        for case in cases
    )


def _texts_of(session: Session, cases: Sequence[Case]) -> dict[int, str]:
    """case → the words that a line shows of it."""
    messages = _by_id(session, Message, [case.first_message_id for case in cases])
    texts = {case.id: messages[case.first_message_id].text for case in cases if case.first_message_id in messages}
    texts |= _first_words(session, [case.id for case in cases if case.first_message_id is None])
    return texts | excerpts_of(session, [case.id for case in cases if MARK in case.subject_key])


def _first_words(session: Session, case_ids: Sequence[int]) -> dict[int, str]:
    """What we wrote first, in conversations that we began."""
    if not case_ids:
        return {}
    query = select(Reply.case_id, Reply.text).where(Reply.case_id.in_(case_ids)).order_by(Reply.id.desc())
    return {row.case_id: row.text for row in session.execute(query)}


def _by_id(session: Session, table: type[T], ids: Sequence[int | None]) -> dict[int | None, T]:
    """id → row; what the session holds is not asked for again."""
    wanted = {key for key in ids if key is not None}
    held = {key: session.identity_map.get(identity_key(table, key)) for key in wanted}
    found: dict[int | None, T] = {key: row for key, row in held.items() if row is not None}
    missing = wanted - found.keys()
    if missing:
        found.update({row.id: row for row in session.scalars(select(table).where(table.id.in_(missing)))})
    return found


def rest_page(session: Session, actor: Actor, work: str = "rest", before_id: int | None = None) -> list[Entry]:
    """«Остальное» (or «Спам»): messages without a case, newest first."""
    require(actor, "case.view")
    query = select(Message).where(Message.work == work, Message.direction == "in")
    if before_id is not None:
        query = query.where(Message.id < before_id)
    messages = list(session.scalars(query.order_by(Message.id.desc()).limit(PAGE)))
    return _entries(session, messages, label_rows(session, [message.id for message in messages]))


def view_case(session: Session, actor: Actor, case_id: int, everybody: Sequence[Staff] | None = None) -> CaseView:
    """The case with its thread as it stands on the platform, our replies in place; ``everybody`` who works here,
    where that is known."""
    case = get_case(session, actor, case_id)
    source = session.get_one(Source, case.source_id)
    messages = _thread_messages(session, case)
    words = label_rows(session, [message.id for message in messages])
    thread = _entries(session, messages, words)
    acts = list(session.scalars(select(Act).where(Act.case_id == case.id).order_by(Act.id)))
    placed = {entry.act.id for entry in thread if entry.act is not None}
    people = {row.id: row.name for row in everybody or session.execute(select(Staff.id, Staff.name))}
    routes = routes_of(session, case.id)
    replies = _by_id(session, Reply, [act.reply_id for act in acts])
    units = _by_id(session, Department, [route.department_id for route in routes])
    others = _other_cases(session, case)
    return CaseView(
        case=case,
        source=source,
        author=session.get(Author, case.author_id) if case.author_id else None,
        publication=session.get(Publication, case.publication_id) if case.publication_id else None,
        thread=tuple(thread),
        sendings=tuple(
            Sending(replies[act.reply_id], act, people.get(act.staff_id or 0))
            for act in acts
            if act.reply_id is not None and act.id not in placed
            if act.state != "cancelled" or replies[act.reply_id].verdict_note
        ),
        acts=tuple(acts),
        routes=tuple(
            (route, units[route.department_id], people.get(route.answered_by_id or 0)) for route in routes
        ),
        notes=tuple(
            (note, people.get(note.staff_id, ""))
            for note in session.scalars(select(Note).where(Note.case_id == case.id).order_by(Note.id))
        ),
        history=tuple((event, people.get(event.staff_id or 0)) for event in history_of(session, case.id)),
        others=tuple(others),
        assignee=session.get(Staff, case.assignee_id) if case.assignee_id else None,
        others_texts=_texts_of(session, others),
        snooze=session.scalar(select(Snooze).where(Snooze.case_id == case.id)),
        signals=signals_of(session, [entry.message.id for entry in thread]),
        themes=themes_among(words),
        reasons=reasons_among(words),
        copies=wave_sizes(session, [case.wave_id]).get(case.wave_id, 0) if case.wave_id else 0,
        tags=tuple(tags_of(session, [case.id]).get(case.id, ())),
    )


def message_of_case(session: Session, actor: Actor, case_id: int, message_id: int) -> Message:
    """A message that the case shows; raises NotFound for any other."""
    case = get_case(session, actor, case_id)
    message = session.get(Message, message_id)
    if message is None or (
        message.case_id != case.id and message.id not in [one.id for one in _thread_messages(session, case)]
    ):
        raise NotFound("message.unknown", id=message_id, case=case_id)
    return message


def _thread_messages(session: Session, case: Case) -> list[Message]:
    """The messages of the case and of the threads they stand in, in the order of the platform.

    In a dialogue that we begin again it is what was said there last.
    """
    own = list(session.scalars(select(Message).where(Message.case_id == case.id)))
    if case.first_message_id is None and case.visibility == "private":
        own += _said_before(session, case)
    part = message_of(session, case.id) if MARK in case.subject_key else None
    own += [part] if part is not None else []
    places = {(m.container, m.thread) for m in own if m.thread}
    found = {m.id: m for m in own}
    for container, thread in places:
        rows = session.scalars(
            select(Message)
            .where(Message.source_id == case.source_id, Message.container == container, Message.thread == thread)
            .order_by(Message.published_at.desc(), Message.id.desc())
            .limit(200)
        )
        found.update({m.id: m for m in rows})
    return sorted(found.values(), key=lambda m: (m.published_at, m.id))


def _said_before(session: Session, case: Case) -> list[Message]:
    way = session.scalar(select(Outreach).where(Outreach.case_id == case.id, Outreach.kind == "dialogue"))
    if way is None:
        return []
    said = select(Message).where(
        Message.source_id == case.source_id, Message.container == way.target.get("container"),
        Message.visibility == "private",
    )  # fmt: skip
    return list(session.scalars(said.order_by(Message.published_at.desc(), Message.id.desc()).limit(SAID_BEFORE)))


def _entries(session: Session, messages: Sequence[Message], words: Sequence[Label]) -> list[Entry]:
    ids = [message.id for message in messages]
    authors = _by_id(session, Author, [message.author_id for message in messages])
    labels = counting_among(words)
    versions: dict[int, list[TextVersion]] = {}
    edited = [message.id for message in messages if message.versions > 1]
    query = select(TextVersion).where(TextVersion.message_id.in_(edited)).order_by(TextVersion.number)
    for version in session.scalars(query) if edited else ():
        versions.setdefault(version.message_id, []).append(version)
    files: dict[int, list[Attachment]] = {}
    for file in session.scalars(select(Attachment).where(Attachment.message_id.in_(ids))):
        files.setdefault(file.message_id, []).append(file)
    acts = _by_id(session, Act, [message.act_id for message in messages])
    people = _by_id(session, Staff, [act.staff_id for act in acts.values()])
    return [
        Entry(
            message=message,
            author=authors.get(message.author_id),
            label=labels.get(message.id),
            versions=tuple(versions.get(message.id, ())),
            attachments=tuple(files.get(message.id, ())),
            act=acts.get(message.act_id),
            staff=_name_of(people, acts.get(message.act_id)),
        )
        for message in messages
    ]


def _name_of(people: dict[int | None, Staff], act: Act | None) -> str | None:
    return people[act.staff_id].name if act is not None and act.staff_id in people else None


def _other_cases(session: Session, case: Case) -> list[Case]:
    if case.author_id is None:
        return []
    query = select(Case).where(Case.author_id == case.author_id, Case.id != case.id, Case.number.is_not(None))
    return list(session.scalars(query.order_by(Case.id.desc()).limit(10)))


def next_case(session: Session, actor: Actor, filters: Filters, case: Case) -> int | None:
    """The case below this one in the same view: where «ответить и дальше» goes."""
    require(actor, "case.view")
    place = place_of(case, filters.sort)
    found = walk(session, actor, filters, after=place, limit=1, arriving=False)
    return found[0].id if found else None
