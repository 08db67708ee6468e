"""How a day's units of a platform are spent: by purpose and hour, beside what was planned for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from collectors.airing import DayUnits
from models import Broadcast, BroadcastPlace, Source, utc_now
from services.broadcasts.quota import make_plan
from services.rights import Actor, require

PURPOSES = ("new", "deep", "live", "answers")
"""In the order in which they may spend: what comes first is not kept waiting by what comes after; answers have a
reserve of their own."""
CHAT_COST, CHAT_PAUSE = 5, 5.0
"""What one reading of a live chat takes, and how often a platform lets one read that has not said it yet."""
Spending = Mapping[tuple[str, str], int]
"""(purpose, hour as «2026-11-26T09» UTC) → units."""


@dataclass(frozen=True, slots=True)
class Share:
    """One purpose: units ``planned`` for the whole day, ``spent`` so far."""

    purpose: str
    planned: int
    spent: int

    @property
    def left(self) -> int:
        return max(0, self.planned - self.spent)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a budget; ``hours``: (its beginning, units by the order of PURPOSES), the last one is under way.
    ``resting``: the deep walk waits until new comments need less."""

    shares: tuple[Share, ...]
    limit: int
    spent: int
    ends_at: datetime
    hours: tuple[tuple[datetime, tuple[int, ...]], ...]
    resting: bool


def day_of_units(
    session: Session, actor: Actor, source: Source, told: DayUnits, spending: Spending, now: datetime | None = None
) -> Day:
    """The plan of a day beside its use. Units that Google itself counted beyond ours stand under no purpose."""
    require(actor, "source.view")
    now = now or utc_now()
    ends = now + timedelta(seconds=told.seconds)
    spent = {one: sum(units for (purpose, _), units in spending.items() if purpose == one) for one in PURPOSES}
    live = spent["live"] + _chats_to_come(session, source, now, ends)
    reading = told.limit - told.reserve
    new = min(told.new, reading)
    live = min(live, reading - new)
    planned = {"new": new, "live": live, "deep": reading - new - live, "answers": told.reserve}
    shares = tuple(Share(one, planned[one], spent[one]) for one in PURPOSES)
    return Day(
        shares, told.limit, sum(spent.values()), ends, _hours(spending, ends, now),
        resting=source.deep_due_at > now and spent["deep"] >= planned["deep"] > 0,
    )  # fmt: skip


def _chats_to_come(session: Session, source: Source, now: datetime, until: datetime) -> int:
    """Units that the live chats of this place will take until the day ends, as they are planned."""
    rows = session.execute(
        select(Broadcast)
        .join(BroadcastPlace, BroadcastPlace.broadcast_id == Broadcast.id)
        .where(
            BroadcastPlace.source_id == source.id, BroadcastPlace.chat.is_not(None),
            Broadcast.state.in_(("planned", "duty", "live")), Broadcast.starts_at < until, Broadcast.ends_at > now,
        )
    )  # fmt: skip
    needs = 0
    for (row,) in rows:
        seconds = (min(row.ends_at, until) - max(row.starts_at, now)).total_seconds()
        plan = make_plan(
            left=10**9, spent=0, limit=0, cost=CHAT_COST, seconds=seconds, chats=1, demanded=CHAT_PAUSE
        )
        needs += plan.needs
    return needs


def _hours(spending: Spending, ends: datetime, now: datetime) -> tuple[tuple[datetime, tuple[int, ...]], ...]:
    """Every hour of the day that has begun, also those in which nothing was spent."""
    at = (ends - timedelta(days=1)).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if ends - timedelta(days=1) - at > timedelta(minutes=30):
        at += timedelta(hours=1)  # ``ends`` is reckoned from seconds: it may miss the full hour by one
    found = []
    while at <= now:
        key = at.strftime("%Y-%m-%dT%H")
        found.append((at, tuple(spending.get((purpose, key), 0) for purpose in PURPOSES)))
        at += timedelta(hours=1)
    return tuple(found)
