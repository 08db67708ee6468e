"""Whom a setting may name, and that somebody is always left to answer; who or what is refused is named."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Responsibility, Source, Staff
from services.errors import Refused
from services.rights import actor_of
from services.settings.history import value_of

ROTA = "rota"
WEEK = range(7)


def check_answers(session: Session, staff_id: int, code: str = "duty.person") -> None:
    """Raises Refused(``code``) naming a person who answers nobody, or does not come in any more."""
    person = session.get(Staff, staff_id)
    if person is None or not actor_of(person).may("case.reply"):
        raise Refused(code, id=staff_id, name=person.name if person is not None else f"№ {staff_id}")


def uncovered(session: Session) -> set[tuple[int, int]]:
    """(place, day of the week) on which what comes would be nobody's: no cell for the whole of the place or of the
    desk, and no duty that day."""
    able = {one.id for one in session.scalars(select(Staff).where(Staff.active)) if actor_of(one).may("case.reply")}
    week = (value_of(session, ROTA) or {}).get("week", {})
    free = [day for day in WEEK if week.get(str(day)) not in able]
    whole = select(Responsibility.place).where(Responsibility.theme == "", Responsibility.staff_id.in_(able))
    led = set(session.scalars(whole)) if free else set()
    if not free or 0 in led:
        return set()
    places = session.scalars(select(Source.id).where(Source.state != "stopped", Source.removed_at.is_(None)))
    return {(place, day) for place in places if place not in led for day in free}


@contextmanager
def covered(session: Session) -> Iterator[None]:
    """What is done inside may not take the last one away who answers for what comes; raises Refused naming where.

    A desk where that is so already, as every desk at first, stays as it is.
    """
    before = uncovered(session)
    yield
    session.flush()
    lost = sorted(uncovered(session) - before)
    if lost:
        raise Refused("duty.left", name=session.get_one(Source, lost[0][0]).title, day=lost[0][1])
