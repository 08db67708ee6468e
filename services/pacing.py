"""When what waits is likely to leave: the queue of a place, or of a chat, by the limits of its platform."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from collectors import channel_class
from models import Act, Source, utc_now
from services.outbox import WAITING

NOTICEABLE = timedelta(seconds=5)
"""A shorter wait is not worth a word."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """``ahead``: acts that go before it. ``told``: the platform itself has named the time, or a day's limit has."""

    at: datetime
    ahead: int
    told: bool


def forecasts(session: Session, acts: Collection[Act], now: datetime | None = None) -> dict[int, Forecast]:
    """Act → when it goes, for those of ``acts`` that the limits of their platform keep for a noticeable time.

    Acts go one after another by priority and time, as services.outbox claims them.
    """
    now = now or utc_now()
    asked = {act.id for act in acts if act.state in WAITING}
    if not asked:
        return {}
    places = {act.source_id for act in acts if act.id in asked}
    found: dict[int, Forecast] = {}
    for queue, pause in _queues(session, places):
        found.update(_walk(queue, pause, asked, now))
    return found


def _queues(session: Session, places: Collection[int]) -> list[tuple[Sequence[Act], float]]:
    """Acts that share a limit, in the order in which they go, with the seconds between two of them."""
    platforms = {row.id: row.platform for row in session.scalars(select(Source).where(Source.id.in_(places)))}
    rows = session.scalars(
        select(Act)
        .where(Act.source_id.in_(places), or_(Act.state.in_(WAITING), Act.state == "sending"))
        .order_by(Act.state != "sending", Act.priority, Act.due_at, Act.id)
    )
    queues: dict[tuple[int, str], list[Act]] = defaultdict(list)
    pauses: dict[tuple[int, str], float] = {}
    for row in rows:
        channel = channel_class(platforms[row.source_id])
        container = str(row.target.get("container") or "")
        key = (row.source_id, container if channel.can.rate_scope == "container" else "")
        queues[key].append(row)
        pauses[key] = channel.seconds_between(container)
    return [(queue, pauses[key]) for key, queue in queues.items()]


def _walk(queue: Sequence[Act], pause: float, asked: Collection[int], now: datetime) -> dict[int, Forecast]:
    """Lets the clock go from act to act; one that may not go yet holds up nobody."""
    found, free_at = {}, now
    # What is due goes by priority, as the queue stands; what is not yet, as it becomes due.
    for ahead, act in enumerate(sorted(queue, key=lambda one: max(now, one.due_at))):
        at = max(free_at, act.due_at)
        if act.state == "sending":
            at = now
        elif act.id in asked:
            told = act.due_at > now and act.state != "held"
            wait = at - (now if told else max(now, act.due_at))
            if wait >= NOTICEABLE:
                found[act.id] = Forecast(at, ahead, told)
        free_at = max(free_at, at) + timedelta(seconds=pause)
    return found
