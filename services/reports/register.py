"""Report 16 (domain.md §8): the register of complaints and wishes, what was found and what was done about each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Author, Case, CaseFact, Department, Message, Source, Verdict, Wish, WishCase
from services.errors import NotFound, Refused
from services.events import record
from services.reports.cohorts import count
from services.reports.cut import Cut
from services.reports.shape import Cell, Line, Table
from services.rights import Actor, require

OUTCOMES = ("justified", "partly", "no")
KINDS = {"complaints": "complaint", "wishes": "wish"}
COLUMNS = ("dated", "place", "author", "essence", "unit", "decision", "answered_on", "term", "measures")
ESSENCE = 200
MOST = 1000
"""Rows on the screen and in the file of a period; a longer one is taken in parts."""


def register_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A row a complaint or wish that came in the period, oldest first; claims stand among complaints."""
    query = (
        select(
            CaseFact.id, Case.number, CaseFact.opened_at, CaseFact.first_at, CaseFact.first_due_at,
            Source.title.label("place"), Author.name.label("author"),
            func.substr(Message.text, 1, 3 * ESSENCE).label("text"), Department.name.label("unit"), Verdict.outcome,
            Verdict.measures, Wish.state, Wish.answer,
        )
        .join(Case, Case.id == CaseFact.id).join(Source, Source.id == CaseFact.source_id)
        .outerjoin(Author, Author.id == Case.author_id).outerjoin(Message, Message.id == Case.first_message_id)
        .outerjoin(Department, Department.id == CaseFact.department_id)
        .outerjoin(Verdict, Verdict.case_id == CaseFact.id)
        .outerjoin(WishCase, WishCase.case_id == CaseFact.id).outerjoin(Wish, Wish.id == WishCase.wish_id)
        .where(CaseFact.counts, CaseFact.kind == KINDS[by], *cut.within(CaseFact.opened_at))
        .where(*cut.filters(CaseFact.department_id, CaseFact.staff_id))
        .order_by(CaseFact.opened_at, CaseFact.id).limit(MOST)
    )  # fmt: skip
    rows = session.execute(query).all()
    lines = tuple(_line(row, now) for row in rows)
    beside = _wholes(session, cut, now, by)
    return Table(COLUMNS, by, lines, None, beside, ("more",) if beside[0][1].value > len(rows) else ())


def register_before(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """Of the period before only the wholes: its rows are others."""
    return Table(COLUMNS, by, (), None, _wholes(session, cut, now, by))


def _wholes(session: Session, cut: Cut, now: datetime, by: str) -> tuple[tuple[str, Cell], ...]:
    """Of all rows of the period, however many of them are shown."""

    def cell(name: str) -> Cell:
        return Cell(count(session, f"register_{name}", cut, now), "count", f"register_{name}")

    if by == "wishes":
        return ("in_register", cell("wishes")), ("wishes_decided", cell("wishes_decided"))
    decided, justified = cell("complaints_decided"), cell("complaints_justified")
    share = justified.value / decided.value if decided.value else None
    return (
        ("in_register", cell("complaints")), ("decided", decided),
        ("justified_share", Cell(share, "share", justified.list)),
    )  # fmt: skip


def _line(row: Any, now: datetime) -> Line:
    said = row.outcome or (f"wish_{row.state}" if row.state is not None else None)
    measures = row.measures if row.outcome is not None else row.answer
    return Line(
        row.id, row.number or "",
        (
            Cell(row.opened_at, "date"), Cell(row.place, "text"), Cell(row.author or "", "text"),
            Cell(" ".join((row.text or "").split())[:ESSENCE], "text"), Cell(row.unit, "text"), Cell(said, "code"),
            Cell(row.first_at, "date"), Cell(_term(row, now), "code"), Cell(measures or "", "text"),
        ),
        ("case", row.id),
    )  # fmt: skip


def _term(fact: Any, now: datetime) -> str | None:
    """met · late · runs; None where no term was set."""
    if fact.first_due_at is None:
        return None
    if fact.first_at is not None:
        return "met" if fact.first_at <= fact.first_due_at else "late"
    return "late" if fact.first_due_at < now else "runs"


def verdicts_of(session: Session, case_ids: Sequence[int]) -> Mapping[int, Verdict]:
    query = select(Verdict).where(Verdict.case_id.in_(case_ids))
    return {row.case_id: row for row in session.scalars(query)}


def say_verdict(session: Session, actor: Actor, case_id: int, outcome: str, measures: str) -> Verdict:
    """What was found on a complaint; said again it is written over, and the history keeps who said what."""
    require(actor, "case.close_grave")
    if session.get(Case, case_id) is None:
        raise NotFound("case.unknown", id=case_id)
    if outcome not in OUTCOMES:
        raise Refused("verdict.outcome")
    row = session.scalar(select(Verdict).where(Verdict.case_id == case_id))
    if row is None:
        row = Verdict(case_id=case_id)
        session.add(row)
    row.outcome, row.measures, row.staff_id = outcome, measures.strip(), actor.staff_id
    session.flush()
    record(session, "case.verdict", actor, case_id=case_id, object_id=row.id, code=outcome)
    return row
