"""The report of one broadcast: its figures from the rows, handed in with a word and kept as they were."""

from dataclasses import asdict, dataclass
from datetime import datetime
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import (
    Author,
    Broadcast,
    BroadcastIncident,
    BroadcastQuestion,
    Message,
    Staff,
    Task,
    utc_now,
)
from services.broadcasts.places import publications_of
from services.broadcasts.schedule import checks_of, get_broadcast
from services.broadcasts.states import CHECKS, WATCH, move
from services.broadcasts.stream import LATE_SECONDS, books_of
from services.cases import APPLICATION
from services.crm.tasks import close_task
from services.errors import Refused, Stale
from services.events import record
from services.rights import Actor, require

LONGEST_NOTE = 4000


@dataclass(frozen=True, slots=True)
class Figures:
    """``asked`` is the sum of the five ends and ``open``; ``leads``: questions of people who want to buy or enrol;
    ``in_time``: answered aloud or in the chat within ten minutes."""

    messages: int
    people: int
    asked: int
    aloud: int
    chat: int
    routed: int
    carried: int
    dismissed: int
    open: int
    incidents: int
    incident_seconds: int
    leads: int
    in_time: int
    median_seconds: int | None
    checks: int
    of_checks: int
    viewers: int | None
    seconds: int
    drops: int

    @property
    def balanced(self) -> bool:
        return self.open == 0 and self.asked == self.aloud + self.chat + self.routed + self.carried + self.dismissed


@dataclass(frozen=True, slots=True)
class Asked:
    """A line of the report's list."""

    question: BroadcastQuestion
    text: str
    author: str
    staff: str


def figures_of(session: Session, row: Broadcast) -> Figures:
    """Reckoned from the rows as they are now; a report that was handed in keeps its own."""
    books = books_of(session, row.id)
    publications = publications_of(session, row.id)
    people = session.scalar(
        select(func.count(func.distinct(Message.author_id))).where(
            Message.publication_id.in_(publications), Message.direction == "in"
        )
    )
    leads = session.scalar(
        select(func.count()).select_from(BroadcastQuestion).where(
            BroadcastQuestion.broadcast_id == row.id, BroadcastQuestion.theme == APPLICATION
        )
    )  # fmt: skip
    incidents = list(session.scalars(select(BroadcastIncident).where(BroadcastIncident.broadcast_id == row.id)))
    waits = _waits(session, row.id)
    checks = checks_of(session, row.id)
    return Figures(
        messages=books.messages, people=people or 0, asked=books.asked, open=books.open, **books.ends,
        incidents=len(incidents), incident_seconds=sum(_lasted(one, row) for one in incidents), leads=leads or 0,
        in_time=sum(wait <= LATE_SECONDS for wait in waits), median_seconds=int(median(waits)) if waits else None,
        checks=sum(check.passed for check in checks.values()), of_checks=len(CHECKS), viewers=row.viewers,
        seconds=_length(row), drops=row.drops,
    )  # fmt: skip


def _waits(session: Session, broadcast_id: int) -> list[int]:
    """Seconds from question to answer, of what was answered while on air."""
    query = select(BroadcastQuestion).where(
        BroadcastQuestion.broadcast_id == broadcast_id, BroadcastQuestion.state.in_(("aloud", "chat"))
    )
    found = []
    for one in session.scalars(query):
        if one.spoken_at is not None:
            found.append(max(0, one.spoken_at - one.second))
        elif one.settled_at is not None:
            found.append(max(0, int((one.settled_at - one.asked_at).total_seconds())))
    return found


def _lasted(incident: BroadcastIncident, row: Broadcast) -> int:
    end = incident.ended_at or row.ended_at or utc_now()
    return max(0, int((end - incident.started_at).total_seconds()))


def _length(row: Broadcast) -> int:
    if row.started_at is None:
        return 0
    return max(0, int(((row.ended_at or utc_now()) - row.started_at).total_seconds()))


def shown_figures(session: Session, row: Broadcast) -> Figures:
    """Those that were handed in, else those of this moment."""
    if row.state == "reported" and row.report.get("figures"):
        return Figures(**row.report["figures"])
    return figures_of(session, row)


def asked_of(session: Session, broadcast_id: int, limit: int = 500) -> list[Asked]:
    """All questions in order of the broadcast, with their ends."""
    query = (
        select(BroadcastQuestion, Message.text, Author.name, Staff.name)
        .join(Message, Message.id == BroadcastQuestion.message_id)
        .outerjoin(Author, Author.id == Message.author_id)
        .outerjoin(Staff, Staff.id == BroadcastQuestion.settled_by_id)
        .where(BroadcastQuestion.broadcast_id == broadcast_id)
        .order_by(BroadcastQuestion.second, BroadcastQuestion.id)
        .limit(limit)
    )
    return [
        Asked(question, text, name or "", staff or "") for question, text, name, staff in session.execute(query)
    ]


def hand_in(
    session: Session, actor: Actor, broadcast_id: int, note: str, viewers: int | None, version: int
) -> Broadcast:
    """«Сдать отчёт»: the figures are kept as they stand; refused while something is open."""
    require(actor, WATCH)
    row = get_broadcast(session, actor, broadcast_id, hold=True)
    if row.state == "reported":
        return row
    if row.version != version:
        raise Stale("broadcast.stale")
    if viewers is not None:
        if not 0 <= viewers <= 10_000_000:
            raise Refused("broadcast.viewers")
        row.viewers = viewers
    figures = figures_of(session, row)
    if not figures.balanced:
        raise Refused("broadcast.open", count=figures.open)
    move(row, "reported", actor)
    row.note, row.reported_at, row.reported_by = note.strip()[:LONGEST_NOTE], utc_now(), actor.staff_id
    row.report = {"figures": asdict(figures), "checks": _ticks(session, row.id)}
    task = session.scalar(select(Task).where(Task.open_key == f"broadcast:{row.id}"))
    if task is not None:
        close_task(session, actor, task, "")
    record(session, "broadcast.reported", actor, object_id=row.id)
    return row


def _ticks(session: Session, broadcast_id: int) -> dict[str, bool]:
    return {code: check.passed for code, check in checks_of(session, broadcast_id).items()}


def save_words(
    session: Session, actor: Actor, broadcast_id: int, note: str, viewers: int | None
) -> Broadcast:  # fmt: skip
    """The word and the viewers before the report is handed in."""
    require(actor, WATCH)
    row = get_broadcast(session, actor, broadcast_id, hold=True)
    if row.state == "reported":
        raise Refused("broadcast.state", state=row.state, to="review")
    row.note = note.strip()[:LONGEST_NOTE]
    row.viewers = viewers if viewers is not None else row.viewers
    record(session, "broadcast.changed", actor, object_id=row.id)
    return row


def is_due(row: Broadcast, now: datetime) -> bool:
    """The report is late."""
    return row.state == "review" and row.report_due_at is not None and row.report_due_at <= now
