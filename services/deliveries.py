"""What the desk writes to its own people, by mail and by messengers: gathered, sent once, tried again.

A letter is written when it is sent: what was answered meanwhile is left out, and no row keeps the words of anybody
or the code of a link.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog
from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import Session

from collectors.base import ChannelError
from models import Delivery, Department, Notice, Route, Staff, utc_now
from models.database import Database
from services.absences import quiet_until, stand_ins
from services.again import run_again
from services.bots import bots_of, reach_of
from services.calendars import next_answering
from services.errors import NotFound
from services.events import record
from services.leases import lease_over
from services.rights import DESK, Actor, actor_of, require
from services.route_states import OWED
from services.terms import policy_of
from services.ways import ways_of

log = structlog.get_logger()
LEASE = timedelta(minutes=15)
"""Longer than a mail server may take to accept a letter (reliability R4)."""
PAUSES = (60, 300, 900, 3600, 3600, 3600, 7200, 14400, 28800)
"""Seconds after the n-th failure; then it is dead, a day after the first try."""
BOT_PAUSES = (30, 120, 600)
"""The same for a messenger: whom it does not reach within some ten minutes, mail tells."""
MOST_AT_ONCE = 500
UNSET_PAUSE = timedelta(minutes=5)
HOPELESS = frozenset({"gone", "invalid"})
"""Refusals of this one letter that no waiting heals; all else is the mail server's trouble."""
MAIL = "mail"
BY_MAIL_TOO = frozenset({"questions", "notices", "digest", "taken", "refused"})
"""What is told by mail where a messenger could not."""


class Mailer(Protocol):
    """How letters leave by one channel; ``replies``: what is answered to them comes back to the desk."""

    @property
    def replies(self) -> bool: ...

    def send(self, to: str, name: str, subject: str, text: str, token: str) -> str | None:
        """The id that a messenger gave, if any; raises ChannelError. ``token`` makes the Message-ID of a mail."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What leaves: plain text to one person, ``to`` their mail address or their dialogue with the bot."""

    to: str
    name: str
    subject: str
    text: str


OpenSender = Callable[[str], Mailer | None]
"""Channel → how letters leave by it; None while nobody was chosen to send."""
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
    channel: str = MAIL,
) -> Delivery:
    """Puts a letter on its way by one channel; the same ``form_key`` twice is one letter."""
    form_key = key_of(form_key, channel)
    known = session.scalar(select(Delivery).where(Delivery.form_key == form_key))
    if known is not None:
        return known
    row = Delivery(
        staff_id=staff_id, kind=kind, form_key=form_key, token=secrets.token_urlsafe(24), data=dict(data),
        due_at=due_at or utc_now(), channel=channel,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def key_of(form_key: str, channel: str) -> str:
    """The key of one letter among those that tell the same by several channels."""
    return form_key if channel == MAIL else f"{form_key}@{channel}"


def tell_department(session: Session, route: Route, now: datetime | None = None) -> None:
    """Whom a question is for hears of it at the next answering hour, together with the others; an urgent one at
    once (day.md §3)."""
    now = now or utc_now()
    policy = policy_of(session)
    unit = policy.unit(session.get_one(Department, route.department_id).code)
    due = now if route.urgent else policy.after_quiet(next_answering(policy.calendars["desk"], now, unit.hours))
    for staff in addressees_of(session, route):
        if staff.id != route.asked_by_id:
            for way in ways_of(session, staff, "question"):
                _gather(session, staff, route, due, way)


def tell_asker(session: Session, route: Route, code: str, now: datetime | None = None) -> None:
    """Whoever asked something that belongs to no case hears behind the bell what became of it, the heads besides
    where they are away or gone; the new word stands for those before it."""
    now, policy, stand = now or utc_now(), policy_of(session), stand_ins(session)
    people = {one.id: one for one in session.scalars(select(Staff).where(Staff.active))}
    told = {route.asked_by_id} & people.keys()
    if not told or told & stand.keys():
        told |= {one.id for one in people.values() if "head" in actor_of(one).roles}
    session.execute(
        update(Notice)
        .where(Notice.route_id == route.id, Notice.kind.startswith("inquiry."), Notice.seen_at.is_(None))
        .values(seen_at=now)
    )
    for key in sorted(told):
        show_at = quiet_until(people[key], policy, now)
        session.add(
            Notice(staff_id=key, kind=f"inquiry.{code}", route_id=route.id, show_at=show_at, created_at=now)
        )


def _gather(session: Session, staff: Staff, route: Route, due: datetime, way: str) -> None:
    waiting = session.scalar(
        select(Delivery)
        .where(Delivery.staff_id == staff.id, Delivery.kind == "questions", Delivery.state == "queued")
        .where(Delivery.channel == way)
        .order_by(Delivery.id)
        .limit(1)
        .with_for_update()
    )
    if waiting is None or waiting.attempts:
        data = {"routes": [route.id]}
        key = f"q-{route.id}-{route.version}-{staff.id}"
        queue_letter(session, staff.id, "questions", key, data, due, channel=way)
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


def run_deliveries(database: Database, open_sender: OpenSender, write: Write) -> int:
    """Sends what is due, one commit before and one after each; returns how many it touched. A channel whose server
    is in trouble rests until the next run and holds up no other."""
    with database.read.begin() as session:
        due = list(session.scalars(_due()))
    senders = {channel: open_sender(channel) for channel in due}
    done = 0
    while senders and done < MOST_AT_ONCE:
        with database.write.begin() as session:
            _sweep(session)
            row = _claim(session, list(senders))
        if row is None:
            return done
        done += 1
        sender = senders[row.channel]
        letter = _written(database, row, sender, write)
        if letter is None or sender is None:
            continue
        external_id, error = None, None
        try:
            external_id = sender.send(letter.to, letter.name, letter.subject, letter.text, row.token)
        except ChannelError as failure:
            error = failure
        run_again(database, partial(_note, claimed=row, error=error, external_id=external_id))
        if error is not None and not _is_hopeless(row, error):
            del senders[row.channel]  # the others would meet the same
    return done


def _written(database: Database, claimed: Delivery, sender: Mailer | None, write: Write) -> Letter | None:
    """A letter that cannot be put together waits like one that cannot leave, and holds up no other."""
    try:
        with database.write.begin() as session:
            row = session.get_one(Delivery, claimed.id, with_for_update=True)
            return _prepare(session, row, sender, write)
    except Exception:
        log.exception("delivery.unwritten", id=claimed.id)
    with database.write.begin() as session:
        row = session.get_one(Delivery, claimed.id, with_for_update=True)
        if row.state == "sending" and row.attempts == claimed.attempts:
            _put_off(session, row, "unwritten")
    return None


def _due() -> Select[str]:
    """The channels by which something is due."""
    now = utc_now()
    waits = (Delivery.state == "queued") & (Delivery.due_at <= now)
    return select(Delivery.channel).distinct().where(waits | ((Delivery.state == "sending") & _is_over(now)))


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


def _claim(session: Session, channels: Sequence[str]) -> Delivery | None:
    row = session.scalar(
        select(Delivery)
        .where(Delivery.state == "queued", Delivery.due_at <= utc_now(), Delivery.channel.in_(channels))
        .order_by(Delivery.due_at, Delivery.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is not None:
        row.state, row.lease_until = "sending", utc_now() + LEASE
        row.attempts += 1
        session.flush()
    return row


def _prepare(session: Session, row: Delivery, sender: Mailer | None, write: Write) -> Letter | None:
    if sender is None and row.channel == MAIL:
        row.state, row.attempts = "queued", row.attempts - 1
        row.due_at, row.error_code = utc_now() + UNSET_PAUSE, "unset"
        return None
    staff = session.get_one(Staff, row.staff_id)
    chat = _chat_of(session, row) if sender is not None and row.channel != MAIL else None
    if staff.active and row.channel != MAIL and chat is None:
        _give_up(session, row, "unset" if sender is None else "unbound")
        return None
    letter = write(session, row, staff, sender.replies) if staff.active and sender is not None else None
    if letter is None:
        row.state, row.lease_until = "cancelled", None
    elif chat is not None:
        return replace(letter, to=chat)
    return letter


def _chat_of(session: Session, row: Delivery) -> str | None:
    """The dialogue in which a messenger's letter belongs, with the bot that writes now."""
    if "chat" in row.data:  # somebody who is not bound hears why
        bot = bots_of(session).get(row.channel)
        row.source_id = bot.source.id if bot else None
        return str(row.data["chat"]) if bot else None
    account = reach_of(session, row.staff_id).get(row.channel)
    row.source_id = account.source_id if account else None
    return account.chat if account else None


def _note(session: Session, claimed: Delivery, error: ChannelError | None, external_id: str | None) -> None:
    row = session.get_one(Delivery, claimed.id, with_for_update=True)
    if row.state != "sending" or row.attempts != claimed.attempts:
        return  # its lease was over and somebody else has it
    row.lease_until = None
    if error is None:
        row.state, row.sent_at, row.error_code, row.external_id = "sent", utc_now(), None, external_id
        record(session, "delivery.sent", DESK, object_id=row.id, staff=row.staff_id, code=row.kind)
        return
    if _is_hopeless(row, error):
        _give_up(session, row, error.code)
    else:
        _put_off(session, row, error.code, error.retry_after)


def _put_off(session: Session, row: Delivery, code: str, seconds: float | None = None) -> None:
    """Until the next try, or for good after the last one."""
    pauses = PAUSES if row.channel == MAIL else BOT_PAUSES
    if row.attempts > len(pauses):
        _give_up(session, row, code)
        return
    row.state, row.lease_until, row.error_code = "queued", None, code
    row.due_at = utc_now() + timedelta(seconds=seconds or pauses[row.attempts - 1])


def _is_hopeless(row: Delivery, error: ChannelError) -> bool:
    """No waiting heals it: of a messenger everything that it calls final."""
    return error.code in HOPELESS or (row.channel != MAIL and error.permanent)


def _give_up(session: Session, row: Delivery, code: str) -> None:
    """Nobody heard of it by this channel; mail tells what a messenger could not."""
    row.state, row.lease_until, row.error_code = "dead", None, code
    record(session, "delivery.dead", DESK, object_id=row.id, staff=row.staff_id, code=code)
    if row.channel != MAIL and row.kind in BY_MAIL_TOO:
        key = row.form_key.removesuffix(f"@{row.channel}")
        queue_letter(session, row.staff_id, row.kind, key, row.data)


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
