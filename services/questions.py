"""What a department sees of a question put to it: the comment and its thread, never the card or other cases."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import (
    Act,
    Attachment,
    Author,
    Case,
    Client,
    Department,
    Message,
    Publication,
    Reply,
    Route,
    Source,
    Staff,
)
from services.crm.groups import groups_of
from services.errors import NotFound, Refused
from services.excerpts import excerpt_of, message_of
from services.lemmas import is_first_name
from services.rights import Actor, Scope, require
from services.route_states import OWED
from services.routing import answer_route, decline_route, for_me, get_route, my_routes
from services.satisfaction import without_line

MOST_LINES = 60
"""A thread longer than this shows its newest messages."""

_CONTACTS = re.compile(
    r"(?<!\d)(?:\d{4}[ \-]?){3}\d{4}(?!\d)"  # a card
    r"|(?<![\w+])\+\d[\d\s()\-]{8,17}\d(?!\d)"  # a phone with its country
    r"|(?<![\w+])(?:[78][\s(\-]{0,2}\d|9)\d{2}[\s)\-]{0,2}\d{3}[\s\-]?\d{2}[\s\-]?\d{2}(?!\d)"  # one of Russia
    r"|[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+"  # a mail address
)
HIDDEN = "•••"


@dataclass(frozen=True, slots=True)
class Place:
    """What is commented on."""

    kind: str
    title: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """One message of the shared thread; ``name`` is a first name or None, ``asked``: the case is about it."""

    id: int
    name: str | None
    text: str
    at: datetime
    ours: bool
    asked: bool
    edited: bool
    deleted: bool
    files: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """What became of the department's answer: our text on the platform, and how far it is proven."""

    text: str
    act: Act
    edited: bool  # it differs from the answer


@dataclass(frozen=True, slots=True)
class QuestionView:
    """All that the page of one question shows, with contacts taken out of every text."""

    route: Route
    question: str
    department: Department
    better: Department | None
    asked_by: str
    answered_by: str | None
    platform: str | None  # None: a request that no message began
    private: bool
    place: Place | None
    lines: tuple[Line, ...]
    author: str | None  # of a request the client whom it names, whole for whoever sees cards
    groups: tuple[str, ...]  # where the author studies now
    published: tuple[Published, ...]
    can_answer: bool
    next_id: int | None  # the oldest other question that waits
    left: int  # how many others wait

    @property
    def is_owed(self) -> bool:
        return self.route.state in OWED

    @property
    def is_inquiry(self) -> bool:
        """The desk itself asks: no client's message began it."""
        return self.route.case_id is None


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """One line of «Вопросы ко мне»."""

    route: Route
    question: str
    department: Department
    platform: str | None  # None: a request that no message began; ``author`` is then the client it names
    place: Place | None
    author: str | None
    asked_by: str

    @property
    def is_inquiry(self) -> bool:
        """The desk itself asks: no client's message began it."""
        return self.route.case_id is None


def first_name(name: str | None) -> str | None:
    """The first name, if it is a name at all: a nick or an address would tell who the person is. «Ярцева Анна» is
    turned round where the dictionary knows only the second word as a first name."""
    head = (name or "").split()[:2]
    if len(head) == 2 and is_first_name(head[1]) and not is_first_name(head[0]):
        head.reverse()
    return head[0] if head and re.fullmatch(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*", head[0]) else None


def without_contacts(text: str) -> str:
    """``text`` with phones, mail addresses and card numbers taken out (day.md §3: never phone or money)."""
    return _CONTACTS.sub(HIDDEN, text)


def question_rows(session: Session, actor: Actor, *, done: bool = False) -> tuple[QuestionRow, ...]:
    """«Ждут ответа», oldest first; with ``done`` «Отвечено», newest first."""
    routes = my_routes(session, actor, done=done)
    around = {
        row[0]: (row[1], _place(row[2]), first_name(row[3]) if row[4] is None else _client_name(actor, row[4]))
        for row in session.execute(
            select(Route.id, Source.platform, Publication, Author.name, Client)
            .outerjoin(Case, Case.id == Route.case_id)
            .outerjoin(Source, Source.id == Case.source_id)
            .outerjoin(Publication, Publication.id == Case.publication_id)
            .outerjoin(Author, Author.id == Case.author_id)
            .outerjoin(Client, Client.id == Route.client_id)
            .where(Route.id.in_([route.id for route in routes]))
        )
    }
    units = {unit.id: unit for unit in session.scalars(select(Department))}
    people = _names(session, [route.asked_by_id for route in routes])
    return tuple(
        QuestionRow(
            route, without_contacts(route.question), units[route.department_id], *around[route.id],
            people.get(route.asked_by_id, ""),
        )
        for route in routes
    )  # fmt: skip


def question_view(session: Session, actor: Actor, route_id: int) -> QuestionView:
    """The shared context of one question; raises NotFound for one of another department."""
    route = get_route(session, actor, route_id)
    around = _around(session, route) if route.case_id is not None else _of_desk(session, actor, route)
    people = _names(session, [route.asked_by_id, route.answered_by_id])
    others = _others(session, actor, route)
    return QuestionView(
        route=route,
        question=without_contacts(route.question),
        department=session.get_one(Department, route.department_id),
        better=session.get(Department, route.better_department_id) if route.better_department_id else None,
        asked_by=people.get(route.asked_by_id, ""),
        answered_by=people.get(route.answered_by_id or 0),
        platform=around.platform,
        private=around.private,
        place=around.place,
        lines=around.lines,
        author=around.author,
        groups=around.groups,
        published=_published(session, route),
        can_answer=_can_answer(actor, route),
        next_id=others[0] if others else None,
        left=len(others),
    )


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around a question: where it began and with whom."""

    platform: str | None = None
    private: bool = True
    place: Place | None = None
    lines: tuple[Line, ...] = ()
    author: str | None = None
    groups: tuple[str, ...] = ()


def _around(session: Session, route: Route) -> _Around:
    case = session.get_one(Case, route.case_id)
    author = session.get(Author, case.author_id) if case.author_id else None
    return _Around(
        platform=session.get_one(Source, case.source_id).platform,
        private=case.visibility == "private",
        place=_place(session.get(Publication, case.publication_id) if case.publication_id else None),
        lines=_lines(session, case),
        author=first_name(author.name) if author else None,
        groups=tuple(
            ", ".join(filter(None, (one.course, one.group_name))) for one in groups_of(session, case.author_id)
        ),
    )


def _of_desk(session: Session, actor: Actor, route: Route) -> _Around:
    client = session.get(Client, route.client_id) if route.client_id is not None else None
    return _Around(author=_client_name(actor, client) if client is not None else None)


def _client_name(actor: Actor, client: Client) -> str | None:
    """Whole for whoever sees cards, a first name for all others."""
    if actor.may("client.view"):
        return without_contacts(client.name)
    return first_name(client.first_name or client.name)


def question_file(session: Session, actor: Actor, route_id: int, file_id: int) -> Attachment:
    """A file that stands in the shared thread, with its content; raises NotFound for any other."""
    route = get_route(session, actor, route_id)
    case = session.get(Case, route.case_id) if route.case_id is not None else None
    if case is None:
        raise NotFound("file.unknown", id=file_id)
    shown = {message.id for message in _messages(session, case)}
    file = session.get(Attachment, file_id)
    if file is None or file.message_id not in shown or file.content is None:
        raise NotFound("file.unknown", id=file_id)
    return file


def left_after(session: Session, actor: Actor, route_id: int) -> tuple[int | None, int]:
    """(the oldest other question that waits, how many others wait)."""
    others = _others(session, actor, get_route(session, actor, route_id))
    return (others[0] if others else None), len(others)


def _place(publication: Publication | None) -> Place | None:
    """None for a dialogue: platforms title it with the whole name of the person."""
    if publication is None or publication.kind == "dialogue":
        return None
    return Place(publication.kind, without_contacts(publication.title), publication.url)


def _others(session: Session, actor: Actor, route: Route) -> list[int]:
    query = select(Route.id).where(Route.state.in_(OWED), Route.id != route.id).order_by(Route.id)
    if actor.scope("route.view") is not Scope.ALL:
        query = query.where(Route.department_id.in_(actor.departments), for_me(actor))
    return list(session.scalars(query))


def _can_answer(actor: Actor, route: Route) -> bool:
    scope = actor.scope("route.answer")
    return scope is Scope.ALL or (scope is not None and route.department_id in actor.departments)


def _names(session: Session, ids: Sequence[int | None]) -> dict[int, str]:
    wanted = [key for key in ids if key is not None]
    rows = session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(wanted)))
    return {row[0]: row[1] for row in rows}


def _messages(session: Session, case: Case) -> list[Message]:
    """The messages of the case and of the threads they stand in, oldest first.

    A dialogue or a letter thread belongs to one author, so its other cases stay out of what is shared.
    """
    own = list(session.scalars(select(Message).where(Message.case_id == case.id)))
    part = message_of(session, case.id)
    own += [part] if part is not None else []
    found = {message.id: message for message in own}
    if case.visibility == "public":
        for container, thread in {(m.container, m.thread) for m in own if m.thread}:
            rows = session.scalars(
                select(Message)
                .where(Message.source_id == case.source_id, Message.container == container)
                .where(Message.thread == thread, Message.visibility == "public", Message.state == "published")
                .order_by(Message.published_at.desc(), Message.id.desc())
                .limit(MOST_LINES)
            )
            found.update({message.id: message for message in rows})
    ordered = sorted(found.values(), key=lambda message: (message.published_at, message.id))
    return ordered[-MOST_LINES:]


def _lines(session: Session, case: Case) -> tuple[Line, ...]:
    messages = _messages(session, case)
    authors = {
        row[0]: row[1]
        for row in session.execute(
            select(Author.id, Author.name).where(Author.id.in_([m.author_id for m in messages if m.author_id]))
        )
    }
    files: dict[int, list[Attachment]] = {}
    for file in session.scalars(select(Attachment).where(Attachment.message_id.in_([m.id for m in messages]))):
        files.setdefault(file.message_id, []).append(file)
    part = excerpt_of(session, case.id)
    about = part.message_id if part is not None else None
    return tuple(
        Line(
            id=message.id,
            name=first_name(authors.get(message.author_id or 0)),
            text=without_contacts(part.text if part is not None and message.id == about else message.text),
            at=message.published_at,
            ours=message.direction == "out",
            asked=(message.case_id == case.id or message.id == about) and message.direction == "in",
            edited=message.versions > 1,
            deleted=message.state == "deleted",
            files=tuple(files.get(message.id, ())),
        )
        for message in messages
    )


def _published(session: Session, route: Route) -> tuple[Published, ...]:
    """Replies that were made of this answer, but for those that were taken back."""
    rows = session.execute(
        select(Reply, Act)
        .join(Act, Act.reply_id == Reply.id)
        .where(Reply.route_id == route.id, Act.state != "cancelled")
        .order_by(Reply.id)
    )
    answer = " ".join((route.answer or "").split())
    return tuple(
        Published(without_contacts(without_line(session, reply)), act, answer not in " ".join(reply.text.split()))
        for reply, act in rows
    )


def count_answered(session: Session, actor: Actor) -> int:
    """How many questions the actor's departments have dealt with."""
    scope = require(actor, "route.view")
    query = select(func.count()).select_from(Route).where(Route.state.not_in(OWED))
    if scope is not Scope.ALL:
        query = query.where(Route.department_id.in_(actor.departments))
    return session.scalar(query) or 0


def send_answer(session: Session, actor: Actor, route_id: int, text: str, version: int | None) -> Route:
    """Answers; pressing twice is one answer, a different second text is refused as stale."""
    route = get_route(session, actor, route_id, hold=True)
    known = route.state in ("answered", "accepted") and route.answered_by_id == actor.staff_id
    if known and route.answer == text.strip():
        return route
    return answer_route(session, actor, route_id, text, version)


def hand_back(
    session: Session, actor: Actor, route_id: int, reason: str, better_department_id: int | None
) -> Route:
    """«Это не мне», with the department that knows better or a reason; pressing twice is once."""
    route = get_route(session, actor, route_id, hold=True)
    if route.state == "declined" and route.answered_by_id == actor.staff_id:
        return route
    if better_department_id is not None and session.get(Department, better_department_id) is None:
        raise NotFound("department.unknown", id=better_department_id)
    if better_department_id == route.department_id:
        raise Refused("department.same")
    return decline_route(session, actor, route_id, reason, better_department_id)
