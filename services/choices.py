"""«Мои уведомления»: what a person chooses, when it is quiet, and how notices go on by mail and messengers."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from models import Delivery, Notice, Staff, utc_now
from models.database import Database
from services.absences import quiet_until
from services.bots import reach_of
from services.deliveries import queue_letter
from services.errors import NotFound, Refused
from services.events import record
from services.rights import Actor
from services.terms import Policy, policy_of, read_hour
from services.ways import CHANNELS, EVENTS, FIXED, Choices, choices_of, event_of, keep_choices, ways_of

BATCH = 200
TEST_EVERY = timedelta(minutes=1)
AT_ONCE = ("crisis",)


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
    keep_choices(staff, {*chosen, *FIXED}, hours)
    record(session, "choices.saved", actor, object_id=staff.id)
    return choices_of(staff)


def send_test(session: Session, actor: Actor, channel: str = "mail", now: datetime | None = None) -> Delivery:
    """«Отправить себе проверочное»; twice within a minute is one. Raises Refused for a channel out of reach."""
    staff, now = _self(session, actor), now or utc_now()
    if channel != "mail" and channel not in reach_of(session, staff.id):
        raise Refused("bot.unbound")
    at = int(now.timestamp() // TEST_EVERY.total_seconds())
    return queue_letter(session, staff.id, "test", f"mine-{staff.id}-{at}", {}, channel=channel)


def _self(session: Session, actor: Actor) -> Staff:
    staff = session.get(Staff, actor.staff_id) if actor.staff_id is not None else None
    if staff is None or not staff.active:
        raise NotFound("staff.unknown", id=actor.staff_id)
    return staff


def run_pass(database: Database) -> int:
    """Hands on what notices say to whoever chose to be written to; returns how many were looked at."""
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
        if event is None or notice.seen_at is not None:
            continue
        for way in ways_of(session, staff, event):
            _gather(session, staff, notice, now if event in AT_ONCE else may_disturb(staff, policy, now), way)
    return len(notices)


def _gather(session: Session, staff: Staff, notice: Notice, due: datetime, way: str) -> None:
    """One letter for all that waits: nobody is written to twice for what was told in one quiet hour."""
    waiting = session.scalar(
        select(Delivery)
        .where(Delivery.staff_id == staff.id, Delivery.kind == "notices", Delivery.state == "queued")
        .where(Delivery.channel == way)
        .order_by(Delivery.id)
        .limit(1)
        .with_for_update()
    )
    if waiting is None or waiting.attempts:
        data = {"notices": [notice.id]}
        queue_letter(session, staff.id, "notices", f"n-{notice.id}", data, due, channel=way)
        return
    waiting.data = {**waiting.data, "notices": [*waiting.data["notices"], notice.id]}
    waiting.due_at = min(waiting.due_at, due)
