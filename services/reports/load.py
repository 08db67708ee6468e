"""Report 8 (domain.md §8): what each person was given, did and had in hand, and their minutes on duty."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from models import Absence, CaseFact, CaseStep, DutyDay, LeadFact, Review, SettingVersion, Staff
from services.calendars import Calendar
from services.criteria import MARKS
from services.reports.answers import PersonLine, Share, person_lines
from services.reports.cohorts import Cohort, counts
from services.reports.cut import Cut
from services.reports.facts import Running, minutes_between
from services.reports.marks import mean
from services.reports.shape import Cell, Line, Lists, Table
from services.reports.spread import Spread
from services.reports.tally import ALL, tallies
from services.rota import NAME as ROTA
from services.rota import week_of
from services.terms import policy_of

LOAD_COLUMNS = (
    "assigned", "answers", "ended", "answered", "median", "first_share", "wip", "qa_share", "shift_minutes", "led",
)  # fmt: skip


def staff_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A line a person who was given a case, led one, wrote an answer or had the duty in the period."""
    calendars = policy_of(session).calendars
    people = {row.id: row.name for row in session.scalars(select(Staff))}
    sent, ended, assigned = _steps_of(session, cut, now)
    told = {line.key: line for line in person_lines(session, cut, sent, now)}
    led = counts(session, "led", CaseFact.lead_id, cut, now)
    held = led_minutes(session, calendars["desk"], cut, now)
    judged = mean(session, "judged", cut, now, Review.staff_id)
    shifts = shift_minutes(session, calendars["duty"], cut, now)
    working = minutes_between(calendars["desk"], cut.since, min(cut.until, now))
    keys = {key for found in (told, assigned, ended, led, held, shifts or {}) for key in found if key in people}

    def cells(key: int) -> tuple[Cell, ...]:
        line = told.get(key) or PersonLine(key, people[key], 0, Spread(), Share())
        changes = {"staff_id": key}
        return (
            Cell(assigned.get(key, 0), "count", "assigned", changes),
            Cell(line.answers, "count", "answers", changes),
            Cell(ended.get(key, 0), "count", "ended", changes),
            Cell(line.first.count, "count", "answered", changes),
            Cell(line.first.median, "minutes", "answered", changes),
            Cell(line.in_time.value, "share", "first_met", changes),
            Cell(held.get(key, 0) / working if working else None, "number", "led_spans", changes),
            Cell(float(judged[key] / max(MARKS)) if key in judged else None, "share", "judged", changes),
            Cell(shifts.get(key, 0) if shifts is not None else None, "minutes", "shifts", changes),
            Cell(led.get(key, 0), "count", "led", changes),
        )

    ordered = sorted(keys, key=lambda key: (-(told[key].answers if key in told else 0), people[key]))
    lines = tuple(Line(key, people[key], cells(key)) for key in ordered)
    whole = cut.filters_on and replace(cut, staff_id=None).filters_on and shifts is not None
    return Table(
        LOAD_COLUMNS, by, lines, missing=("shifts",) if shifts is None else (), notes=("shifts",) if whole else ()
    )


_KINDS = ("answered", "resolved", "assigned")
_DONE = Cohort(
    CaseStep.at, lambda cut, _now: [CaseStep.kind.in_(_KINDS), *cut.within(CaseStep.at)], CaseStep,
    staff=CaseStep.staff_id,
)  # fmt: skip
_WHICH = case({kind: number for number, kind in enumerate(_KINDS)}, value=CaseStep.kind, else_=len(_KINDS))


def _steps_of(session: Session, cut: Cut, now: datetime) -> list[dict[Any, int]]:
    """The lists «answers», «ended» and «assigned», person → how many steps, of one walk."""
    of_case, own = cut.apart(_DONE.unit, _DONE.person, _DONE.place)
    columns = (CaseStep.staff_id, _WHICH)
    if cut.of_few_cases(of_case):
        query = select(*columns).where(*_DONE.where(cut, now), *own, _by_cases(CaseStep.case_id, of_case))
    else:
        query = _DONE.query(columns, cut, now)
    (told,) = tallies(session, query, columns[:1], _WHICH)
    return [
        {who: steps[number] for who, steps in told.items() if who is not ALL and number in steps}
        for number in range(len(_KINDS))
    ]


def _by_cases(case_id: Any, of_case: Sequence[Any]) -> Any:
    return case_id.in_(select(CaseFact.id).where(*of_case))


def led_minutes(session: Session, calendar: Calendar, cut: Cut, now: datetime) -> Counter[int]:
    """person → working minutes that cases lay with them within the period, each case for itself."""
    since, until = cut.since, min(cut.until, now)
    found: Counter[int] = Counter()
    if until <= since:
        return found
    begun = (LeadFact.since >= since, LeadFact.since < until)
    ended = (LeadFact.until <= until, LeadFact.minutes.is_not(None))
    of_case, own = cut.apart(CaseFact.department_id, LeadFact.staff_id)
    if cut.of_few_cases(of_case):
        whole = select(LeadFact.staff_id).where(*own, _by_cases(LeadFact.case_id, of_case), *begun, *ended)
    else:
        whole = _of(cut, select(LeadFact.staff_id)).where(*begun, *ended)
    (told,) = tallies(session, whole, (LeadFact.staff_id,), LeadFact.minutes)
    for staff_id, numbers in told.items():
        if staff_id is not ALL:
            found[staff_id] += sum(minutes * number for minutes, number in numbers.items())
    running = Running(calendar, until)
    throughout = _of(cut, select(LeadFact.staff_id, func.count())).where(
        LeadFact.until.is_(None), LeadFact.since < since
    )
    for staff_id, number in session.execute(throughout.group_by(LeadFact.staff_id)):
        found[staff_id] += number * running.since(since)
    edges = _of(cut, select(LeadFact.staff_id, LeadFact.since, LeadFact.until))
    over: list[tuple[Any, ...]] = [(LeadFact.until.is_(None), *begun)]
    # Over the edge of all history nothing reaches, but SQLite would look at every stretch to find that out.
    first, last = session.scalar(select(func.min(LeadFact.since))), session.scalar(select(func.max(LeadFact.until)))
    if first is not None and first < since:
        over.append((LeadFact.until > since, LeadFact.since < since))
    if last is not None and last > until:
        over.append((*begun, LeadFact.until > until))
    for where in over:
        for staff_id, begin, end in session.execute(edges.where(*where)):
            start = max(begin, since)
            spent = running.since(start) if end is None or end > until else minutes_between(calendar, start, end)
            found[staff_id] += spent
    return found


def led_spans(cut: Cut, now: datetime) -> Any:
    """The stretches themselves: who led which case within the period, from when to when."""
    over = (LeadFact.since < min(cut.until, now), or_(LeadFact.until.is_(None), LeadFact.until > cut.since))
    return _of(cut, select(LeadFact)).where(*over)


def _of(cut: Cut, query: Any) -> Any:
    """Facts of cases are read only where a filter asks for them."""
    filters = cut.filters(CaseFact.department_id, LeadFact.staff_id)
    if len(filters) > (cut.staff_id is not None):
        query = query.join(CaseFact, CaseFact.id == LeadFact.case_id)
    return query.where(*filters)


def shift_minutes(session: Session, calendar: Calendar, cut: Cut, now: datetime) -> Counter[int] | None:
    """person → minutes of duty; None: nobody was ever named."""
    found = shifts_of(session, calendar, cut, now)
    if found is None:
        return None
    spent: Counter[int] = Counter()
    for one in found:
        spent[one.staff_id] += one.minutes
    return spent


@dataclass(frozen=True, slots=True)
class Shift:
    """A day of a person's duty, with the minutes of it that are over."""

    staff_id: int
    at: datetime
    minutes: int

    @property
    def id(self) -> int:
        return self.staff_id


def shifts_of(session: Session, calendar: Calendar, cut: Cut, now: datetime) -> list[Shift] | None:
    """The days that «Дежурства» gave to people, as the week stood then; None: nobody was ever named."""
    own = {
        row.day: row.staff_id
        for row in session.scalars(select(DutyDay).where(DutyDay.day >= cut.first, DutyDay.day <= cut.last))
    }
    weeks = _weeks(session, cut.zone)
    if not own and not any(week for _since, week in weeks):
        return None
    query = select(Absence).where(Absence.to_day >= cut.first, Absence.from_day <= cut.last)
    away = {
        (row.staff_id, row.from_day + timedelta(days=number))
        for row in session.scalars(query)
        for number in range((min(row.to_day, cut.last) - row.from_day).days + 1)
    }
    if cut.staff_id is not None:
        weeks = [(since, {day: one for day, one in week.items() if one == cut.staff_id}) for since, week in weeks]
        own = {day: one if one == cut.staff_id else None for day, one in own.items()}
    found = []
    until = min(cut.until, now)
    for number in range((cut.last - cut.first).days + 1):
        day = cut.first + timedelta(days=number)
        span = calendar.span(day)
        week = next((week for since, week in reversed(weeks) if since <= day), weeks[0][1])
        staff_id = own[day] if day in own else week.get(day.weekday())
        if span is not None and staff_id is not None and span[0] < until and (staff_id, day) not in away:
            found.append(Shift(staff_id, span[0], minutes_between(calendar, span[0], min(span[1], until))))
    return found


def shift_lists(session: Session, cut: Cut, now: datetime) -> Lists:
    """The days of duty, of the person whom the filter names or of all."""
    found = shifts_of(session, policy_of(session).calendars["duty"], cut, now) or []
    return {"shifts": {None: found}}


def _weeks(session: Session, zone: str) -> list[tuple[date, dict[int, int]]]:
    """(from which day on, day of the week → person), the oldest first and never none."""
    query = select(SettingVersion).where(SettingVersion.name == ROTA).order_by(SettingVersion.number)
    found = [
        (row.at.astimezone(ZoneInfo(zone)).date(),
         {int(day): int(one) for day, one in ((row.value or {}).get("week") or {}).items()})
        for row in session.scalars(query)
    ]  # fmt: skip
    return found or [(date.min, week_of(session))]
