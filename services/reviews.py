"""«Разбор ответов»: five sent answers of each person are drawn a week, the head reads and marks them."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import Act, Author, Case, Message, Reply, Review, ReviewDraw, ReviewMark, Source, Staff, utc_now
from models.base import storable
from models.database import Database
from services.absences import local_day, zone_of
from services.criteria import MARKS, in_use
from services.errors import NotFound, Refused, Stale
from services.events import record
from services.outbox import WRITING
from services.rights import DESK, Actor, Scope, require
from services.satisfaction import without_line
from services.terms import policy_of

A_WEEK = 5
"""So many answers of one person are drawn; of whoever sent fewer, all."""
STANDING = ("accepted", "seen")
DAYS = timedelta(days=7)
MOST_BEFORE, MOST_AFTER = 8, 4
"""Texts of the conversation shown around the answer."""


class Choice(Protocol):
    """Whatever draws ``k`` of many; tests bring one that can be foretold."""

    def sample(self, population: Sequence[Any], k: int) -> list[Any]: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a reader stands: ``done`` of ``total``."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Line:
    """One person of a week; ``mean``: of all marks given, None without any."""

    staff_id: int
    name: str
    drawn: int
    read: int
    skipped: int
    mean: float | None


@dataclass(frozen=True, slots=True)
class Said:
    """One text of the conversation; ``is_answer``: the one that is judged."""

    name: str
    text: str
    at: datetime
    ours: bool
    is_answer: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """An answer with what stands around it."""

    review: Review
    case: Case
    source: Source
    writer: str
    reader: str | None
    said: tuple[Said, ...]
    marks: Mapping[int, int | None]


def week_before(session: Session, now: datetime | None = None) -> date:
    """The Monday of the last whole week."""
    today = local_day(session, now)
    return today - timedelta(days=today.weekday()) - DAYS


def is_drawn(session: Session, week: date) -> bool:
    return session.scalar(select(ReviewDraw.id).where(ReviewDraw.week == week)) is not None


def last_week(session: Session) -> date | None:
    """The newest week that was drawn."""
    return session.scalar(select(func.max(ReviewDraw.week)))


def weeks(session: Session, limit: int = 26) -> list[date]:
    """Weeks of which something was drawn, the newest first."""
    query = select(ReviewDraw.week).where(ReviewDraw.count > 0).order_by(ReviewDraw.week.desc()).limit(limit)
    return list(session.scalars(query))


def _to_read(actor: Actor, *columns: Any) -> Select[Any]:
    """What waits for this reader; nobody judges their own answers."""
    return select(*columns).where(Review.state == "drawn", Review.staff_id != (actor.staff_id or 0))


def next_review(session: Session, actor: Actor, after: int | None = None) -> Review | None:
    """The next one to be read, of the oldest week first; ``after``: the one beyond that, or the first again."""
    require(actor, "review.mark")
    query: Select[Review] = _to_read(actor, Review).order_by(Review.week, Review.id).limit(1)
    beyond: Review | None = session.scalar(query.where(Review.id > after)) if after else None
    return beyond or session.scalar(query)


def progress(session: Session, actor: Actor) -> Progress:
    """Of the newest week, with whatever older ones have left over."""
    require(actor, "review.mark")
    left = session.scalar(_to_read(actor, func.count(Review.id))) or 0
    done = select(func.count()).where(
        Review.week == last_week(session), Review.state != "drawn", Review.staff_id != (actor.staff_id or 0)
    )
    said = session.scalar(done) or 0
    return Progress(said, said + left)


def get_review(session: Session, actor: Actor, review_id: int, *, hold: bool = False) -> Review:
    """Readers see all but their own unread ones, everybody their own once they are read; raises NotFound."""
    scope = require(actor, "review.view")
    row = session.get(Review, review_id, with_for_update=hold, populate_existing=hold)
    is_own = row is not None and row.staff_id == actor.staff_id
    if row is None or (is_own and row.state != "read") or (not is_own and scope is not Scope.ALL):
        raise NotFound("review.unknown", id=review_id)
    return row


def marks_of(session: Session, review_ids: Sequence[int]) -> dict[int, dict[int, int | None]]:
    """review → criterion → mark."""
    found: dict[int, dict[int, int | None]] = {}
    query = select(ReviewMark).where(ReviewMark.review_id.in_(review_ids)).order_by(ReviewMark.criterion)
    for row in session.scalars(query):
        found.setdefault(row.review_id, {})[row.criterion] = row.mark
    return found


def page_of(session: Session, actor: Actor, review_id: int) -> Page:
    """The answer as it was sent, with the talk before it and what came after."""
    row = get_review(session, actor, review_id)
    act = session.get_one(Act, row.act_id)
    names = {one.id: one.name for one in session.scalars(select(Staff))}
    writer = names[row.staff_id]
    reply = session.get(Reply, act.reply_id) if act.reply_id else None
    text = without_line(session, reply, act.text) if reply is not None else act.text
    answer = Said(writer, text, row.answered_at, True, True)
    asked = session.get(Message, act.message_id) if act.message_id else None
    before, after = _around(session, asked, row) if asked is not None else ([], [])
    return Page(
        row, session.get_one(Case, row.case_id), session.get_one(Source, act.source_id), writer,
        names.get(row.reader_id or 0), (*before, answer, *after), marks_of(session, [row.id]).get(row.id, {}),
    )  # fmt: skip


def _around(session: Session, asked: Message, row: Review) -> tuple[list[Said], list[Said]]:
    """(up to the answer, beyond it): the same thread at the same place; of a long one what is nearest."""
    query = select(Message, Author.name).outerjoin(Author, Author.id == Message.author_id).where(
        Message.source_id == asked.source_id, Message.container == asked.container,
        Message.text != "", (Message.act_id.is_(None)) | (Message.act_id != row.act_id),
    )  # fmt: skip
    if asked.thread is not None:
        query = query.where((Message.thread == asked.thread) | (Message.external_id == asked.thread))
    key = (Message.published_at, Message.id)
    earlier = query.where(Message.published_at <= row.answered_at).order_by(*(one.desc() for one in key))
    later = query.where(Message.published_at > row.answered_at).order_by(*key)
    told = [
        [Said(name or "", message.text, message.published_at, message.direction == "out")
         for message, name in session.execute(part.limit(most))]
        for part, most in ((earlier, MOST_BEFORE), (later, MOST_AFTER))
    ]  # fmt: skip
    return told[0][::-1], told[1]


def reviews_of_week(session: Session, actor: Actor, week: date) -> list[Review]:
    """All that were drawn of a week, but for the reader's own."""
    require(actor, "review.mark")
    query = select(Review).where(Review.week == week, Review.staff_id != (actor.staff_id or 0))
    return list(session.scalars(query.order_by(Review.staff_id, Review.id)))


def lines_of(session: Session, rows: Sequence[Review]) -> list[Line]:
    """«Кто разобран»: the people of these reviews by name."""
    marks = marks_of(session, [row.id for row in rows])
    names = {one.id: one.name for one in session.scalars(select(Staff))}
    found = []
    for staff_id in {row.staff_id for row in rows}:
        own = [row for row in rows if row.staff_id == staff_id]
        given = [mark for row in own for mark in marks.get(row.id, {}).values() if mark is not None]
        states = [row.state for row in own]
        mean = sum(given) / len(given) if given else None
        found.append(Line(staff_id, names[staff_id], len(own), states.count("read"), states.count("skipped"), mean))
    return sorted(found, key=lambda line: line.name)


def own_reviews(session: Session, actor: Actor, limit: int = 100) -> list[Review]:
    """«Мои разборы»: what was read of one's own answers, the newest first."""
    require(actor, "review.view")
    query = select(Review).where(Review.staff_id == actor.staff_id, Review.state == "read")
    return list(session.scalars(query.order_by(Review.read_at.desc(), Review.id.desc()).limit(limit)))


def run_draw(database: Database, now: datetime | None = None) -> int:
    """Draws the last week once; returns how many answers were drawn now."""
    with database.read.begin() as session:
        if is_drawn(session, week_before(session, now)):
            return 0
    try:
        with database.write.begin() as session:
            return draw_week(session, now)
    except IntegrityError:  # another process has drawn it meanwhile
        return 0


def draw_week(session: Session, now: datetime | None = None, choice: Choice | None = None) -> int:
    """At most A_WEEK answers of each person, by chance; a week that was drawn stays as it is."""
    week = week_before(session, now)
    if is_drawn(session, week):
        return 0
    choice, found = choice or random.SystemRandom(), _sent(session, week)
    draw = ReviewDraw(week=week, drawn_at=now or utc_now())
    session.add(draw)
    session.flush()
    for staff_id in sorted(found):
        for act in sorted(
            choice.sample(found[staff_id], min(A_WEEK, len(found[staff_id]))), key=lambda one: one.id
        ):
            draw.count += 1
            session.add(
                Review(
                    week=week, act_id=act.id, case_id=act.case_id, staff_id=staff_id, answered_at=act.accepted_at,
                    drawn_at=draw.drawn_at,
                )
            )  # fmt: skip
    record(session, "review.drawn", DESK, object_id=draw.id, count=draw.count)
    return draw.count


def _sent(session: Session, week: date) -> dict[int, list[Any]]:
    """person → their answers that the platforms took in that week; a conversation that we began answers nobody."""
    zone = zone_of(policy_of(session))
    since, until = (datetime.combine(day, time.min, zone) for day in (week, week + DAYS))
    query = (
        select(Act.id, Act.case_id, Act.staff_id, Act.accepted_at)
        .join(Staff, Staff.id == Act.staff_id)
        .where(
            Act.kind.in_(WRITING), Act.state.in_(STANDING), Act.reply_id.is_not(None), Act.case_id.is_not(None),
            Act.message_id.is_not(None), Act.accepted_at >= since, Act.accepted_at < until, Staff.active,
        ).order_by(Act.id)
    )  # fmt: skip
    found: dict[int, list[Any]] = {}
    for row in session.execute(query):
        found.setdefault(row.staff_id, []).append(row)
    return found


def mark_answer(
    session: Session, actor: Actor, review_id: int, marks: Mapping[int, int | None], note: str = "",
    *, was: str = "drawn",
) -> Review:  # fmt: skip
    """Keeps a mark, or None where it does not apply, for every criterion in use; a read one may be marked anew.

    ``was``: its state as the reader saw it. Raises Stale when somebody else has dealt with it meanwhile, Refused
    for one's own answer and for a mark that is missing or none.
    """
    row = _judged(session, actor, review_id, was)
    wanted = {one.number for one in in_use(session)}
    if set(marks) != wanted or not {mark for mark in marks.values() if mark is not None} <= set(MARKS):
        raise Refused("review.marks")
    known = {
        one.criterion: one for one in session.scalars(select(ReviewMark).where(ReviewMark.review_id == row.id))
    }
    for criterion, mark in marks.items():
        if criterion in known:
            known[criterion].mark = mark
        else:
            session.add(ReviewMark(review_id=row.id, case_id=row.case_id, criterion=criterion, mark=mark))
    kind = "review.changed" if row.state == "read" else "review.read"
    row.state, row.note, row.skip_reason = "read", storable(note).strip(), ""
    row.reader_id, row.read_at = actor.staff_id, row.read_at or utc_now()
    session.flush()
    record(session, kind, actor, case_id=row.case_id, object_id=row.id)
    return row


def skip_answer(session: Session, actor: Actor, review_id: int, reason: str) -> Review:
    """Not to be judged, and why; another one is not drawn for it."""
    row = _judged(session, actor, review_id, "drawn")
    reason = storable(reason).strip()
    if not reason:
        raise Refused("review.reason")
    row.state, row.skip_reason = "skipped", reason
    row.reader_id, row.read_at = actor.staff_id, utc_now()
    record(session, "review.skipped", actor, case_id=row.case_id, object_id=row.id)
    return row


def _judged(session: Session, actor: Actor, review_id: int, was: str) -> Review:
    require(actor, "review.mark")
    row = session.get(Review, review_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("review.unknown", id=review_id)
    if row.staff_id == actor.staff_id:
        raise Refused("review.own")
    if row.state != was:
        raise Stale("review.read")
    return row
