"""Whether the desk does its work: what a monitor asks, without a name or a word of anybody."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session

from models import Lease, utc_now
from services.outbox import stuck_acts

LEASE = "scheduler"
LEASE_SECONDS = 20  # how far ahead scheduler.py writes the end of its lease
LATE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Health:
    """``revision`` is of the database; ``scheduler``: somebody held the lead within LATE; ``stuck_acts``:
    invariant I3 of reliability.md."""

    revision: str | None
    scheduler: bool
    stuck_acts: int

    @property
    def is_well(self) -> bool:
        return self.scheduler and not self.stuck_acts


def look(session: Session, now: datetime | None = None) -> Health:
    """The state of the desk at ``now``."""
    now = now or utc_now()
    until = session.scalar(select(Lease.until).where(Lease.name == LEASE))
    held_at = until - timedelta(seconds=LEASE_SECONDS) if until is not None else None
    # Asked inside the reading transaction: services.schema opens one of its own, which would be a writing one.
    known = inspect(session.connection()).has_table("alembic_version")
    revision = session.scalar(text("SELECT version_num FROM alembic_version")) if known else None
    return Health(revision, held_at is not None and now - held_at <= LATE, stuck_acts(session, now))
