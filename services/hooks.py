"""Platforms and forms that call us: an unguessable address a place, raw kept before anybody is told «ok»."""

import hashlib
import hmac
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from contextlib import closing

import structlog
from sqlalchemy import bindparam, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from collectors import CHANNELS, channel_class
from collectors.base import Channel, Raw
from models import RawItem, Source
from models.database import Database
from services.errors import NotFound, Refused
from services.intake import OpenChannel, forget_twins, identity_of, run_parse, store_raws

TOKEN_LETTERS = 32
GATHER = 0.1
_PLACE = select(Source).where(Source.id == bindparam("source_id"))


def source_token(key: bytes, source_id: int) -> str:
    """The last part of a place's address: its number and 128 bits that only this desk can make."""
    sign = hmac.new(key, f"hook:{source_id}".encode(), hashlib.sha256).hexdigest()
    return f"{source_id}-{sign[:TOKEN_LETTERS]}"


def find_source(session: Session, key: bytes, kind: str, token: str) -> Source:
    """The place behind an address; raises NotFound for every address that was not given out.

    The number in a token is looked at only after its signature, which is compared in constant time.
    """
    number = token.partition("-")[0]
    source_id = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0
    if not hmac.compare_digest(source_token(key, source_id).encode(), token.encode("utf-8", "replace")):
        raise NotFound("hook.unknown")
    source = session.scalar(_PLACE, {"source_id": source_id})
    if source is None or source.platform != kind or kind not in CHANNELS or not channel_class(kind).can.receive:
        raise NotFound("hook.unknown")
    return source


def run_receive(
    database: Database, key: bytes, open_channel: OpenChannel, kind: str, token: str, payload: bytes,
    headers: Mapping[str, str], *, heard: Callable[[], None] | None = None,
) -> int:  # fmt: skip
    """Takes one event: the address, then the secret, then the raw in a transaction of its own; returns how many
    raws were new or changed. ``heard`` is called once they are understood, in a storm by another thread.

    Raises NotFound, ChannelError as the channel's receive() does, Refused for a place that a person paused, and
    SQLAlchemyError while the database is down: in none of these cases anything is stored. What was kept and could
    not be understood waits for the next reading of the place, or stands in quarantine: it is never refused.
    """
    with database.read.begin() as session:
        source = find_source(session, key, kind, token)
        if source.state in ("paused", "manual"):
            raise Refused("hook.paused")
    channel = open_channel(source)
    try:
        raws = tuple(channel.receive(payload, headers))
        changed = _store(database, source.id, raws, keeps_first=channel.keeps_first) if raws else 0
        if changed:
            place = f"{database.engine.url}:{source.id}"

            def read() -> None:
                _read_apart(database, source, open_channel, heard)

            # Whoever calls waits for the answer: what others brought meanwhile is not theirs to understand.
            if not storms.take(place, read) and _understand(database, source.id, channel, heard, once=True):
                storms.follow(place, read)
        return changed
    finally:
        channel.close()


def _read_apart(
    database: Database, source: Source, open_channel: OpenChannel, heard: Callable[[], None] | None
) -> None:
    with closing(open_channel(source)) as channel:
        _understand(database, source.id, channel, heard, pause=GATHER)


def _understand(
    database: Database, source_id: int, channel: Channel, heard: Callable[[], None] | None, *,
    pause: float = 0.0, once: bool = False,
) -> bool:  # fmt: skip
    """Understands what waits of a place; what fails waits for its next reading. True as `run_parse` says it."""
    more = False
    try:
        more = run_parse(database, source_id, channel, pause=pause, once=once)
    except Exception:
        structlog.get_logger().exception("hook.parse", source=source_id)
    if heard is not None:
        heard()
    return more


def run_greet(
    database: Database, key: bytes, open_channel: OpenChannel, kind: str, token: str, payload: bytes
) -> str | None:
    """What the platform is to be told instead of «ok»: VK asks a new hook for a word; None for an ordinary event.

    Raises as run_receive() does; nothing is stored.
    """
    if kind not in CHANNELS or not channel_class(kind).greets:
        return None
    with database.read.begin() as session:
        source = find_source(session, key, kind, token)
    channel = open_channel(source)
    try:
        return channel.greeting(payload)
    finally:
        channel.close()


def _store(database: Database, source_id: int, raws: tuple[Raw, ...], *, keeps_first: bool) -> int:
    """Keeps the raws; of two deliveries at once the second finds it there at its next try."""
    for last in (False, False, True):
        try:
            with database.write.begin() as session:
                fresh = _unknown(session, source_id, raws) if keeps_first else raws
                changed = store_raws(session, source_id, fresh)
                forget_twins(session, source_id, fresh)
                return changed
        except IntegrityError:
            if last:
                raise
    return 0


def _unknown(session: Session, source_id: int, raws: tuple[Raw, ...]) -> tuple[Raw, ...]:
    """Those that the desk does not have yet."""
    keys = [identity_of(raw) for raw in raws]
    columns = (RawItem.kind, RawItem.container, RawItem.external_id)
    found = select(*columns).where(RawItem.source_id == source_id, tuple_(*columns).in_(keys))
    known = {tuple(row) for row in session.execute(found)}
    return tuple(raw for raw, key in zip(raws, keys, strict=True) if key not in known)


class Patience:
    """How often one address may write within a while; kept in memory, so it begins anew with the process."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._times: dict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def allows(self, name: str) -> bool:
        """Counts a try of ``name``; False when there were too many."""
        now = time.monotonic()
        with self._lock:
            if len(self._times) > 10_000:
                late = now - self._seconds
                self._times = defaultdict(deque, {k: v for k, v in self._times.items() if v and v[-1] > late})
            times = self._times[name]
            while times and times[0] <= now - self._seconds:
                times.popleft()
            if len(times) >= self._most:
                return False
            times.append(now)
            return True


class Storms:
    """Places whose events come thick: a thread understands those of a moment together.

    A message costs twenty statements alone and one or two in a crowd. What a process that dies has not read yet is
    read at the next reading of its place.
    """

    def __init__(self, most: int, seconds: float, pause: float) -> None:
        self._most, self._seconds, self._pause = most, seconds, pause
        self._times: dict[str, deque[float]] = {}
        self._waiting: set[str] = set()
        self._lock = threading.Lock()
        self._running: set[threading.Thread] = set()

    def settle(self, seconds: float = 30.0) -> None:
        """Waits until everything that came is understood."""
        ends = time.monotonic() + seconds
        while self._running and time.monotonic() < ends:
            time.sleep(0.01)

    def take(self, place: str, read: Callable[[], None]) -> bool:
        """Counts an event that is already kept; True when a thread will ``read`` it."""
        now = time.monotonic()
        with self._lock:
            times = self._times.setdefault(place, deque(maxlen=self._most))
            is_thick = len(times) == self._most and times[0] > now - self._seconds
            times.append(now)
        if is_thick:
            self.follow(place, read)
        return is_thick

    def follow(self, place: str, read: Callable[[], None]) -> None:
        """A thread will ``read`` the place in a moment, unless one is about to."""
        with self._lock:
            if place in self._waiting:
                return
            self._waiting.add(place)
            thread = threading.Thread(target=self._read, args=(place, read), name="storm", daemon=True)
            self._running.add(thread)
        thread.start()

    def _read(self, place: str, read: Callable[[], None]) -> None:
        time.sleep(self._pause)
        with self._lock:
            self._waiting.discard(place)  # what is kept from now on begins another thread
        try:
            read()
        except Exception:
            structlog.get_logger().exception("hook.storm", place=place)
        finally:
            with self._lock:
                self._running.discard(threading.current_thread())


storms = Storms(most=8, seconds=1.0, pause=GATHER)
