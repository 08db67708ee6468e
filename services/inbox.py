"""What the inbox shows: pages of cases by key, counters by index, one case with all that stands around it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

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
    Publication,
    Reply,
    Route,
    Signal,
    Snooze,
    Source,
    Staff,
    TextVersion,
    UtcDateTime,
    utc_now,
)
from services.cases import get_case
from services.errors import Refused
from services.events import history_of
from services.findings import signals_of, standing_signals, wave_sizes
from services.kinds import HIGH, themes_of
from services.labelling import labels_of
from services.presence import drafts_of
from services.rights import DESK, Actor, require
from services.route_states import OWED
from services.routing import routes_of

T = TypeVar("T", bound=Base)
PAGE = 30
MOST_COUNTED = 1000
"""«Остальное» is counted no further: beyond 999 a screen says «999+»."""
OPEN_STAGES = ("new", "work", "wait")
KINDS = ("question", "complaint", "wish", "unsure")
"""The inbox opens on Вопросы · Жалобы · Пожелания · Вид не определён (day.md §1.1)."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address bar says; None means «any»."""

    stage: str | None = None  # new · work · wait · later · closed; None: all open ones in sight
    label: str | None = None  # a label, or «unsure»
    platform: str | None = None
    source_id: int | None = None
    department_id: int | None = None  # waits for this department
    mine: bool = False
    unassigned: bool = False
    lift: str | None = None  # answer · failed · unknown
    author_id: int | None = None
    visibility: str | None = None  # public · private
    assignee_id: int | None = None
    older: int | None = None  # opened more than so many days ago
    newer: int | None = None  # opened within so many days
    sort: str = "new"  # new · wait: the longest wait first · due: the nearest deadline first
    burning: bool = False  # most of its time is over
    kind: str | None = None  # of work: services.kinds
    theme: str | None = None  # the leading one
    signal: str | None = None  # a name, or «any»: nobody has said no to it
    wave_id: int | None = None  # near copies of one message
    repeated: bool = False  # has near copies
    urgent: bool = False  # critical or high


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
    copies: int = 0


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
    query = _filtered(select(Case), filters, actor, arriving)
    if after:
        at, case_id = parse_key(after)
        query = query.where(_below(filters, at, case_id))
    found = list(session.scalars(_in_order(query, filters).limit(limit + 1)))
    cases = found[:limit]
    key = f"{_standing(filters, cases[-1]).timestamp():.6f}:{cases[-1].id}" if len(found) > limit else None
    return CasePage(rows_of(session, cases), key)


def keys_above(
    session: Session, actor: Actor, filters: Filters, top: tuple[datetime, int] | None, *, arriving: bool, most: int
) -> int:
    """How many cases of the view stand above ``top`` in the order of the newest, ``most`` at most."""
    require(actor, "case.view")
    query = _filtered(select(Case.id), filters, actor, arriving)
    if top is not None:
        query = query.where(
            tuple_(Case.last_message_at, Case.id) > tuple_(literal(top[0], UtcDateTime), literal(top[1]))
        )
    return len(list(session.scalars(query.limit(most))))


def all_ids(session: Session, actor: Actor, filters: Filters, most: int) -> list[int]:
    """Ids of the cases of a view, newest first, ``most`` at most."""
    require(actor, "case.view")
    query = _filtered(select(Case.id), filters, actor, False)
    return list(session.scalars(_in_order(query, filters).limit(most)))


def _standing(filters: Filters, case: Case) -> datetime:
    """What puts a case at its place in the list; one that lost its deadline since stands before all others."""
    return case.last_message_at if filters.sort != "due" else case.due_at or datetime.fromtimestamp(0, UTC)


def _in_order(query: Select[Any], filters: Filters) -> Select[Any]:
    if filters.sort == "due":
        return query.order_by(Case.due_at, Case.id)
    if filters.sort == "wait":
        return query.order_by(Case.last_message_at, Case.id)
    return query.order_by(Case.last_message_at.desc(), Case.id.desc())


def _below(filters: Filters, at: datetime, case_id: int) -> ColumnElement[bool]:
    """What stands under a line of the list, in its order."""
    column = Case.due_at if filters.sort == "due" else Case.last_message_at
    here, key = tuple_(column, Case.id), tuple_(literal(at, UtcDateTime), literal(case_id))
    return here < key if filters.sort == "new" else here > key


def parse_key(key: str) -> tuple[datetime, int]:
    try:
        at, case_id = key.split(":")
        if not case_id.isdecimal() or len(case_id) > 18:
            raise ValueError(case_id)
        return datetime.fromtimestamp(float(at), UTC), int(case_id)
    except (ValueError, OverflowError, OSError):
        raise Refused("page.key") from None


def _filtered(query: Select[Any], filters: Filters, actor: Actor, arriving: bool) -> Select[Any]:
    query = query.where(_in_stage(filters.stage, arriving))
    if filters.burning:
        query = query.where(Case.warn_at <= utc_now())
    if filters.sort == "due":
        query = query.where(Case.due_at.is_not(None))
    if filters.label == "unsure":
        query = query.where(or_(Case.label.is_(None), Case.sure.is_(False)))
    elif filters.label:
        query = query.where(Case.label == filters.label, Case.sure)
    if filters.platform:
        query = query.where(Case.source_id.in_(select(Source.id).where(Source.platform == filters.platform)))
    if filters.source_id:
        query = query.where(Case.source_id == filters.source_id)
    if filters.mine:
        query = query.where(Case.assignee_id == actor.staff_id)
    if filters.unassigned:
        query = query.where(Case.assignee_id.is_(None))
    if filters.lift:
        query = query.where(Case.lift == filters.lift)
    if filters.author_id:
        query = query.where(Case.author_id == filters.author_id)
    if filters.visibility:
        query = query.where(Case.visibility == filters.visibility)
    if filters.assignee_id:
        query = query.where(Case.assignee_id == filters.assignee_id)
    if filters.older:
        query = query.where(Case.opened_at < utc_now() - timedelta(days=filters.older))
    if filters.newer:
        query = query.where(Case.opened_at >= utc_now() - timedelta(days=filters.newer))
    query = _about(query, filters)
    if filters.department_id:
        owing = select(Route.case_id).where(Route.department_id == filters.department_id, Route.state.in_(OWED))
        query = query.where(Case.id.in_(owing))
    return query


def _about(query: Select[Any], filters: Filters) -> Select[Any]:
    """What the case is about."""
    if filters.kind:
        query = query.where(Case.kind == filters.kind)
    if filters.theme:
        query = query.where(Case.theme == filters.theme)
    if filters.wave_id:
        query = query.where(Case.wave_id == filters.wave_id)
    if filters.repeated:
        query = query.where(Case.wave_id.is_not(None))
    if filters.urgent:
        query = query.where(Case.priority <= HIGH)
    if filters.signal:
        raised = select(Message.case_id).join(Signal, Signal.message_id == Message.id)
        standing = ("proposed", "yes") if filters.signal != "any" else ("proposed",)
        raised = raised.where(Signal.state.in_(standing), Message.case_id.is_not(None))
        if filters.signal != "any":
            raised = raised.where(Signal.name == filters.signal)
        query = query.where(Case.id.in_(raised))
    return query


def _in_stage(stage: str | None, arriving: bool) -> ColumnElement[bool]:
    """Said so that the indexes of open cases fit: a list of stages would be sorted anew for every page."""
    if stage is None:
        hidden = ("later",) if arriving else ("later", "arriving")
        return and_(Case.open_key.is_not(None), Case.stage.not_in(hidden))
    if stage == "new" and arriving:
        return and_(Case.open_key.is_not(None), Case.stage.not_in(("later", "work", "wait")))
    return Case.stage == stage


def rows_of(session: Session, cases: Sequence[Case]) -> tuple[Row, ...]:
    """The lines for ``cases`` in their order, with one query a table."""
    if not cases:
        return ()
    messages = _by_id(session, Message, [case.first_message_id for case in cases])
    authors = _by_id(session, Author, [case.author_id for case in cases])
    places = _by_id(session, Publication, [case.publication_id for case in cases])
    sources = _by_id(session, Source, [case.source_id for case in cases])
    people = _by_id(session, Staff, [case.assignee_id for case in cases])
    waiting = session.execute(
        select(Route.case_id, Department.name)
        .join(Department, Department.id == Route.department_id)
        .where(Route.case_id.in_([case.id for case in cases]), Route.state.in_(OWED))
    )
    later = {
        row.case_id: row
        for row in session.scalars(
            select(Snooze).where(Snooze.case_id.in_([case.id for case in cases if case.state == "snoozed"]))
        )
    }
    drafts = drafts_of(session, DESK, [case.id for case in cases])
    signals = standing_signals(session, [case.id for case in cases])
    copies = wave_sizes(session, list({case.wave_id for case in cases if case.wave_id}))
    owing: dict[int, list[str]] = {}
    for case_id, name in waiting:
        owing.setdefault(case_id, []).append(name)
    return tuple(
        Row(
            case=case,
            text=messages[case.first_message_id].text if case.first_message_id in messages else "",
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
        )
        for case in cases
    )


def _by_id(session: Session, table: type[T], ids: Sequence[int | None]) -> dict[int | None, T]:
    wanted = {key for key in ids if key is not None}
    if not wanted:
        return {}
    return {row.id: row for row in session.scalars(select(table).where(table.id.in_(wanted)))}


def counters(session: Session, actor: Actor, *, arriving: bool = False) -> dict[str, int]:
    """Numbers beside the views: stages, kinds of the open cases, mine, lifted ones, «Остальное» unread."""
    require(actor, "case.view")
    numbers: dict[str, int] = dict.fromkeys(
        ("open", "new", "work", "wait", "later", "question", "complaint", "wish", "unsure", "mine", "unassigned",
         "answer", "failed", "unknown", "rest", "urgent", "application"), 0
    )  # fmt: skip
    columns = (Case.stage, Case.label, Case.sure, Case.kind, Case.priority, Case.assignee_id, Case.lift)
    grouped = session.execute(select(*columns, func.count()).where(_in_stage(None, arriving)).group_by(*columns))
    for stage, label, sure, work, priority, assignee_id, reason, count in grouped:
        numbers["urgent"] += count if priority <= HIGH else 0
        numbers["application"] += count if work == "application" else 0
        kind = label if sure and label is not None else "unsure"
        for name in ("open", "new" if stage == "arriving" else stage, kind):
            numbers[name] = numbers.get(name, 0) + count
        if assignee_id is None or assignee_id == actor.staff_id:
            numbers["unassigned" if assignee_id is None else "mine"] += count
        if reason not in (None, "message"):
            numbers[reason] = numbers.get(reason, 0) + count
    numbers["later"] = session.scalar(select(func.count()).select_from(Snooze)) or 0
    burning = select(func.count()).select_from(Case).where(_in_stage(None, arriving), Case.warn_at <= utc_now())
    numbers["burning"] = session.scalar(burning) or 0
    numbers.update(_counted_findings(session, arriving))
    unread = select(literal(1)).select_from(Message).where(Message.work == "rest", Message.read_at.is_(None))
    numbers["rest"] = session.scalar(select(func.count()).select_from(unread.limit(MOST_COUNTED).subquery())) or 0
    return numbers


def _counted_findings(session: Session, arriving: bool) -> dict[str, int]:
    """Open cases with a signal that nobody has decided on, and with near copies."""
    proposed = (
        select(Message.case_id)
        .join(Signal, Signal.message_id == Message.id)
        .join(Case, Case.id == Message.case_id)
        .where(Signal.state == "proposed", _in_stage(None, arriving))
        .distinct()
    )
    copied = select(func.count()).select_from(Case).where(_in_stage(None, arriving), Case.wave_id.is_not(None))
    return {
        "signals": session.scalar(select(func.count()).select_from(proposed.subquery())) or 0,
        "repeated": session.scalar(copied) or 0,
    }


def rest_page(session: Session, actor: Actor, work: str = "rest", before_id: int | None = None) -> list[Entry]:
    """«Остальное» (or «Спам»): messages without a case, newest first."""
    require(actor, "case.view")
    query = select(Message).where(Message.work == work, Message.direction == "in")
    if before_id is not None:
        query = query.where(Message.id < before_id)
    messages = list(session.scalars(query.order_by(Message.id.desc()).limit(PAGE)))
    return _entries(session, messages)


def view_case(session: Session, actor: Actor, case_id: int) -> CaseView:
    """The case with its thread as it stands on the platform, our replies in place."""
    case = get_case(session, actor, case_id)
    source = session.get_one(Source, case.source_id)
    thread = _entries(session, _thread_messages(session, case))
    acts = list(session.scalars(select(Act).where(Act.case_id == case.id).order_by(Act.id)))
    placed = {entry.act.id for entry in thread if entry.act is not None}
    people = {staff.id: staff.name for staff in session.scalars(select(Staff))}
    replies = _by_id(session, Reply, [act.reply_id for act in acts])
    units = _by_id(session, Department, [route.department_id for route in routes_of(session, case.id)])
    others = _other_cases(session, case)
    texts = {row.case.id: row.text for row in rows_of(session, others)}
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
            (route, units[route.department_id], people.get(route.answered_by_id or 0))
            for route in routes_of(session, case.id)
        ),
        notes=tuple(
            (note, people.get(note.staff_id, ""))
            for note in session.scalars(select(Note).where(Note.case_id == case.id).order_by(Note.id))
        ),
        history=tuple((event, people.get(event.staff_id or 0)) for event in history_of(session, case.id)),
        others=tuple(others),
        assignee=session.get(Staff, case.assignee_id) if case.assignee_id else None,
        others_texts=texts,
        snooze=session.scalar(select(Snooze).where(Snooze.case_id == case.id)),
        signals=signals_of(session, [entry.message.id for entry in thread]),
        themes=themes_of(session, [entry.message.id for entry in thread]),
        copies=wave_sizes(session, [case.wave_id]).get(case.wave_id, 0) if case.wave_id else 0,
    )


def _thread_messages(session: Session, case: Case) -> list[Message]:
    """The messages of the case and of the threads they stand in, in the order of the platform."""
    own = list(session.scalars(select(Message).where(Message.case_id == case.id)))
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


def _entries(session: Session, messages: Sequence[Message]) -> list[Entry]:
    ids = [message.id for message in messages]
    authors = _by_id(session, Author, [message.author_id for message in messages])
    labels = labels_of(session, ids)
    versions: dict[int, list[TextVersion]] = {}
    edited = [message.id for message in messages if message.versions > 1]
    for version in session.scalars(
        select(TextVersion).where(TextVersion.message_id.in_(edited)).order_by(TextVersion.number)
    ):
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
    query = _filtered(select(Case), filters, actor, False).where(_below(filters, _standing(filters, case), case.id))
    found = session.scalars(_in_order(query, filters).limit(1)).first()
    return found.id if found else None
