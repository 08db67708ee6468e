"""The desk's own letters to its people: queued with the act they tell of, gathered, sent once, tried again.

A letter is written when it is sent: what was answered meanwhile is left out, and no row keeps the words of anybody
or the code of a link.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import Session

from collectors.base import ChannelError
from models import Delivery, Department, Route, Staff, utc_now
from models.database import Database
from services.absences import stand_ins
from services.calendars import next_answering
from services.errors import NotFound
from services.events import record
from services.leases import lease_over
from services.rights import DESK, Actor, actor_of, require
from services.route_states import OWED
from services.terms import policy_of

log = structlog.get_logger()
LEASE = timedelta(minutes=15)
"""Longer than a mail server may take to accept a letter (reliability R4)."""
PAUSES = (60, 300, 900, 3600, 3600, 3600, 7200, 14400, 28800)
"""Seconds after the n-th failure; then it is dead, a day after the first try."""
MOST_AT_ONCE = 500
UNSET_PAUSE = timedelta(minutes=5)
HOPELESS = frozenset({"gone", "invalid"})
"""Refusals of this one letter that no waiting heals; all else is the mail server's trouble."""


class Mailer(Protocol):
    """How letters leave; ``replies``: what is answered to them comes back to the desk."""

    @property
    def replies(self) -> bool: ...

    def send(self, to: str, name: str, subject: str, text: str, token: str) -> None:
        """Raises ChannelError; ``token`` makes the Message-ID."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What leaves: plain text to one person."""

    to: str
    name: str
    subject: str
    text: str


Write = Callable[[Session, Delivery, Staff, bool], Letter | None]
"""Makes the letter of a delivery (the last argument: replies are read); None when there is nothing to tell."""


@dataclass(frozen=True, slots=True)
class Post:
    """How the deliveries stand: what waits, what could not be sent."""

    waiting: int
    dead: int
    rows: tuple[tuple[Delivery, Staff], ...]


def post_of(session: Session, actor: Actor, limit: int = 50) -> Post:
    """The newest letters of the desk's own and how many wait or died, for the administrator."""
    require(actor, "settings.edit")
    counted = select(Delivery.state, func.count()).group_by(Delivery.state)
    counts = {row[0]: row[1] for row in session.execute(counted)}
    newest = select(Delivery, Staff).join(Staff, Staff.id == Delivery.staff_id).order_by(Delivery.id.desc())
    shown = tuple((row[0], row[1]) for row in session.execute(newest.limit(limit)))
    return Post(counts.get("queued", 0) + counts.get("sending", 0), counts.get("dead", 0), shown)


def addressees_of(session: Session, route: Route) -> list[Staff]:
    """Whom a question is for: the one it names or who stands in, else everybody who answers for the department and
    is there, else the heads."""
    people = list(session.scalars(select(Staff).where(Staff.active).order_by(Staff.id)))
    stand = stand_ins(session)
    unit = [one for one in people if _answers_for(actor_of(one), route.department_id)]
    named = [one for one in people if one.id == route.staff_id]
    if route.staff_id in stand:
        named = [one for one in unit if one.id == stand[route.staff_id]]
    there = [one for one in unit if one.id not in stand]
    heads = [one for one in people if "head" in actor_of(one).roles]
    return named or there or unit or heads


def _answers_for(actor: Actor, department_id: int) -> bool:
    return department_id in actor.departments and actor.may("route.answer")


def queue_letter(
    session: Session,
    staff_id: int,
    kind: str,
    form_key: str,
    data: Mapping[str, Any],
    due_at: datetime | None = None,
) -> Delivery:
    """Puts a letter on its way; the same ``form_key`` twice is one letter."""
    known = session.scalar(select(Delivery).where(Delivery.form_key == form_key))
    if known is not None:
        return known
    row = Delivery(
        staff_id=staff_id, kind=kind, form_key=form_key, token=secrets.token_urlsafe(24), data=dict(data),
        due_at=due_at or utc_now(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def tell_department(session: Session, route: Route, now: datetime | None = None) -> None:
    """Whom a question is for hears of it at the next answering hour, together with the others; an urgent one at
    once (day.md §3)."""
    now = now or utc_now()
    policy = policy_of(session)
    unit = policy.unit(session.get_one(Department, route.department_id).code)
    due = now if route.urgent else policy.after_quiet(next_answering(policy.calendars["desk"], now, unit.hours))
    for staff in addressees_of(session, route):
        if staff.id != route.asked_by_id:
            _gather(session, staff, route, due)


def _gather(session: Session, staff: Staff, route: Route, due: datetime) -> None:
    waiting = session.scalar(
        select(Delivery)
        .where(Delivery.staff_id == staff.id, Delivery.kind == "questions", Delivery.state == "queued")
        .order_by(Delivery.id)
        .limit(1)
        .with_for_update()
    )
    if waiting is None or waiting.attempts:
        data = {"routes": [route.id]}
        queue_letter(session, staff.id, "questions", f"q-{route.id}-{route.version}-{staff.id}", data, due)
        return
    routes = [one for one in waiting.data["routes"] if one != route.id]
    waiting.data = {**waiting.data, "routes": [*routes, route.id]}
    waiting.due_at = min(waiting.due_at, due)


def send_again(session: Session, actor: Actor, delivery_id: int) -> Delivery:
    """A letter that died is tried anew."""
    require(actor, "settings.edit")
    row = session.get(Delivery, delivery_id)
    if row is None:
        raise NotFound("delivery.unknown", id=delivery_id)
    if row.state == "dead":
        row.state, row.attempts, row.due_at, row.error_code = "queued", 0, utc_now(), None
        record(session, "delivery.again", actor, object_id=row.id)
    return row


def run_deliveries(database: Database, open_mailer: Callable[[], Mailer | None], write: Write) -> int:
    """Sends what is due, one commit before and one after each; returns how many it touched."""
    with database.read.begin() as session:
        if not session.scalar(_due().limit(1)):
            return 0
    mailer, done = open_mailer(), 0
    while done < MOST_AT_ONCE:
        with database.write.begin() as session:
            _sweep(session)
            row = _claim(session)
            letter = _prepare(session, row, mailer, write) if row else None
        if row is None:
            return done
        done += 1
        if letter is None or mailer is None:
            continue
        try:
            mailer.send(letter.to, letter.name, letter.subject, letter.text, row.token)
            error = None
        except ChannelError as failure:
            error = failure
        with database.write.begin() as session:
            _note(session, row, error)
        if error is not None and error.code not in HOPELESS:
            return done  # the others would meet the same
    return done


def _due() -> Select[int]:
    now = utc_now()
    waits = (Delivery.state == "queued") & (Delivery.due_at <= now)
    return select(Delivery.id).where(waits | ((Delivery.state == "sending") & _is_over(now)))


def _is_over(now: datetime) -> ColumnElement[bool]:
    return lease_over(Delivery.lease_until, now, LEASE.total_seconds())


def _sweep(session: Session) -> None:
    """A sender that died leaves a letter that may have left. It goes again under the same Message-ID, which mail
    programs join: a question told twice is better than one that nobody heard of."""
    session.execute(
        update(Delivery)
        .where(Delivery.state == "sending", _is_over(utc_now()))
        .values(state="queued", lease_until=None)
    )


def _claim(session: Session) -> Delivery | None:
    row = session.scalar(
        select(Delivery)
        .where(Delivery.state == "queued", Delivery.due_at <= utc_now())
        .order_by(Delivery.due_at, Delivery.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is not None:
        row.state, row.lease_until = "sending", utc_now() + LEASE
        row.attempts += 1
        session.flush()
    return row


def _prepare(session: Session, row: Delivery, mailer: Mailer | None, write: Write) -> Letter | None:
    if mailer is None:
        row.state, row.attempts = "queued", row.attempts - 1
        row.due_at, row.error_code = utc_now() + UNSET_PAUSE, "unset"
        return None
    staff = session.get_one(Staff, row.staff_id)
    letter = write(session, row, staff, mailer.replies) if staff.active else None
    if letter is None:
        row.state, row.lease_until = "cancelled", None
    return letter


def _note(session: Session, claimed: Delivery, error: ChannelError | None) -> None:
    row = session.get_one(Delivery, claimed.id, with_for_update=True)
    if row.state != "sending" or row.attempts != claimed.attempts:
        return  # its lease was over and somebody else has it
    row.lease_until = None
    if error is None:
        row.state, row.sent_at, row.error_code = "sent", utc_now(), None
        record(session, "delivery.sent", DESK, object_id=row.id, staff=row.staff_id, code=row.kind)
        return
    row.error_code = error.code
    if error.code in HOPELESS or row.attempts > len(PAUSES):
        row.state = "dead"
        record(session, "delivery.dead", DESK, object_id=row.id, staff=row.staff_id, code=error.code)
        return
    row.state = "queued"
    row.due_at = utc_now() + timedelta(seconds=error.retry_after or PAUSES[row.attempts - 1])


def waiting_for(session: Session, staff: Staff, ids: Sequence[int] | None = None) -> list[Route]:
    """Questions that still wait for this person, oldest first; of ``ids`` only, where they are given."""
    actor = actor_of(staff)
    query = select(Route).where(Route.state.in_(OWED)).order_by(Route.id)
    if ids is not None:
        query = query.where(Route.id.in_(ids))
    if "head" not in actor.roles:
        query = query.where(Route.department_id.in_(actor.departments))
        query = query.where((Route.staff_id.is_(None)) | (Route.staff_id == staff.id))
    return list(session.scalars(query))
