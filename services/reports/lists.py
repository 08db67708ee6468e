"""From a figure to its cases: the rows of a list by pages, each with its case, its words and its place outside."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, tuple_
from sqlalchemy.orm import Session

from models import Author, Case, CaseFact, Department, Message, Source, Staff, UtcDateTime
from services.errors import NotFound
from services.order import parse_key
from services.reports.answers import ages
from services.reports.cohorts import COHORTS, Cohort
from services.reports.cut import Cut
from services.rights import Actor, require
from services.sla import Share, lateness

PAGE = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One line: the facts as counted and the case behind them; ``why`` is for a late one."""

    id: int
    at: datetime
    fact: CaseFact
    case: Case
    text: str
    author: str
    platform: str
    place: str
    url: str | None
    person: str | None
    department: Department | None
    why: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[Row, ...]
    total: int
    after: str | None


def list_page(
    session: Session, actor: Actor, name: str, cut: Cut, now: datetime, *, age: int | None = None,
    after: str | None = None,
) -> Page:  # fmt: skip
    """A page of the list ``name``, newest first; ``age``: only that column of the queue."""
    require(actor, "report.view")
    cohort, extra = cohort_of(name), _age(session, age, now)
    total = session.scalar(cohort.query((func.count(),), cut, now).where(*extra)) or 0
    key = tuple_(cohort.at, cohort.table.id)
    query = cohort.query((cohort.table.id, cohort.at, CaseFact), cut, now).where(*extra)
    if after:
        at, row_id = parse_key(after)
        query = query.where(key < tuple_(literal(at, UtcDateTime), literal(row_id)))
    found = session.execute(query.order_by(cohort.at.desc(), cohort.table.id.desc()).limit(PAGE + 1)).all()
    shown = found[:PAGE]
    more = f"{shown[-1][1].timestamp():.6f}:{shown[-1][0]}" if len(found) > PAGE else None
    return Page(tuple(rows_of(session, shown, now, late=cohort.late)), total, more)


def cohort_of(name: str) -> Cohort:
    """The list of that word; raises NotFound where there is none."""
    if name not in COHORTS:
        raise NotFound("report.unknown", name=name[:40])
    return COHORTS[name]


def _age(session: Session, age: int | None, now: datetime) -> list[ColumnElement[bool]]:
    columns = ages(session, now) if age is not None else []
    return columns[age].conditions() if age is not None and 0 <= age < len(columns) else []


_FILED = (
    Case.number, Source.platform, Source.title, CaseFact.kind, Author.name, Message.text, Message.url,
    CaseFact.opened_at, CaseFact.first_at, CaseFact.first_minutes, CaseFact.first_clock_minutes,
    CaseFact.first_due_at, CaseFact.resolved_at, CaseFact.resolution_due_at, Staff.name.label("person"),
    Department.name.label("department"), CaseFact.desk_minutes, CaseFact.department_minutes,
    CaseFact.client_minutes, CaseFact.holder, CaseFact.held_since,
)  # fmt: skip


def filed_rows(
    session: Session, name: str, cut: Cut, now: datetime, age: int | None = None, most: int | None = None
) -> Iterator[Any]:
    """Every row of a list as plain columns, oldest first, a piece at a time so that memory stays flat."""
    cohort = cohort_of(name)
    query = cohort.query((cohort.at.label("at"), *_FILED), cut, now).where(*_age(session, age, now))
    query = (
        query.join(Case, Case.id == CaseFact.id)
        .join(Source, Source.id == CaseFact.source_id)
        .outerjoin(Message, Message.id == Case.first_message_id)
        .outerjoin(Author, Author.id == Case.author_id)
        .outerjoin(Staff, Staff.id == CaseFact.staff_id)
        .outerjoin(Department, Department.id == CaseFact.department_id)
    )
    ordered = query.order_by(cohort.at, cohort.table.id).limit(most)
    return iter(session.execute(ordered.execution_options(yield_per=1000)))


def rows_of(session: Session, found: Sequence[Any], now: datetime, *, late: bool) -> list[Row]:
    """The lines for (row id, time, facts) in their order, one query a table."""
    cases = _by_id(session, Case, [row[2].id for row in found])
    messages = _by_id(session, Message, [case.first_message_id for case in cases.values()])
    authors = _by_id(session, Author, [case.author_id for case in cases.values()])
    sources = _by_id(session, Source, [row[2].source_id for row in found])
    people = _by_id(session, Staff, [row[2].staff_id for row in found])
    units = _by_id(session, Department, [row[2].department_id for row in found])
    lines = []
    for row_id, at, fact in found:
        case = cases[fact.id]
        message = messages.get(case.first_message_id)
        author, person = authors.get(case.author_id), people.get(fact.staff_id)
        lines.append(
            Row(
                id=row_id, at=at, fact=fact, case=case, text=message.text if message else "",
                author=author.name if author else "", platform=fact.platform, place=sources[fact.source_id].title,
                url=message.url if message else None, person=person.name if person else None,
                department=units.get(fact.department_id),
                why=tuple(lateness(session, case, now)) if late else (),
            )
        )  # fmt: skip
    return lines


def _by_id(session: Session, table: Any, ids: Sequence[int | None]) -> dict[int | None, Any]:
    wanted = {key for key in ids if key is not None}
    if not wanted:
        return {}
    return {row.id: row for row in session.scalars(select(table).where(table.id.in_(wanted)))}
