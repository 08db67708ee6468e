"""After the end: what nobody answered becomes cases of the broadcast, and the report is due."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Act, Broadcast, BroadcastQuestion, Message, Tape, Task, utc_now
from models.database import Database
from services.broadcasts.places import publications_of
from services.broadcasts.questions import Question, note_outcomes, settle
from services.broadcasts.states import ON_AIR, move
from services.calendars import next_working_day
from services.cases import lift_message
from services.errors import DeskError
from services.events import record
from services.leases import insert_missing
from services.rights import DESK
from services.terms import policy_of

REPORT_AT = time(12)
"""A report is due on the next working day at noon (domain.md §2, 3.18)."""
UNSETTLED = ("held", "queued", "sending", "retry", "unknown")
log = structlog.get_logger()


def run_wraps(database: Database, now: datetime | None = None) -> int:
    """Brings back questions whose answers failed, carries over what is open of what has ended; returns how many
    questions changed. Each question is a transaction of its own: a kill in the middle goes on with the rest."""
    now = now or utc_now()
    done = 0
    lively = Broadcast.state.in_((ON_AIR, "ended", "review"))
    with database.read.begin() as session:
        states = {row.id: row.state for row in session.execute(select(Broadcast.id, Broadcast.state).where(lively))}
    if not states:
        return 0
    with database.write.begin() as session:
        done += note_outcomes(session, list(states))
    ended = [broadcast_id for broadcast_id, state in states.items() if state != ON_AIR]
    for broadcast_id in ended:
        done += _carry_all(database, broadcast_id)
        with database.write.begin() as session:
            row = session.get_one(Broadcast, broadcast_id, with_for_update=True)
            if row.state == "ended" and not _waits(session, row):
                move(row, "review", DESK)
                _want_report(session, row, now)
                record(session, "broadcast.review", DESK, object_id=row.id)
    return done


def _waits(session: Session, row: Broadcast) -> bool:
    """Something said is not looked at yet, or an answer is on its way."""
    unread = select(Message.id).where(
        Message.publication_id.in_(publications_of(session, row.id)), Message.work == "live"
    )
    on_its_way = (
        select(Question.id)
        .join(Act, Act.id == Question.act_id)
        .where(Question.broadcast_id == row.id, Question.state == "chat", Act.state.in_(UNSETTLED))
    )
    playing = select(Tape.id).where(Tape.broadcast_id == row.id, Tape.state == "running")
    return any(session.scalar(query.limit(1)) is not None for query in (unread, on_its_way, playing))


def _carry_all(database: Database, broadcast_id: int) -> int:
    with database.read.begin() as session:
        query = select(Question.id).where(
            Question.broadcast_id == broadcast_id, Question.state == "open", Question.into_id.is_(None)
        )
        waiting = list(session.scalars(query.order_by(Question.id)))
    done = 0
    for question_id in waiting:
        try:
            with database.write.begin() as session:
                carry(session, question_id)
            done += 1
        except DeskError as error:
            log.info("question.not_carried", question=question_id, code=error.code)
    return done


def carry(session: Session, question_id: int) -> BroadcastQuestion:
    """One open question with all that stand in it: a case for each author who asked."""
    session.execute(update(Question).where(Question.id == question_id).values(held_by_id=None, held_until=None))
    head = settle(session, DESK, question_id, "carried")
    members = select(Question).where((Question.id == question_id) | (Question.into_id == question_id))
    for question in session.scalars(members.order_by(Question.id).execution_options(populate_existing=True)):
        question.case_id = lift_message(session, DESK, question.message_id).id
    return head


def _want_report(session: Session, row: Broadcast, now: datetime) -> None:
    """The task of whoever watched: one a broadcast."""
    row.report_due_at = report_due(session, row.ended_at or now)
    new = {
        "kind": "todo", "text": f"Сдать отчёт об эфире «{row.title}»"[:500], "state": "open", "tries": 0,
        "open_key": f"broadcast:{row.id}", "staff_id": row.staff_id, "due_at": row.report_due_at, "result": "",
        "remind_at": row.report_due_at, "created_at": now,
    }  # fmt: skip
    insert_missing(session, Task, [new], "open_key")


def report_due(session: Session, at: datetime) -> datetime:
    """The next working day after ``at``, at noon."""
    calendar = policy_of(session).calendars["desk"]
    day = next_working_day(calendar, calendar.local_day(at))
    return datetime.combine(day, REPORT_AT, ZoneInfo(calendar.zone))
