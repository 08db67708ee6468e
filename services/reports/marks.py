"""Report 27 (domain.md §8): marks of those who were answered, and of those who read the answers, by criterion."""

from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Session

from models import ReviewMark
from services.criteria import criteria_of
from services.reports.cohorts import COHORTS, count, counts
from services.reports.cut import Cut
from services.reports.shape import Cell, Line, Table

COLUMNS = ("qa_mean", "judged", "unjudged")


def mean(
    session: Session, name: str, cut: Cut, now: datetime, by: Any = None, all_of: Any = None
) -> dict[Any, Fraction]:
    """Mean mark of a list for each value of ``by``, or of the whole of it under ``all_of``; nothing of no marks."""
    columns = (func.sum(ReviewMark.mark), func.count())
    if by is None:
        rows = [(all_of, *session.execute(COHORTS[name].query(columns, cut, now)).one())]
    else:
        rows = [tuple(row) for row in session.execute(COHORTS[name].query((by, *columns), cut, now).group_by(by))]
    return {key: Fraction(int(total), number) for key, total, number in rows if number}


def criteria_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A line a criterion in the order of its table; one laid aside only while the period has marks by it."""
    means = mean(session, "judged", cut, now, ReviewMark.criterion)
    given = counts(session, "judged", ReviewMark.criterion, cut, now)
    beside = counts(session, "unjudged", ReviewMark.criterion, cut, now)
    lines = [
        Line(
            one.number, one.title,
            (
                Cell(means.get(one.number), "mark", f"judged_{one.number}"),
                Cell(given.get(one.number, 0), "count", f"judged_{one.number}"),
                Cell(beside.get(one.number, 0), "count", f"unjudged_{one.number}"),
            ),
        )
        for one in criteria_of(session)
        if one.active or one.number in given or one.number in beside
    ]  # fmt: skip
    whole = mean(session, "judged", cut, now, all_of="")
    total = (
        Cell(whole.get(""), "mark", "judged"), Cell(count(session, "judged", cut, now), "count", "judged"),
        Cell(sum(beside.values()), "count", "unjudged"),
    )  # fmt: skip
    return Table(COLUMNS, by, tuple(lines), total)
