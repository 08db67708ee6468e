"""Putting a case off until a time or an answer: it leaves the inbox and comes back on top, with its reason."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Case, Snooze, utc_now
from models.database import Database
from services.case_states import is_open, move, wake
from services.cases import check_version, get_case, give_numbers
from services.errors import Refused
from services.events import record
from services.rights import DESK, Actor, require

LONGEST = timedelta(days=366)
BATCH = 50


def snoozes_of(session: Session, case_ids: Sequence[int]) -> dict[int, Snooze]:
    """case id → how long it is put off."""
    if not case_ids:
        return {}
    return {row.case_id: row for row in session.scalars(select(Snooze).where(Snooze.case_id.in_(case_ids)))}


def snooze(
    session: Session, actor: Actor, case_id: int, until: datetime | None, version: int | None = None
) -> Snooze:
    """Puts an open case off; a new message or an answer wakes it before ``until``, and None: nothing else does."""
    require(actor, "case.assign")
    case = get_case(session, actor, case_id, hold=True)
    check_version(case, version)
    if not is_open(case):
        raise Refused("case.move", state=case.state, to="snoozed")
    now = utc_now()
    if until is not None and not now < until <= now + LONGEST:
        raise Refused("snooze.time")
    give_numbers(session, [case], actor)
    row = snoozes_of(session, [case.id]).get(case.id)
    if row is None:
        row = Snooze(case_id=case.id, state="work" if case.state in ("new", "triage") else case.state)
        session.add(row)
        move(session, case, "snoozed", actor)
    row.until, row.staff_id = until, actor.staff_id
    if case.assignee_id is None:
        case.assignee_id = actor.staff_id
        record(session, "case.assigned", actor, case_id=case.id, object_id=actor.staff_id)
    case.lift = None
    case.version += 1
    moment = until.isoformat() if until else None
    record(session, "case.snoozed", actor, case_id=case.id, object_id=case.id, until=moment)
    return row


def end_snooze(session: Session, actor: Actor, case_id: int) -> Case:
    """A person wants it back now."""
    require(actor, "case.assign")
    case = get_case(session, actor, case_id, hold=True)
    wake(session, case, actor)
    return case


def run_wake(database: Database) -> int:
    """Wakes every case whose time has come; returns how many."""
    done = 0
    while True:
        with database.read.begin() as session:
            due = list(session.scalars(select(Snooze.case_id).where(Snooze.until <= utc_now()).limit(BATCH)))
        if not due:
            return done
        for case_id in due:
            with database.write.begin() as session:
                case = get_case(session, DESK, case_id, hold=True)
                row = snoozes_of(session, [case_id]).get(case_id)
                # Put off again, or answered, since it was found.
                if row is not None and row.until is not None and row.until <= utc_now():
                    wake(session, case, DESK, "snooze")
        done += len(due)
