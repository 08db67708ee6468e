"""«Отчёт об ответах»: how many came, were answered and wait, how fast, what was late and through whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from models import CaseFact, CaseStep, Department, RouteFact, Source, Staff
from models.database import ask_much
from services.calendars import Calendar, working_between
from services.reports.cohorts import COHORTS, count, counts, late_now, parts
from services.reports.cut import Cut
from services.reports.facts import MINUTE
from services.reports.spread import Spread, spread_of, spreads, took
from services.reports.tally import ALL, tallies, walk
from services.reports.trend import MOST_DAYS, Trend, pieces_of
from services.rights import Actor, require
from services.terms import policy_of


@dataclass(frozen=True, slots=True)
class Share:
    """``met`` of ``met + late``; None of nothing, which is printed as «—»."""

    met: int = 0
    late: int = 0

    @property
    def value(self) -> float | None:
        total = self.met + self.late
        return self.met / total if total else None


@dataclass(frozen=True, slots=True)
class Line:
    """``key``: what the line is of, as the filter of an address names it; "" for the whole. ``before``: the same of
    the period before."""

    key: Any
    name: str
    came: int
    answered: int
    waiting: int
    first: Spread
    in_time: Share
    before: "Line | None" = None


@dataclass(frozen=True, slots=True)
class UnitLine:
    """A department's part: questions put to it, and working time that cases resolved in the period spent there."""

    key: int
    unit: Department
    asked: int
    answered: int
    answer: Spread
    in_time: Share
    overdue: int
    before: "UnitLine | None" = None


@dataclass(frozen=True, slots=True)
class PersonLine:
    key: int
    name: str
    answers: int
    first: Spread
    in_time: Share
    before: "PersonLine | None" = None


@dataclass(frozen=True, slots=True)
class Delay:
    """Whose working time went by until cases were resolved: sums of minutes, and how many cases they are of."""

    cases: int
    desk: int
    department: int
    client: int


@dataclass(frozen=True, slots=True)
class Answers:
    """The page; ``checked`` of ``whole.came`` kinds were said by a person. ``history``: open cases in no figure."""

    cut: Cut
    now: datetime
    whole: Line
    before: Line
    places: tuple[Line, ...]
    kinds: tuple[Line, ...]
    units: tuple[UnitLine, ...]
    people: tuple[PersonLine, ...]
    resolution: Share
    resolution_before: Share
    resolved: int
    delay: Delay
    delay_before: Delay
    here: Spread
    checked: int
    history: int
    trend: Trend


def answers_report(session: Session, actor: Actor, cut: Cut, now: datetime, most_days: int = MOST_DAYS) -> Answers:
    """All figures of the page, each of a list of ``cohorts.COHORTS``; ``most_days``: longer periods are drawn by
    weeks."""
    require(actor, "report.view")
    ask_much(session)
    titles = {source.id: source.title for source in session.scalars(select(Source).order_by(Source.id))}
    waiting, _ = counts_by(session, "waiting", (CaseFact.source_id, CaseFact.kind), (cut,), now)
    standing = _Standing(titles, waiting, counts(session, "ask_overdue", RouteFact.department_id, cut, now))
    found = _tables(session, standing, cut, pieces_of(cut, most_days), now)
    earlier = _tables(session, standing, cut.before(), (cut.before(),), now)
    places, kinds, people, units = (
        tuple(replace(line, before=was.get(line.key)) for line in lines)
        for lines, was in zip(
            found.lines, ({line.key: line for line in lines} for lines in earlier.lines), strict=True
        )
    )
    return Answers(
        cut=cut, now=now, whole=places[0], before=earlier.lines[0][0], places=places[1:], kinds=kinds[1:],
        units=units,
        people=people, resolution=shares(session, "resolution", None, cut, now)[ALL],
        resolution_before=shares(session, "resolution", None, cut.before(), now)[ALL],
        delay_before=delay_of(session, cut.before(), now),
        delay=(delay := delay_of(session, cut, now)), resolved=delay.cases,
        checked=found.checked, history=count(session, "history", cut, now), here=found.here, trend=found.trend,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Tables:
    """Lines by place and by kind, the whole before them, by person and by department; how many kinds of what came a
    person said, and how long what was answered had been here."""

    lines: tuple[Sequence[Any], ...]
    checked: int
    here: Spread
    trend: Trend


@dataclass(frozen=True, slots=True)
class _Standing:
    """What is as it is now, whatever the period: names of places, what waits, and what departments owe too long."""

    titles: Mapping[Any, str]
    waiting: Sequence[Mapping[Any, int]]
    overdue: Mapping[Any, int]


def _tables(session: Session, standing: _Standing, cut: Cut, pieces: tuple[Cut, ...], now: datetime) -> _Tables:
    """``pieces`` make up ``cut``: a list is walked through once, however many figures are of it."""
    keys = (CaseFact.source_id, CaseFact.kind, CaseFact.staff_id)
    first = took(session, "answered", CaseFact.first_minutes, keys, pieces, now, CaseFact.first_here_minutes)
    terms = shares_by(session, "first", (*keys[:2], CaseFact.due_staff_id), cut, now)
    (*came, checked), numbers = counts_by(session, "came", (*keys[:2], CaseFact.checked), pieces, now)
    places, kinds = (
        _lines(names, came[place], standing.waiting[place], first.by[place], terms[place])
        for place, names in enumerate((standing.titles, {}))
    )
    people = _person_lines(session, first.by[2], terms[2], counts(session, "answers", CaseStep.staff_id, cut, now))
    return _Tables(
        (places, kinds, people, _unit_lines(session, cut, standing.overdue, now)), checked.get(True, 0),
        first.beside, Trend(pieces, {"came": numbers, "answered": first.numbers}),
    )  # fmt: skip


def whole_line(session: Session, cut: Cut, now: datetime) -> Line:
    """Everything that the cut holds, in one line."""
    came, waiting = ({ALL: count(session, name, cut, now)} for name in ("came", "waiting"))
    first = spreads(session, "answered", CaseFact.first_minutes, None, cut, now)
    return _lines({}, came, waiting, first, shares(session, "first", None, cut, now))[0]


def shares(session: Session, what: str, by: Any, cut: Cut, now: datetime) -> dict[Any, Share]:
    """Terms met and missed among what was due in the period, by ``by`` and under ALL, in one walk."""
    if by is not None:
        return shares_by(session, what, (by,), cut, now)[0]
    met, late, within = _ends(what, cut, now)
    query = select(how_many(met), how_many(late)).where(*within)
    row = session.execute(query).one()
    return {ALL: Share(int(row[0]), int(row[1]))}


def shares_by(
    session: Session, what: str, keys: Sequence[Any], cut: Cut, now: datetime
) -> tuple[dict[Any, Share], ...]:
    """The same for each of several columns; of none of them: the whole alone."""
    met, late, within = _ends(what, cut, now)
    end = case((met, 1), (late, 2), else_=0)
    found = tallies(session, select(*keys, end).where(*within), keys, end)
    return tuple(
        {
            group: Share(ends.get(1, 0), ends.get(2, 0))
            for group, ends in one.items()
            if group is ALL or ends.keys() != {0}
        }
        for one in found
    )  # fmt: skip


def _ends(what: str, cut: Cut, now: datetime) -> tuple[Any, Any, list[Any]]:
    """Met, missed, and what both are asked of."""
    kept, missed = (COHORTS[f"{what}_{end}"] for end in ("met", "late"))
    counted, *_, since, until = kept.where(cut, now)  # both lists begin and end alike
    met, late = (and_(*cohort.where(cut, now)[1:-2]) for cohort in (kept, missed))
    return met, late, [counted, since, until, *kept.filters(cut)]


def counts_by(
    session: Session, name: str, keys: tuple[Any, ...], pieces: Sequence[Cut], now: datetime
) -> tuple[tuple[dict[Any, int], ...], tuple[int, ...]]:
    """How many rows a list has for each value of each of several columns, and under ALL; and in each piece of the
    period."""
    found = walk(session, COHORTS[name].pieces(keys, pieces, now), keys)
    numbers = ({group: sum(ends.values()) for group, ends in one.items()} for one in found.tallies)
    return tuple(numbers), found.rows


def _lines(
    titles: Mapping[Any, str], came: Mapping[Any, int], waiting: Mapping[Any, int], first: Mapping[Any, Spread],
    terms: Mapping[Any, Share],
) -> list[Line]:  # fmt: skip
    """The whole first, then a line for each value, of which most came first."""
    seen = {*came, *waiting, *terms, *first} - {ALL}
    keys = [ALL, *sorted(seen, key=lambda key: (-came.get(key, 0), str(key)))]
    return [
        Line(
            key, titles.get(key, ""), came.get(key, 0), first.get(key, Spread()).count, waiting.get(key, 0),
            first.get(key, Spread()), terms.get(key, Share()),
        )
        for key in keys
    ]  # fmt: skip


def _unit_lines(session: Session, cut: Cut, overdue: Mapping[Any, int], now: datetime) -> tuple[UnitLine, ...]:
    """Departments that were asked in the period, or owe something that is overdue."""
    names = ("ask_answered", "ask_met", "ask_late")
    by, minutes = RouteFact.department_id, RouteFact.answer_minutes
    numbers, took = parts(session, "asked", names, by, cut, now, minutes)
    units = session.scalars(select(Department).order_by(Department.position, Department.id))
    return tuple(
        UnitLine(
            unit.id, unit, numbers["asked"].get(unit.id, 0), numbers["ask_answered"].get(unit.id, 0),
            spread_of(took.get(unit.id, {}).items()),
            Share(numbers["ask_met"].get(unit.id, 0), numbers["ask_late"].get(unit.id, 0)), overdue.get(unit.id, 0),
        )
        for unit in units
        if unit.id in numbers["asked"] or unit.id in overdue
    )  # fmt: skip


def person_lines(session: Session, cut: Cut, sent: Mapping[Any, int], now: datetime) -> tuple[PersonLine, ...]:
    """Who ``sent`` what stands on the platforms; the share in time is of cases whose first answer was theirs, or
    that were theirs when the term ended without one."""
    first = spreads(session, "answered", CaseFact.first_minutes, CaseFact.staff_id, cut, now)
    return _person_lines(session, first, shares(session, "first", CaseFact.due_staff_id, cut, now), sent)


def _person_lines(
    session: Session, first: Mapping[Any, Spread], terms: Mapping[Any, Share], sent: Mapping[Any, int]
) -> tuple[PersonLine, ...]:
    people = {staff.id: staff.name for staff in session.scalars(select(Staff))}
    keys = {key for key in (*sent, *first, *terms) if key in people}
    return tuple(
        PersonLine(key, people[key], sent.get(key, 0), first.get(key, Spread()), terms.get(key, Share()))
        for key in sorted(keys, key=lambda key: (-sent.get(key, 0), people[key]))
    )


def delay_of(session: Session, cut: Cut, now: datetime) -> Delay:
    """Desk time and department time side by side, of the cases that were resolved in the period."""
    sums = (CaseFact.desk_minutes, CaseFact.department_minutes, CaseFact.client_minutes)
    row = session.execute(
        COHORTS["resolved"].query(
            (func.count(), *(func.coalesce(func.sum(column), 0) for column in sums)), cut, now
        )
    ).one()
    return Delay(*(int(value) for value in row))


AGES = (4, 9, 27, 45)
"""Bounds of the queue's columns in hours of working time (domain.md §8, report 6)."""


def age_bounds(calendar: Calendar, now: datetime) -> list[datetime]:
    """For each of AGES: what was opened at this moment or later is no older than that."""
    return [_before(calendar, now, hours * 60) for hours in AGES]


def _before(calendar: Calendar, now: datetime, minutes: int) -> datetime:
    """The earliest moment from which at most ``minutes`` whole minutes of working time lead to ``now``."""
    step, low = 1, now
    while working_between(calendar, low, now) // MINUTE <= minutes:
        low -= MINUTE * 60 * 24 * step
        step += step
    high = now
    while high - low > MINUTE / 60_000_000:
        middle = low + (high - low) / 2
        if working_between(calendar, middle, now) // MINUTE <= minutes:
            high = middle
        else:
            low = middle
    return high


@dataclass(frozen=True, slots=True)
class Age:
    """A column of the queue: opened at ``since`` or later and before ``until``; None: without that bound."""

    since: datetime | None
    until: datetime | None
    total: int = 0
    unanswered: int = 0
    late: int = 0
    department: int = 0
    client: int = 0

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[Any] = []
        if self.since is not None:
            found.append(CaseFact.opened_at >= self.since)
        if self.until is not None:
            found.append(CaseFact.opened_at < self.until)
        return found


def ages(session: Session, now: datetime) -> list[Age]:
    """The empty columns of the queue, youngest first."""
    bounds = age_bounds(policy_of(session).calendars["desk"], now)
    return [Age(since, until) for since, until in zip([*bounds, None], [None, *bounds], strict=True)]


def queue(session: Session, cut: Cut, now: datetime) -> list[Age]:
    """What is open now, by its age in working time; the filters of ``cut`` hold, its period does not. One walk."""
    empty = ages(session, now)
    column = case(
        *((CaseFact.opened_at >= age.since, number) for number, age in enumerate(empty) if age.since is not None),
        else_=len(empty) - 1,
    ).label("age")
    sums = (
        func.count(), how_many(CaseFact.first_at.is_(None)), how_many(late_now(now)),
        how_many(CaseFact.holder == "department"), how_many(CaseFact.holder == "client"),
    )  # fmt: skip
    rows = session.execute(COHORTS["queue"].query((column, *sums), cut, now).group_by(column))
    found = {int(row[0]): [int(value) for value in row[1:]] for row in rows}
    return [
        Age(age.since, age.until, *found.get(number, [0] * len(sums))) for number, age in enumerate(empty)
    ]  # fmt: skip


def how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
