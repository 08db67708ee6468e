"""The law's clocks: bound by a person's word that it is a claim, a request about data, or a letter with a date."""

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Case, Clock
from services.errors import NotFound, Refused
from services.events import record
from services.presets import LETTER
from services.rights import Actor, require
from services.sla import DAY_SECONDS, reckon, show_all
from services.terms import policy_of

MOST_LETTER = timedelta(days=366)


def bind_legal(session: Session, actor: Actor, case: Case, name: str) -> Clock:
    """A person says that it is a claim or a request of a data subject: the law's term binds from receipt."""
    require(actor, "case.assign")
    known = session.scalar(
        select(Clock).where(Clock.case_id == case.id, Clock.kind == "legal", Clock.sla_class == name)
    )
    if known is not None:
        return known
    clock = Clock(
        case_id=case.id, kind="legal", sla_class=name, calendar="desk", term_seconds=0, started_at=case.opened_at,
        level=0, paused_seconds=0,
    )  # fmt: skip
    reckon(policy_of(session), clock)
    session.add(clock)
    session.flush()
    show_all(session, [case.id])
    record(session, "clock.bound", actor, case_id=case.id, object_id=clock.id, code=name)
    return clock


def unbind_legal(session: Session, actor: Actor, case: Case, name: str) -> None:
    """It was no claim after all: the law's term never ran."""
    require(actor, "case.assign")
    clock = session.scalar(
        select(Clock).where(Clock.case_id == case.id, Clock.kind == "legal", Clock.sla_class == name)
    )
    if clock is not None:
        session.delete(clock)
        session.flush()
        show_all(session, [case.id])
        record(session, "clock.unbound", actor, case_id=case.id, object_id=clock.id, code=name)


def bind_letter(session: Session, actor: Actor, case_id: int, until: date) -> Clock:
    """The date by which a state body wants its answer, as its letter says; a later word takes the place of it."""
    require(actor, "case.assign")
    case = session.get(Case, case_id, with_for_update=True)
    if case is None:
        raise NotFound("case.unknown", id=case_id)
    policy = policy_of(session)
    received = policy.calendars["desk"].local_day(case.opened_at)
    if case.kind != "state_body" or not received <= until <= received + MOST_LETTER:
        raise Refused("letter.date")
    clock = session.scalar(
        select(Clock).where(Clock.case_id == case.id, Clock.kind == "legal", Clock.sla_class == LETTER)
    )
    if clock is None:
        clock = Clock(
            case_id=case.id, kind="legal", sla_class=LETTER, calendar="desk", started_at=case.opened_at, level=0,
            paused_seconds=0,
        )  # fmt: skip
        session.add(clock)
    clock.term_seconds, clock.level, clock.done_at = (until - received).days * DAY_SECONDS, 0, None
    reckon(policy, clock)
    session.flush()
    show_all(session, [case.id])
    record(session, "clock.bound", actor, case_id=case.id, object_id=clock.id, code=LETTER)
    return clock
