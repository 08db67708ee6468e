"""«Дежурства»: whose duty a day is, by the usual week and by days that differ; what is nobody's goes there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models import Absence, Case, DutyDay, Staff, utc_now
from services.absences import local_day, stand_ins
from services.events import record
from services.rights import DESK, Actor, actor_of, require
from services.settings.history import keep, keeping, value_of
from services.targets import check_answers, covered

NAME, DAYS = "rota", "rota.days"
"""The usual week, and the days that differ: each has its versions."""
USUAL = -1
"""Of a day: whoever the week names."""


@dataclass(frozen=True, slots=True)
class Day:
    """``usual``: as the week says; ``away``: whoever has it is not there."""

    day: date
    staff_id: int | None
    usual: bool
    away: bool


def week_of(session: Session) -> dict[int, int]:
    """Day of the week (0 is Monday) → person."""
    kept = value_of(session, NAME) or {}
    return {int(day): int(staff_id) for day, staff_id in kept.get("week", {}).items()}


def days_from(session: Session, first: date, count: int, week: Mapping[int, int] | None = None) -> list[Day]:
    """``count`` days from ``first`` on; ``week``: by another usual week than the one that is kept."""
    week = week_of(session) if week is None else week
    last = first + timedelta(days=count)
    own = {row.day: row for row in session.scalars(select(DutyDay).where(DutyDay.day >= first, DutyDay.day < last))}
    absent = list(session.scalars(select(Absence).where(Absence.to_day >= first, Absence.from_day < last)))
    found = []
    for number in range(count):
        day = first + timedelta(days=number)
        row = own.get(day)
        staff_id = row.staff_id if row else week.get(day.weekday())
        away = any(one.staff_id == staff_id and one.from_day <= day <= one.to_day for one in absent)
        found.append(Day(day, staff_id, row is None, away))
    return found


def snapshot(session: Session) -> list[dict[str, Any]]:
    """The days that differ, as a version keeps them; of the past too, since a version is the whole table."""
    rows = session.scalars(select(DutyDay).order_by(DutyDay.day))
    return [{"day": row.day.isoformat(), "staff_id": row.staff_id} for row in rows]


def duty_now(session: Session, now: datetime | None = None) -> int | None:
    """Who has the duty today, or who stands in; None: nobody is named, or nobody who may answer is there."""
    at = now or utc_now()
    staff_id = days_from(session, local_day(session, at), 1)[0].staff_id
    if staff_id is None:
        return None
    found = stand_ins(session, at).get(staff_id, staff_id)
    person = session.get(Staff, found) if found is not None else None
    return person.id if person is not None and actor_of(person).may("case.reply") else None


def assign_duty(session: Session, cases: Sequence[Case]) -> None:
    """What no rule and no cell caught is the duty's."""
    free = [case for case in cases if case.assignee_id is None]
    duty = duty_now(session) if free else None
    if duty is None:
        return
    for case in free:
        case.assignee_id = duty
        record(session, "case.assigned", DESK, case_id=case.id, object_id=duty, duty=True)


def set_week(session: Session, actor: Actor, week: Mapping[int, int | None]) -> None:
    """The usual week; raises Refused for somebody who may not answer."""
    require(actor, "duty.edit")
    for staff_id in week.values():
        _check(session, staff_id)
    with covered(session):
        keep(session, actor, NAME, _weekly(week))


def _weekly(week: Mapping[int, int | None]) -> dict[str, dict[str, int]]:
    return {"week": {str(day): one for day, one in sorted(week.items()) if one is not None and 0 <= day < 7}}


def set_day(session: Session, actor: Actor, day: date, staff_id: int | None) -> None:
    """One day that differs; USUAL takes the difference back, None says that nobody has it."""
    require(actor, "duty.edit")
    with keeping(session, actor, DAYS, snapshot):
        row = session.scalar(select(DutyDay).where(DutyDay.day == day))
        if staff_id == USUAL:
            if row is not None:
                session.delete(row)
        else:
            _check(session, staff_id)
            row = row or DutyDay(day=day)
            row.staff_id = staff_id
            session.add(row)
    record(session, "duty.day", actor, day=day.isoformat(), staff=staff_id)


def replace_days(session: Session, actor: Actor, rows: Sequence[Mapping[str, Any]]) -> None:
    """From today on the days that differ are those of a snapshot; what is past stays. Raises Refused for a day of
    somebody who may not answer any more."""
    require(actor, "duty.edit")
    today = local_day(session)
    wanted = {day: one["staff_id"] for one in rows if (day := date.fromisoformat(one["day"])) >= today}
    for staff_id in wanted.values():
        _check(session, staff_id)
    with keeping(session, actor, DAYS, snapshot):
        session.execute(delete(DutyDay).where(DutyDay.day >= today))
        session.add_all([DutyDay(day=day, staff_id=staff_id) for day, staff_id in wanted.items()])


def _check(session: Session, staff_id: int | None) -> None:
    if staff_id is not None:
        check_answers(session, staff_id)


def hand_days(session: Session, actor: Actor, staff_id: int, to_id: int | None, day: date) -> None:
    """All days of duty of a person from ``day`` on are another's, or as the week says without them."""
    mine = (DutyDay.staff_id == staff_id, DutyDay.day >= day)
    with keeping(session, actor, DAYS, snapshot):
        if to_id is None:
            session.execute(delete(DutyDay).where(*mine))
        else:
            session.execute(update(DutyDay).where(*mine).values(staff_id=to_id))
    week = week_of(session)
    if staff_id in week.values():
        handed = {on: (to_id if one == staff_id else one) for on, one in week.items()}
        keep(session, actor, NAME, _weekly(handed))


def count_days(session: Session, staff_id: int, day: date) -> int:
    """Days of duty from ``day`` on that name the person, and days of the usual week."""
    own = session.scalars(select(DutyDay.id).where(DutyDay.staff_id == staff_id, DutyDay.day >= day)).all()
    return len(own) + sum(one == staff_id for one in week_of(session).values())
