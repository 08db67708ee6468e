"""Looking out for broadcasts: each place by itself, more often near to what is planned, and side by side."""

import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from collectors import CHANNELS, channel_class
from collectors.airing import Airing
from collectors.base import Channel, ChannelError
from models import Broadcast, BroadcastPlace, Source, utc_now
from models.database import Database
from services.again import tell
from services.broadcasts.airing import GRACE, RETURN, take_airings
from services.broadcasts.states import ON_AIR, PLANNED
from services.leases import hold_lease

NEAR = timedelta(minutes=20)
"""So long before and after its planned beginning a broadcast is looked out for more often."""
LOOK_SECONDS = {"dropped": 15, "near": 60, "air": 300, "idle": 900}
"""Pause between two looks for broadcasts: two or three units each."""
LONGEST = 180.0
"""Seconds that a look may take, a few answers of a minute each: so long nobody else asks the same place."""
OpenChannel = Callable[[Source], Channel]
log = structlog.get_logger()


class _Failed:
    """Places whose last look from this process failed: their next one may hang again."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._places: set[tuple[str, int]] = set()

    def note(self, database: Database, source_id: int, *, failed: bool) -> None:
        with self._guard:
            (self._places.add if failed else self._places.discard)((str(database.engine.url), source_id))

    def __contains__(self, place: tuple[Database, int]) -> bool:
        with self._guard:
            return (str(place[0].engine.url), place[1]) in self._places


_failed = _Failed()


def run_looks(
    database: Database,
    open_channel: OpenChannel,
    holder: str,
    seconds: float | None = None,
    *,
    failing: bool | None = None,
) -> int:
    """Asks the platforms that have broadcasts of their own; returns how many new ones there are.

    ``failing``: only places that failed the last time, only the others, or all. Several may run at once: a place is
    asked by one of them.
    """
    kinds = [kind for kind in CHANNELS if channel_class(kind).can.chat]
    query = select(Source).where(Source.platform.in_(kinds), Source.state == "active").order_by(Source.id)
    with database.read.begin() as session:
        sources = list(session.scalars(query))
    chosen = [one for one in sources if failing in (None, one.failures > 0 or (database, one.id) in _failed)]
    return sum(_look(database, open_channel, holder, one, seconds) for one in chosen)


def _look(database: Database, open_channel: OpenChannel, holder: str, source: Source, seconds: float | None) -> int:
    name = f"airings:{source.id}"
    # Each look is a holder of its own: its lease is the look itself, and then the pause until the next one.
    holder = f"{holder}:{secrets.token_hex(4)}"
    began = utc_now()
    with database.write.begin() as session:
        pause = seconds or LOOK_SECONDS[_how_near(session, source.id, began)]
        if not hold_lease(session, name, holder, max(pause, LONGEST)):
            return 0
        known = list(
            session.scalars(
                select(BroadcastPlace.publication)
                .join(Broadcast, Broadcast.id == BroadcastPlace.broadcast_id)
                .where(BroadcastPlace.source_id == source.id, Broadcast.state == ON_AIR)
            )
        )
    found = _ask(open_channel, source, [one.partition("-")[2] for one in known if one])
    _failed.note(database, source.id, failed=found is None)
    with database.write.begin() as session:
        new = take_airings(session, source.id, source.platform, found) if found is not None else 0
        hold_lease(session, name, holder, pause, began)
    return new


def _ask(open_channel: OpenChannel, source: Source, known: list[str]) -> list[Airing] | None:
    """What is on air or planned there; None where the platform did not tell."""
    try:
        channel = open_channel(source)
        try:
            return channel.airings(known)
        finally:
            channel.close()
    except ChannelError as error:
        log.info("airings.failed", source=source.id, code=error.code)
    except Exception as error:  # a mistake of ours is the trouble of one place alone (I9)
        tell(error, "airings.failed", source=source.id)
    return None


def _how_near(session: Session, source_id: int, now: datetime) -> str:
    of_source = (
        select(Broadcast.state, Broadcast.starts_at, BroadcastPlace.ended_at)
        .join(BroadcastPlace, BroadcastPlace.broadcast_id == Broadcast.id)
        .where(BroadcastPlace.source_id == source_id, Broadcast.state.in_((*PLANNED, ON_AIR)))
    )
    rows = list(session.execute(of_source))
    ended = [row.ended_at for row in rows if row.state == ON_AIR and row.ended_at is not None]
    if any(at > now - GRACE for at in ended):
        return "dropped"
    planned = (row.starts_at for row in rows if row.state != ON_AIR)
    if any(at > now - RETURN for at in ended) or any(abs(at - now) < NEAR for at in planned):
        return "near"
    return "air" if any(row.state == ON_AIR for row in rows) else "idle"
