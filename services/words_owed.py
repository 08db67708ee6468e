"""While a failure for everybody lasts, people hear every hour how it stands (domain.md §6.6, TECH0)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Case, Clock, utc_now
from services.presets import UPDATES
from services.sla import add_clock, end_clock
from services.terms import MASS, Term, class_of, policy_of

UPDATE = "update"
"""The clock of the next word to people while a failure for everybody lasts; on the first case of the incident."""


def start_updates(session: Session, case: Case, at: datetime | None = None) -> Clock | None:
    """The next word to people is due within the hour; None where no failure is everybody's, or it runs already."""
    policy = policy_of(session)
    if class_of(policy, case) != MASS or update_clock(session, case.id) is not None:
        return None
    minutes, calendar = UPDATES
    return add_clock(session, policy, case, UPDATE, MASS, Term(minutes, calendar), at or utc_now())


def update_clock(session: Session, case_id: int) -> Clock | None:
    """The clock of the next word, while one is owed."""
    running = select(Clock).where(Clock.case_id == case_id, Clock.kind == UPDATE, Clock.done_at.is_(None))
    return session.scalar(running.order_by(Clock.id).limit(1))


def note_updated(session: Session, case: Case, at: datetime | None = None) -> bool:
    """People were told how it stands: this hour is kept and the next one begins. False where no word was owed."""
    clock, now = update_clock(session, case.id), at or utc_now()
    if clock is None or now < clock.started_at:
        return False
    end_clock(policy_of(session), clock, now)
    session.flush()
    start_updates(session, case, now)
    return True


def end_updates(session: Session, case_id: int) -> None:
    """It is mended: no word is owed any more."""
    clock = update_clock(session, case_id)
    if clock is not None:
        end_clock(policy_of(session), clock, utc_now())
