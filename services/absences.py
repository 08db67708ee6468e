"""Who is away, who stands in («врио»), and when a person works: asked by whatever finds somebody for a thing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models import Absence, Staff, StaffRole, utc_now
from services.errors import NotFound, Refused
from services.events import record
from services.rights import Actor, actor_of, holds, require
from services.settings.history import keeping
from services.settings.people import ABSENCES, STAFF, absence_rows, staff_rows
from services.terms import Policy, policy_of, read_hour

REASONS = ("vacation", "illness", "trip", "other")
LONGEST = timedelta(days=1100)
"""Three years: the leave for a child is the longest that the Labour Code knows (article 256)."""
HANDED = ("head", "manager", "smm", "client_manager", "sales", "privacy", "director")
"""Roles that a deputy may hold for the time; nobody changes people and settings by standing in."""
WEEK = range(7)


@dataclass(frozen=True, slots=True)
class Away:
    """One line of «Кого нет»; ``roles``: what the deputy holds for the time."""

    absence: Absence
    staff: Staff
    deputy: Staff | None
    roles: tuple[str, ...]


def local_day(session: Session, now: datetime | None = None) -> date:
    """The day it is in the desk's zone."""
    return (now or utc_now()).astimezone(zone_of(policy_of(session))).date()


def zone_of(policy: Policy) -> ZoneInfo:
    return ZoneInfo(policy.calendars["desk"].zone)


def absences_of(session: Session, actor: Actor, day: date) -> list[Away]:
    """Who is away on ``day`` or will be, the soonest first."""
    require(actor, "absence.view")
    rows = session.scalars(
        select(Absence).where(Absence.to_day >= day).order_by(Absence.from_day, Absence.id).limit(200)
    ).all()
    people = {one.id: one for one in session.scalars(select(Staff))}
    roles: dict[int, list[str]] = {}
    for role in session.scalars(select(StaffRole).where(StaffRole.absence_id.in_([row.id for row in rows]))):
        roles.setdefault(role.absence_id or 0, []).append(role.role)
    return [
        Away(row, people[row.staff_id], people.get(row.deputy_id or 0), tuple(roles.get(row.id, ())))
        for row in rows
    ]


def away_on(session: Session, day: date) -> dict[int, Absence]:
    """person → the absence of that day, the latest said where two overlap."""
    found = session.scalars(
        select(Absence).where(Absence.from_day <= day, Absence.to_day >= day).order_by(Absence.id)
    )
    return {row.staff_id: row for row in found}


def stand_ins(session: Session, now: datetime | None = None) -> dict[int, int | None]:
    """person who is away → who stands in, themselves there; None: nobody does.

    A deputy who is away too is followed by theirs; a circle of people who are all away ends in nobody.
    """
    away = away_on(session, local_day(session, now))
    if not away:
        return {}
    people = {one.id: one for one in session.scalars(select(Staff))}
    found: dict[int, int | None] = {}
    for staff_id in away:
        seen, at = {staff_id}, _deputy(away[staff_id], people)
        while at is not None and at in away and at not in seen:
            seen.add(at)
            at = _deputy(away[at], people)
        found[staff_id] = None if at in away else at
    return found


def _deputy(absence: Absence, people: Mapping[int, Staff]) -> int | None:
    usual = people[absence.staff_id].deputy_id if absence.staff_id in people else None
    deputy = people.get(absence.deputy_id or usual or 0)
    return deputy.id if deputy is not None and deputy.active else None


def instead(stand: Mapping[int, int | None], staff_ids: Iterable[int]) -> list[int]:
    """The same people, whoever is away replaced by their deputy; where nobody would be left, themselves: a thing
    told to somebody on leave is better than one told to nobody."""
    wanted = list(staff_ids)
    found = {there for one in wanted if (there := stand.get(one, one)) is not None}
    return sorted(found) or sorted(set(wanted))


def works_at(staff: Staff, policy: Policy, at: datetime) -> bool:
    """Whether ``at`` lies in the person's own hours; without such, in the desk's."""
    there = at.astimezone(zone_of(policy))
    if not staff.hours:
        span = policy.calendars["desk"].span(there.date())
        return span is not None and span[0] <= at <= span[1]
    begin, end = read_hour(staff.hours["from"]), read_hour(staff.hours["to"])
    return there.weekday() in staff.hours["days"] and begin <= there.time() <= end


def quiet_until(staff: Staff | None, policy: Policy, at: datetime) -> datetime:
    """``at``, or the next moment when the person may be disturbed: their own hours win over the quiet ones."""
    if staff is None or not staff.hours or not staff.hours["days"]:
        return policy.after_quiet(at)
    there = at.astimezone(zone_of(policy))
    begin, end = read_hour(staff.hours["from"]), read_hour(staff.hours["to"])
    for number in range(8):
        day = there.date() + timedelta(days=number)
        opens = datetime.combine(day, begin, there.tzinfo)
        if day.weekday() in staff.hours["days"] and at <= datetime.combine(day, end, there.tzinfo):
            return max(at, opens)
    return policy.after_quiet(at)


def add_absence(
    session: Session,
    actor: Actor,
    staff_id: int,
    *,
    from_day: date,
    to_day: date,
    reason: str = "vacation",
    deputy_id: int | None = None,
    roles: Sequence[str] = (),
    hand_over: bool = False,
) -> Absence:
    """Says that a person is away and who stands in, holding ``roles`` of theirs until the day after.

    Raises Refused for days that are none, for a second absence of the same days, and for a deputy who is away
    then too; Forbidden for a role that neither the giver holds nor may give.
    """
    require(actor, "absence.edit")
    with keeping(session, actor, ABSENCES, absence_rows):
        row = Absence(
            staff_id=staff_id, from_day=from_day, to_day=to_day, reason=reason, deputy_id=deputy_id,
            hand_over=hand_over, created_by_id=actor.staff_id,
        )  # fmt: skip
        _put(session, actor, row, roles)
    record(session, "absence.added", actor, object_id=row.id, staff=staff_id, deputy=deputy_id, roles=list(roles))
    return row


def _put(session: Session, actor: Actor, row: Absence, roles: Sequence[str]) -> None:
    """Checks the absence by what holds today and keeps it with the roles that it lends."""
    staff, from_day, to_day = _person(session, row.staff_id), row.from_day, row.to_day
    near = abs(from_day - local_day(session)) <= LONGEST
    if row.reason not in REASONS or to_day < from_day or not near or to_day - from_day > LONGEST:
        raise Refused("absence.days")
    if _overlaps(session, staff.id, from_day, to_day, but=row.id):
        raise Refused("absence.twice", name=staff.name)
    deputy = _deputy_for(session, staff, row.deputy_id, from_day, to_day)
    if deputy is not None:
        _check_roles(session, actor, staff, roles)
    row.hand_over = row.hand_over and deputy is not None
    session.add(row)
    session.flush()
    if deputy is not None:
        _lend(session, row, staff, deputy, roles)


def replace_absences(session: Session, actor: Actor, rows: Sequence[Mapping[str, Any]]) -> None:
    """What is on or to come becomes what a version says, by the checks of today; what is over stays.

    Open cases that went to a deputy stay there.
    """
    require(actor, "absence.edit")
    today = local_day(session)
    wanted = {one["id"]: one for one in rows if date.fromisoformat(one["to_day"]) >= today}
    with keeping(session, actor, ABSENCES, absence_rows):
        there = {one["id"]: one for one in absence_rows(session) if date.fromisoformat(one["to_day"]) >= today}
        for gone in [one for one in there if one not in wanted]:
            end_absence(session, actor, gone)
        for one in wanted.values():
            if there.get(one["id"]) != one:
                _put_back(session, actor, one)


def _put_back(session: Session, actor: Actor, said: Mapping[str, Any]) -> None:
    session.execute(delete(StaffRole).where(StaffRole.absence_id == said["id"]))
    session.expire_all()
    row = session.get(Absence, said["id"]) or Absence(id=said["id"], created_by_id=actor.staff_id)
    with session.no_autoflush:
        row.staff_id, row.reason, row.deputy_id = said["staff_id"], said["reason"], said["deputy_id"]
        row.from_day, row.to_day = date.fromisoformat(said["from_day"]), date.fromisoformat(said["to_day"])
        row.hand_over = said["hand_over"]
        _put(session, actor, row, said["roles"])
    record(
        session,
        "absence.added",
        actor,
        object_id=row.id,
        staff=row.staff_id,
        deputy=row.deputy_id,
        roles=said["roles"],
    )


def _deputy_for(
    session: Session, staff: Staff, deputy_id: int | None, from_day: date, to_day: date
) -> Staff | None:
    if deputy_id is None:
        return None
    deputy = _person(session, deputy_id)
    if deputy.id == staff.id or not deputy.active:
        raise Refused("absence.deputy")
    if _overlaps(session, deputy.id, from_day, to_day):
        raise Refused("absence.deputy_away", name=deputy.name)
    return deputy


def _overlaps(session: Session, staff_id: int, from_day: date, to_day: date, but: int | None = None) -> bool:
    query = select(Absence.id).where(Absence.staff_id == staff_id, Absence.id != (but or 0))
    return session.scalar(query.where(Absence.from_day <= to_day, Absence.to_day >= from_day).limit(1)) is not None


def _check_roles(session: Session, actor: Actor, staff: Staff, roles: Sequence[str]) -> None:
    """What is lent cannot be lent on: else whoever stands in could stay as long as they like."""
    if set(roles) - set(lendable(staff)):
        raise Refused("role.unknown", roles=list(roles))
    giver = session.get(Staff, actor.staff_id) if actor.staff_id else None
    if set(roles) - set(lendable(giver) if giver else ()):
        require(actor, "staff.edit")


def _lend(session: Session, row: Absence, staff: Staff, deputy: Staff, roles: Sequence[str]) -> None:
    """Dated roles: they begin and end by themselves."""
    theirs = [one for one in staff.roles if one.absence_id is None and one.role in roles]
    zone = zone_of(policy_of(session))
    begin = datetime.combine(row.from_day, time.min, zone)
    end = datetime.combine(row.to_day + timedelta(days=1), time.min, zone)
    held = {(one.role, one.department_id) for one in deputy.roles if one.absence_id is None}
    for one in theirs:
        if (one.role, one.department_id) not in held:
            deputy.roles.append(
                StaffRole(
                    role=one.role, department_id=one.department_id, absence_id=row.id, starts_at=begin, ends_at=end
                )
            )
    session.flush()


def end_absence(session: Session, actor: Actor, absence_id: int, now: datetime | None = None) -> Absence:
    """The person is back: what has begun ends yesterday, what has not was never said; lent roles end at once."""
    require(actor, "absence.edit")
    row = session.get(Absence, absence_id)
    if row is None:
        raise NotFound("absence.unknown", id=absence_id)
    today, staff_id = local_day(session, now), row.staff_id
    with keeping(session, actor, ABSENCES, absence_rows):
        session.execute(delete(StaffRole).where(StaffRole.absence_id == row.id))
        session.expire_all()
        if row.from_day < today:
            row.to_day = min(row.to_day, today - timedelta(days=1))
        else:
            session.delete(row)
    record(session, "absence.ended", actor, object_id=absence_id, staff=staff_id)
    session.flush()
    return row


def drop_deputy(session: Session, actor: Actor, staff_id: int, to_id: int | None, day: date) -> None:
    """Nobody counts on a person who goes: absences to come and usual deputies name another, lent roles end."""
    with keeping(session, actor, STAFF, staff_rows), keeping(session, actor, ABSENCES, absence_rows):
        _drop_deputy(session, staff_id, to_id, day)
        session.expire_all()


def _drop_deputy(session: Session, staff_id: int, to_id: int | None, day: date) -> None:
    session.execute(delete(StaffRole).where(StaffRole.staff_id == staff_id, StaffRole.absence_id.is_not(None)))
    session.execute(
        update(Absence).where(Absence.deputy_id == staff_id, Absence.to_day >= day).values(deputy_id=to_id)
    )
    session.execute(update(Staff).where(Staff.deputy_id == staff_id, Staff.id != to_id).values(deputy_id=to_id))
    session.execute(update(Staff).where(Staff.deputy_id == staff_id).values(deputy_id=None))


def set_schedule(
    session: Session,
    actor: Actor,
    staff_id: int,
    *,
    days: Sequence[int] = (),
    begin: str = "",
    end: str = "",
    deputy_id: int | None = None,
) -> Staff:
    """When a person works and who usually stands in; without days they work as the desk does."""
    require(actor, "absence.edit")
    staff = _person(session, staff_id)
    hours: dict[str, object] = {}
    if days:
        if set(days) - set(WEEK) or read_hour(begin) >= read_hour(end):
            raise Refused("terms.hours")
        hours = {"days": sorted(set(days)), "from": begin.strip(), "to": end.strip()}
    if deputy_id is not None and (deputy_id == staff_id or not _person(session, deputy_id).active):
        raise Refused("absence.deputy")
    with keeping(session, actor, STAFF, staff_rows):
        staff.hours, staff.deputy_id = hours, deputy_id
    record(session, "staff.schedule", actor, object_id=staff.id, deputy=deputy_id, hours=hours)
    return staff


def _person(session: Session, staff_id: int) -> Staff:
    staff = session.get(Staff, staff_id)
    if staff is None:
        raise NotFound("staff.unknown", id=staff_id)
    return staff


def lendable(staff: Staff) -> tuple[str, ...]:
    """Roles of a person that a deputy may hold for the time."""
    return tuple(role for role in HANDED if any(row.role == role and row.absence_id is None for row in staff.roles))


def is_lent(staff: Staff, role: str, now: datetime | None = None) -> bool:
    """Whether the person holds a role only in another's stead at this moment."""
    rows = [row for row in staff.roles if row.role == role and holds(row, now)]
    return bool(rows) and all(row.absence_id is not None for row in rows)


def replying(session: Session, people: Iterable[Staff], now: datetime | None = None) -> list[Staff]:
    """Those who may answer and are there; who is in their hours first of all, where anybody is."""
    at, policy = now or utc_now(), policy_of(session)
    away = away_on(session, local_day(session, at))
    there = [one for one in people if one.id not in away and actor_of(one).may("case.reply")]
    return [one for one in there if works_at(one, policy, at)] or there
