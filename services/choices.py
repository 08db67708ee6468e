"""«Мои уведомления»: which event reaches whom by which channel, when it is quiet, how it goes on by mail."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from models import Delivery, Notice, Staff, utc_now
from models.database import Database
from services.absences import quiet_until
from services.deliveries import queue_letter
from services.errors import NotFound, Refused
from services.events import record
from services.rights import Actor
from services.terms import Policy, policy_of, read_hour

EVENTS: Mapping[str, tuple[str, ...]] = {
    "crisis": ("crisis",),
    "deadline": ("first", "resolution", "department", "accept", "legal", "promise", "hurry"),
    "reply": ("act",),
    "incident": ("incident",),
    "call": ("note", "case", "rule"),
    "task": ("task",),
    "broadcast": ("broadcast",),
    "desk": ("backup", "source", "webhook"),
    "mark": ("mark",),
    "digest": ("digest",),
}
"""Event → how the kinds of its notices begin; a kind that stands nowhere here is shown by the bell alone."""
CHANNELS = ("browser", "mail")
FIXED = frozenset({("crisis", "browser")})
"""A threat to life rings until somebody says «вижу»: that cannot be switched off."""
MAIL_ONLY = frozenset({"digest"})
"""Letters of their own: the bell never rings for them."""
BATCH = 200
TEST_EVERY = timedelta(minutes=1)
AT_ONCE = ("crisis",)


@dataclass(frozen=True, slots=True)
class Choices:
    """``chosen``: (event, channel) pairs; ``quiet``: hours in the desk's zone as «21:00», None: the desk's own."""

    chosen: frozenset[tuple[str, str]]
    quiet: tuple[str, str] | None = None

    def wants(self, event: str, channel: str) -> bool:
        return (event, channel) in self.chosen


DEFAULT = Choices(frozenset((event, "mail" if event in MAIL_ONLY else "browser") for event in EVENTS))


def event_of(kind: str) -> str | None:
    """The event that a kind of notice belongs to."""
    first = kind.partition(".")[0]
    return next((event for event, kinds in EVENTS.items() if first in kinds), None)


def choices_of(staff: Staff) -> Choices:
    """What the person has chosen; the bell alone where nothing is."""
    if not staff.choices:
        return DEFAULT
    pairs = {(event, channel) for event, channels in staff.choices["events"].items() for channel in channels}
    known = {(event, channel) for event, channel in pairs if event in EVENTS and channel in CHANNELS}
    quiet = staff.choices.get("quiet")
    return Choices(frozenset(known) | FIXED, (quiet[0], quiet[1]) if quiet else None)


def unseen_kinds(session: Session, staff_id: int | None) -> ColumnElement[bool] | None:
    """Which notices the person's bell leaves out; None: none."""
    staff = session.get(Staff, staff_id) if staff_id is not None else None
    if staff is None or not staff.choices:
        return None
    chosen = choices_of(staff)
    off = [kind for event, kinds in EVENTS.items() if not chosen.wants(event, "browser") for kind in kinds]
    conditions = [(Notice.kind == kind) | Notice.kind.startswith(f"{kind}.", autoescape=True) for kind in off]
    if not conditions:
        return None
    found = conditions[0]
    for one in conditions[1:]:
        found = found | one
    return found


def may_disturb(staff: Staff, policy: Policy, at: datetime) -> datetime:
    """``at``, or the end of the quiet hours it falls into: the person's own win over all others."""
    quiet = choices_of(staff).quiet
    if quiet is None:
        return quiet_until(staff, policy, at)
    return policy.after_quiet(at, (read_hour(quiet[0]), read_hour(quiet[1])))


def save_choices(
    session: Session, actor: Actor, chosen: Collection[tuple[str, str]], quiet: tuple[str, str] | None
) -> Choices:
    """Everybody for themselves. Raises Refused for an event, a channel or an hour that there is not."""
    staff = _self(session, actor)
    if any(event not in EVENTS or channel not in CHANNELS for event, channel in chosen):
        raise Refused("choice.unknown")
    hours = [f"{read_hour(hour):%H:%M}" for hour in quiet] if quiet else None
    if hours is not None and hours[0] == hours[1]:
        raise Refused("choice.quiet")
    pairs = {*chosen, *FIXED}
    events = {event: [one for one in CHANNELS if (event, one) in pairs] for event in EVENTS}
    staff.choices = {"events": events, **({"quiet": hours} if hours else {})}
    record(session, "choices.saved", actor, object_id=staff.id)
    return choices_of(staff)


def send_test(session: Session, actor: Actor, now: datetime | None = None) -> Delivery:
    """«Отправить себе проверочное»; twice within a minute is one."""
    staff, now = _self(session, actor), now or utc_now()
    at = int(now.timestamp() // TEST_EVERY.total_seconds())
    return queue_letter(session, staff.id, "test", f"mine-{staff.id}-{at}", {})


def _self(session: Session, actor: Actor) -> Staff:
    staff = session.get(Staff, actor.staff_id) if actor.staff_id is not None else None
    if staff is None or not staff.active:
        raise NotFound("staff.unknown", id=actor.staff_id)
    return staff


def run_pass(database: Database) -> int:
    """Hands on what notices say to whoever chose mail for it; returns how many were looked at."""
    done = 0
    while True:
        with database.read.begin() as session:
            if session.scalar(_unpassed().limit(1)) is None:
                return done
        with database.write.begin() as session:
            done += _pass(session)


def _unpassed() -> Select[int]:
    return select(Notice.id).where(Notice.passed_at.is_(None), Notice.show_at <= utc_now())


def _pass(session: Session) -> int:
    ids = _unpassed().order_by(Notice.show_at, Notice.id).limit(BATCH)
    query = select(Notice).where(Notice.id.in_(ids), Notice.passed_at.is_(None)).order_by(Notice.id)
    notices = list(session.scalars(query.with_for_update()))
    policy, now = policy_of(session), utc_now()
    for notice in notices:
        notice.passed_at = now
        staff, event = session.get_one(Staff, notice.staff_id), event_of(notice.kind)
        if event is None or notice.seen_at is not None or not choices_of(staff).wants(event, "mail"):
            continue
        _gather(session, staff, notice, now if event in AT_ONCE else may_disturb(staff, policy, now))
    return len(notices)


def _gather(session: Session, staff: Staff, notice: Notice, due: datetime) -> None:
    """One letter for all that waits: nobody is written to twice for what was told in one quiet hour."""
    waiting = session.scalar(
        select(Delivery)
        .where(Delivery.staff_id == staff.id, Delivery.kind == "notices", Delivery.state == "queued")
        .order_by(Delivery.id)
        .limit(1)
        .with_for_update()
    )
    if waiting is None or waiting.attempts:
        queue_letter(session, staff.id, "notices", f"n-{notice.id}", {"notices": [notice.id]}, due)
        return
    waiting.data = {**waiting.data, "notices": [*waiting.data["notices"], notice.id]}
    waiting.due_at = min(waiting.due_at, due)
