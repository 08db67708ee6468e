"""Reading live chats: each place by itself, never sooner than its platform allows, within the units of the day."""

import secrets
import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from collectors.airing import Airing, ChatPage
from collectors.base import Channel, ChannelError
from models import Broadcast, BroadcastPlace, RawItem, Source, utc_now
from models.database import Database
from services.again import run_again, tell
from services.broadcasts.quota import Plan, for_collecting, make_plan
from services.broadcasts.states import ON_AIR
from services.intake import run_parse, store_raws
from services.leases import lease_over
from services.messages import store_messages

LEASE_SECONDS = 60
BACKOFF_SECONDS = (1, 2, 5)
"""After an error of a chat whose own pause is not known; one that is known goes on with it."""
PATIENT = 60
"""So many errors in a row are a drop, a chat that is away for longer is asked seldom."""
AHEAD = timedelta(seconds=0.5)
"""A chat that is due so soon is waited for, or it would be read a tick of the clock too late."""
AIR_SECONDS = 2
"""A place that is read in the ordinary way is read so often while one of its posts is on air."""
OpenChannel = Callable[[Source], Channel]
log = structlog.get_logger()


def run_chats(
    database: Database, open_channel: OpenChannel, holder: str, told: Callable[[], object] = lambda: None
) -> int:
    """Reads every chat that is due once, one after another; returns how many raws came. Several may run at once.

    ``told`` is called after each chat that brought something.
    """
    came, done = 0, set[int]()
    with database.read.begin() as session:
        due = select(BroadcastPlace.id).where(BroadcastPlace.due_at <= utc_now() + AHEAD).limit(1)
        if session.scalar(due) is None:
            return 0
    while True:
        with database.write.begin() as session:
            place = _claim(session, f"{holder}:{secrets.token_hex(4)}", utc_now(), done)
            if place is None:
                return came
            source = session.get_one(Source, place.source_id)
            row = session.get_one(Broadcast, place.broadcast_id)
            session.expunge_all()
        done.add(place.id)
        if place.due_at is not None:
            time.sleep(max(0.0, (place.due_at - utc_now()).total_seconds()))
        brought = _read(database, open_channel, place, source, row)
        if brought:
            told()
        came += brought


def _claim(session: Session, holder: str, now: datetime, done: Collection[int]) -> BroadcastPlace | None:
    """One statement finds and takes: two readers never ask one chat at once."""
    free = or_(BroadcastPlace.lease_until.is_(None), lease_over(BroadcastPlace.lease_until, now, LEASE_SECONDS))
    due = (
        select(BroadcastPlace.id)
        .join(Source, Source.id == BroadcastPlace.source_id)
        .where(
            BroadcastPlace.due_at <= now + AHEAD, free, Source.state == "active", BroadcastPlace.id.not_in(done)
        )
        .order_by(BroadcastPlace.due_at).limit(1).with_for_update(skip_locked=True, of=BroadcastPlace)
    )  # fmt: skip
    return session.scalars(
        update(BroadcastPlace).where(BroadcastPlace.id == due.scalar_subquery(), free)
        .values(lease_until=now + timedelta(seconds=LEASE_SECONDS), lease_holder=holder).returning(BroadcastPlace)
    ).one_or_none()  # fmt: skip


def _read(
    database: Database, open_channel: OpenChannel, place: BroadcastPlace, source: Source, row: Broadcast
) -> int:
    try:
        channel = open_channel(source)
        try:
            airing = Airing(
                (place.publication or "").partition("-")[2], row.title, "live", place.publication or "", place.url,
                place.chat,
            )  # fmt: skip
            page = channel.chat(airing, dict(place.cursor))
            at = utc_now()
            _store(database, channel, place, page, at)
            return len(page.raws)
        finally:
            channel.close()
    except ChannelError as error:
        with database.write.begin() as session:
            _note_failure(session, place, error)
        return 0


def _store(database: Database, channel: Channel, place: BroadcastPlace, page: ChatPage, at: datetime) -> None:
    """What came, how far it was read and when to ask again, in one transaction: a kill loses nothing."""
    try:
        with database.write.begin() as session:
            if _keep(session, channel, place, page, at):
                _understand(session, channel, place, page)
    except Exception as error:
        tell(error, "chat.parse", place=place.id)  # kept as it came; the poison is found one by one
        if run_again(database, partial(_keep, channel=channel, place=place, page=page, at=at)):
            run_parse(database, place.source_id or 0, channel)


def _keep(session: Session, channel: Channel, place: BroadcastPlace, page: ChatPage, at: datetime) -> bool:
    """False when somebody else has had the place meanwhile: what this page brought comes to them again."""
    held = session.scalar(
        select(BroadcastPlace)
        .where(BroadcastPlace.id == place.id, BroadcastPlace.lease_holder == place.lease_holder)
        .with_for_update()
    )
    if held is None:
        return False
    store_raws(session, place.source_id or 0, page.raws)
    plan = _plan(session, channel, held, page.pause, at)
    held.cursor, held.read_at, held.reads, held.failures, held.error_code = page.cursor, at, held.reads + 1, 0, None
    held.pause_seconds = page.pause
    held.lease_until = held.lease_holder = None
    pause = plan.pause if plan else page.pause
    held.due_at = None if page.ended else at + timedelta(seconds=pause)
    if page.ended:
        held.ended_at = at
    return True


def _understand(session: Session, channel: Channel, place: BroadcastPlace, page: ChatPage) -> None:
    if not page.raws:
        return
    incoming = [item for raw in page.raws for item in channel.parse(raw)]
    store_messages(session, place.source_id or 0, channel.kind, incoming)
    session.execute(
        update(RawItem)
        .where(
            RawItem.source_id == place.source_id, RawItem.container == place.publication,
            RawItem.external_id.in_([raw.external_id for raw in page.raws]), RawItem.state == "new",
        )
        .values(state="parsed", attempts=0, error=None)
    )  # fmt: skip


def _plan(session: Session, channel: Channel, place: BroadcastPlace, demanded: float, at: datetime) -> Plan | None:
    """The plan of the broadcast from now on; None where nothing is counted. It is kept for the screen."""
    budget = channel.chat_budget()
    if budget is None:
        return None
    row = session.get_one(Broadcast, place.broadcast_id)
    source = session.get_one(Source, place.source_id)
    chats = list(
        session.scalars(
            select(BroadcastPlace).where(
                BroadcastPlace.source_id == place.source_id, BroadcastPlace.due_at.is_not(None)
            )
        )
    )
    left = max(0, budget.left - for_collecting(budget.seconds_to_reset, source.every_seconds))
    plan = make_plan(
        left=left, spent=budget.spent, limit=budget.limit, cost=budget.cost,
        seconds=(row.ends_at - at).total_seconds(), chats=len(chats), demanded=demanded,
    )  # fmt: skip
    row.plan = plan.as_row()
    return plan


def _note_failure(session: Session, place: BroadcastPlace, error: ChannelError) -> None:
    held = session.scalar(
        select(BroadcastPlace).where(
            BroadcastPlace.id == place.id, BroadcastPlace.lease_holder == place.lease_holder
        )
    )
    if held is None:
        return
    held.failures += 1
    held.error_code = error.code
    pause = error.retry_after or BACKOFF_SECONDS[min(held.failures, len(BACKOFF_SECONDS)) - 1]
    if held.pause_seconds and not error.retry_after and held.failures <= PATIENT:
        pause = 0.0
    planned = session.get_one(Broadcast, held.broadcast_id).plan.get("pause", 0.0)
    held.due_at = utc_now() + timedelta(seconds=max(pause, held.pause_seconds, planned))
    held.lease_until = held.lease_holder = None


def run_quicken(database: Database) -> int:
    """Asks first, so that nothing is locked while nothing is on air."""
    with database.read.begin() as session:
        if session.scalar(select(Broadcast.id).where(Broadcast.state == ON_AIR).limit(1)) is None:
            return 0
    with database.write.begin() as session:
        return quicken(session)


def quicken(session: Session, now: datetime | None = None) -> int:
    """Places that are read in the ordinary way are due at once while a post of theirs is on air."""
    now = now or utc_now()
    on_air = (
        select(BroadcastPlace.source_id)
        .join(Broadcast, Broadcast.id == BroadcastPlace.broadcast_id)
        .where(Broadcast.state == ON_AIR, BroadcastPlace.source_id.is_not(None), BroadcastPlace.chat.is_(None))
    )
    done = session.execute(
        update(Source)
        .where(
            Source.id.in_(on_air), Source.state == "active", Source.failures == 0,
            Source.every_seconds < 3600, Source.due_at > now + timedelta(seconds=AIR_SECONDS),
            Source.read_at <= now,
        )
        .values(due_at=now + timedelta(seconds=AIR_SECONDS))
    )  # fmt: skip
    return int(done.rowcount)  # type: ignore[attr-defined]
