"""A threat to life rings along a chain, the next person after ten minutes without «вижу» (day.md §1.5)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models import Case, Message, Notice, Signal, Staff, utc_now
from models.database import Database
from services.absences import stand_ins
from services.events import record
from services.rights import DESK, Actor, actor_of
from services.terms import policy_of

KIND = "crisis"
NEXT_AFTER = timedelta(minutes=10)
CHAIN = (("head",), ("director",), ("smm", "client_manager", "sales"), ("administrator",))
"""Roles in the order in which they are rung; within one, whoever came first."""


def chain_of(people: Sequence[Actor]) -> list[int]:
    """Whom a crisis is told, one after another."""
    found: list[int] = []
    for roles in CHAIN:
        found += [one.staff_id for one in people if one.staff_id is not None and one.roles.intersection(roles)]
    return list(dict.fromkeys(found))


def ringing(session: Session) -> list[tuple[int, bool]]:
    """(case, do its words leave no doubt) of open cases with a crisis that nobody has seen, decided or answered."""
    seen = exists().where(Notice.case_id == Case.id, Notice.kind == KIND, Notice.seen_at.is_not(None))
    query = (
        select(Case.id, Signal.certain)
        .join(Message, Message.case_id == Case.id)
        .join(Signal, Signal.message_id == Message.id)
        .where(Signal.name == KIND, Signal.state == "proposed", Case.open_key.is_not(None), ~seen)
        .where(Case.number.is_not(None), Case.first_reply_at.is_(None))
        .order_by(Signal.certain, Case.id)
    )
    return list({case_id: (case_id, certain) for case_id, certain in session.execute(query)}.values())


def run_ring(database: Database) -> int:
    """Rings whoever is next for every crisis; returns how many notices were made.

    One whose words leave no doubt rings at any hour, another one after the quiet hours.
    """
    with database.read.begin() as session:
        found = ringing(session)
    if not found:
        return 0
    with database.write.begin() as session:
        people = [actor_of(row) for row in session.scalars(select(Staff).order_by(Staff.id)) if row.active]
        now = utc_now()
        stand = stand_ins(session, now)
        chain = [one for one in chain_of(people) if one not in stand] or chain_of(people)
        return sum(_ring_next(session, case_id, certain, chain, now) for case_id, certain in found)


def _ring_next(session: Session, case_id: int, certain: bool, chain: Sequence[int], now: datetime) -> bool:
    query = select(Notice).where(Notice.case_id == case_id, Notice.kind == KIND).order_by(Notice.id)
    told = list(session.scalars(query))
    if told and (told[-1].seen_at is not None or told[-1].show_at > now - NEXT_AFTER):
        return False
    rung = {notice.staff_id for notice in told}
    after = next((staff_id for staff_id in chain if staff_id not in rung), None)
    if after is None:
        return False
    show_at = now if certain else policy_of(session).after_quiet(now)
    session.add(Notice(staff_id=after, kind=KIND, case_id=case_id, show_at=show_at, created_at=now))
    record(session, "crisis.rung", DESK, case_id=case_id, object_id=after)
    return True
