"""The work of sending: one lane a place, so that a slow platform holds up nobody but itself.

Rules R2, R5–R7 of reliability.md §2: claim, commit, call, then what came of it; never a transaction across
the call.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from collectors.base import ActFile, Channel, ChannelError, Receipt
from models import Act, Source, utc_now
from models.database import Database
from services.again import is_passing, run_again, tell
from services.errors import DeskError
from services.events import record
from services.leases import astray, lease_over
from services.outbox import LEASE_SECONDS, WAITING, OpenChannel, channel_act, claim_act, move_act
from services.outcomes import ask_a_person, fenced, judge, record_error, record_receipt, taken_ids
from services.reply_files import contents_of
from services.rights import DESK

log = structlog.get_logger()
LANES = 8
MOST_IN_A_ROW = 200
"""After so many acts a lane ends; what is left is found again, so that no place keeps a lane for itself."""
TURN_SECONDS = 15
"""And after so many seconds: where a platform takes one act in three, eight mass answers would hold all lanes."""
LOOK_AT_CLOCK = 10
"""So many seconds apart the machine's clock is laid beside the database's."""
PATIENCE = timedelta(hours=1)
"""How long a platform that does not answer is asked what became of an act, before a person is."""
STOPPING = frozenset({"auth", "rate", "quota", "network", "settings", "captcha", "address"})
"""Errors of the place, not of the act: the lane ends, since other acts would meet the same."""


def run_outbox(database: Database, open_channel: OpenChannel) -> int:
    """Does what is due and settles what is unknown; returns how many acts it touched."""
    lanes = Lanes(database, open_channel)
    try:
        touched = 0
        while (done := sum(lane.result() for lane in lanes.start())) > 0:
            touched += done
        return touched
    finally:
        lanes.stop()


class Lanes:
    """Starts a lane for every place with something due and none yet; safe to call from any thread."""

    def __init__(
        self, database: Database, open_channel: OpenChannel, on_change: Callable[[], None] = lambda: None
    ) -> None:
        self._database = database
        self._open_channel = open_channel
        self._on_change = on_change
        self._pool = ThreadPoolExecutor(LANES, thread_name_prefix="lane")
        self._lock = threading.Lock()
        self._busy: dict[int, Future[int]] = {}
        self._stopping = threading.Event()
        self._looked_at, self._astray = float("-inf"), False

    def start(self) -> list[Future[int]]:
        """The lanes that were started now; none while this machine's clock is far from the database's (F13)."""
        if self._is_astray():
            return []
        with self._database.write.begin() as session:
            sweep_leases(session)
        with self._database.read.begin() as session:
            due = places_due(session)
        started = []
        with self._lock:
            for source_id in due:
                if source_id not in self._busy and not self._stopping.is_set():
                    self._busy[source_id] = lane = self._pool.submit(self._run, source_id)
                    started.append(lane)
        return started

    def _is_astray(self) -> bool:
        """By a wrong clock others' calls look long over, and ours to the others: both would send twice."""
        if self._database.is_sqlite or time.monotonic() < self._looked_at + LOOK_AT_CLOCK:
            return self._astray
        with self._database.read.begin() as session:
            off = astray(session)
        self._looked_at, was, self._astray = time.monotonic(), self._astray, off is not None
        if off is not None and not was:
            log.error("send.clock", seconds=round(off.total_seconds()))
        return self._astray

    def stop(self, seconds: float = 30) -> None:
        """Lets the calls that are under way end, and claims nothing more."""
        self._stopping.set()
        with self._lock:
            running = list(self._busy.values())
        wait(running, seconds)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, source_id: int) -> int:
        touched = 0
        try:
            touched = self._lane(source_id)
        except Exception as error:  # the act keeps its lease and is looked up after it (F15)
            tell(error, "send.failed", source=source_id)
        finally:
            with self._lock:
                self._busy.pop(source_id, None)
        if touched:
            self._on_change()
        return touched

    def _lane(self, source_id: int) -> int:
        with self._database.write.begin() as session:
            source = session.get_one(Source, source_id)
            act = claim_act(session, source_id)
            waiting = [] if act else _unknown(session, source_id)
        if act is None and not waiting:
            return 0
        try:
            channel = self._open_channel(source)
        except (ChannelError, DeskError) as error:
            self._could_not_open(act, waiting, error)
            return 1
        try:
            touched = self._send(channel, act) if act else 0
            return touched + self._settle(channel, source_id)
        finally:
            channel.close()

    def _could_not_open(self, act: Act | None, waiting: list[Act], error: ChannelError | DeskError) -> None:
        if isinstance(error, DeskError):
            error = ChannelError(error.code, code="settings")
        for one in (act, *waiting):  # each by itself: a transaction holds one act and its case
            with self._database.write.begin() as session:
                if one is not None and one is act:
                    record_error(session, one, error)
                elif one is not None:
                    _look_later(session, one, error)

    def _send(self, channel: Channel, first: Act) -> int:
        """One commit an act: what came of the last one and the claim of the next."""
        act: Act | None = first
        touched, began = 0, time.monotonic()
        claimed_at = began
        while act is not None:
            called, told = act, self._call(channel, act, claimed_at)
            touched += 1
            ends = isinstance(told, ChannelError) and told.code in STOPPING
            try:
                with self._database.write.begin() as session:
                    _note(session, called, told)
                    claimed_at = time.monotonic()
                    ends = ends or touched >= MOST_IN_A_ROW or claimed_at - began >= TURN_SECONDS
                    if ends or self._stopping.is_set():
                        return touched
                    # What a receipt changes is nothing that waits: it is written with the next claim's event.
                    with session.no_autoflush if isinstance(told, Receipt) else nullcontext():
                        act = claim_act(session, called.source_id)
            except DBAPIError as error:
                if not is_passing(error):
                    raise
                # Nobody else knows what came of the call: where a platform has no list, a person would be asked.
                run_again(self._database, partial(_note, act=called, told=told))
                return touched
        return touched

    def _call(self, channel: Channel, act: Act, claimed_at: float) -> Receipt | ChannelError | None:
        """R7: a worker that was frozen past its lease does not call; None says so.

        Nobody takes the act from us before the lease is over, so the clocks suffice: one goes on while the process
        is stopped, the other while the machine sleeps.
        """
        files: tuple[ActFile, ...] = ()
        if act.files:
            try:
                with self._database.read.begin() as session:
                    files = contents_of(session, act)
            except ChannelError as error:
                return error
        if time.monotonic() - claimed_at >= LEASE_SECONDS or (act.lease_until or utc_now()) <= utc_now():
            return None
        try:
            return channel.act(channel_act(act, files))
        except ChannelError as error:
            return error

    def _settle(self, channel: Channel, source_id: int) -> int:
        with self._database.read.begin() as session:
            waiting = _unknown(session, source_id)
        for act in waiting:
            if self._stopping.is_set():
                break
            try:
                with self._database.read.begin() as session:
                    taken = taken_ids(session, act)
                proof = channel.lookup(replace(channel_act(act), taken=taken))
            except Exception as error:
                if not isinstance(error, ChannelError):  # a mistake of ours is the trouble of one act alone (I9)
                    log.exception("lookup.failed", act=act.id)
                    error = ChannelError(type(error).__name__, code="server")
                with self._database.write.begin() as session:
                    _look_later(session, act, error)
                continue
            with self._database.write.begin() as session:
                row = fenced(session, act, ("unknown",))
                if row is not None:
                    judge(session, row, proof)
        return len(waiting)


def _note(session: Session, act: Act, told: Receipt | ChannelError | None) -> None:
    if isinstance(told, ChannelError):
        record_error(session, act, told)
    elif told is not None:
        record_receipt(session, act, told)


def places_due(session: Session) -> list[int]:
    """Places with an act to send or to look up now."""
    now = utc_now()
    waiting = (
        select(Act.source_id).join(Source, Source.id == Act.source_id)
        .where(
            Act.due_at <= now,
            or_(Act.state == "unknown", Act.state.in_(WAITING) & Source.state.not_in(("paused", "manual"))),
        )
        .distinct()
    )  # fmt: skip
    return list(session.scalars(waiting))


def sweep_leases(session: Session) -> None:
    """A worker that has not come back within its lease leaves an act that nobody knows the outcome of (R4)."""
    now = utc_now()
    late = (
        select(Act).where(Act.state == "sending", lease_over(Act.lease_until, now, LEASE_SECONDS)).order_by(Act.id)
    )
    # Locked and looked at again: a worker may be writing its receipt at this moment.
    for row in session.scalars(late.with_for_update(skip_locked=True)):
        # By a clock that was set back nobody can tell how long ago it began: its call may still be under way.
        rest = timedelta(seconds=LEASE_SECONDS) if row.lease_until and row.lease_until > now else timedelta()
        move_act(row, "unknown")
        row.due_at, row.error_code = now + rest, "network"
        record(session, "act.unknown", DESK, case_id=row.case_id, object_id=row.id, code="lease")


def _unknown(session: Session, source_id: int, limit: int = 20) -> list[Act]:
    return list(
        session.scalars(
            select(Act)
            .where(Act.state == "unknown", Act.source_id == source_id, Act.due_at <= utc_now())
            .order_by(Act.id).limit(limit)
        )
    )  # fmt: skip


def _look_later(session: Session, act: Act, error: ChannelError) -> None:
    """The platform does not let us look: again soon, but not for ever (I3)."""
    row = fenced(session, act, ("unknown",))
    if row is None:
        return
    now = utc_now()
    row.due_at = now + timedelta(seconds=error.retry_after or 30)
    if now > (row.attempted_at or row.created_at) + PATIENCE:
        ask_a_person(session, row)
