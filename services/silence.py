"""A place that nobody can read is told of once, to whoever can mend it, for as long as it stays silent."""

from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from models import Notice, Source, Staff, utc_now
from models.database import Database
from services.rights import actor_of
from services.terms import policy_of

KIND = "source.silent"
AFTER = timedelta(minutes=15)
"""Hiccups of a platform that are over sooner are nobody's business."""
PAUSES = 3
"""A place that is read seldom is silent when so many readings in a row have failed to come."""
WAITS = frozenset({"quota", "rate"})
"""What the platform has told to wait for is no trouble."""
SINCE = func.coalesce(Source.read_at, Source.created_at)


def run_warn_of_silence(database: Database, now: datetime | None = None) -> int:
    """Tells whoever may change places of each that stopped or is silent for long; returns how many places.

    A trouble lasts from the last reading that came to its end until the next one, whatever the errors in between
    are called: it is told of once.
    """
    now = now or utc_now()
    with database.read.begin() as session:
        if not silent_places(session, now):
            return 0
    with database.write.begin() as session:
        places = silent_places(session, now)
        people = [actor_of(row) for row in session.scalars(select(Staff))]
        shown = policy_of(session).after_quiet(now)
        for place in places:
            for person in people:
                if person.staff_id is not None and person.may("source.edit"):
                    session.add(
                        Notice(
                            staff_id=person.staff_id, kind=KIND, source_id=place.id, show_at=shown, created_at=now
                        )
                    )
        return len(places)


def silent_places(session: Session, now: datetime) -> list[Source]:
    """Those of whose present trouble nobody was told yet."""
    told = exists().where(Notice.source_id == Source.id, Notice.kind == KIND, Notice.created_at >= SINCE)
    failing = select(Source).where(
        Source.error_code.is_not(None), Source.error_code.not_in(WAITS), Source.state.in_(("active", "stopped")),
        Source.removed_at.is_(None), ~told,
    )  # fmt: skip
    return [place for place in session.scalars(failing.order_by(Source.id)) if _is_silent(place, now)]


def _is_silent(place: Source, now: datetime) -> bool:
    limit = max(AFTER, PAUSES * timedelta(seconds=place.every_seconds))
    return place.state == "stopped" or now - (place.read_at or place.created_at) >= limit
