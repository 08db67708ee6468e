"""Reports 14 and 15 (domain.md §8): broadcasts with their books, and how completely places were looked into."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Broadcast
from services.broadcasts.figures import Figures, shown_figures
from services.broadcasts.states import OVER
from services.reports.cut import Cut
from services.reports.shape import Cell, Line, Table
from services.visits import coverage

BROADCAST_COLUMNS = (
    "planned", "held", "checks_share", "chat_messages", "questions", "aloud_share", "chat_share", "carried",
    "broadcast_incidents", "leads", "viewers",
)  # fmt: skip
VISIT_COLUMNS = ("windows", "windows_done", "coverage_share", "looks", "looks_found")


def broadcasts_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A line a broadcast that was to begin in the period; what was moved away is counted where it went."""
    query = select(Broadcast).where(*cut.within(Broadcast.starts_at), Broadcast.state != "moved")
    rows = list(session.scalars(query.order_by(Broadcast.starts_at, Broadcast.id)))
    figures = {row.id: shown_figures(session, row) for row in rows if row.state in OVER}
    lines = tuple(Line(row.id, row.title, _cells(figures.get(row.id), 1)) for row in rows)
    return Table(BROADCAST_COLUMNS, by, lines, _total(len(rows), list(figures.values())) if rows else None)


def _cells(one: Figures | None, count: int) -> tuple[Cell, ...]:
    if one is None:
        return (Cell(1), Cell(0), *(Cell(None) for _ in BROADCAST_COLUMNS[2:]))
    return (
        Cell(count), Cell(count), Cell(_part(one.checks, one.of_checks), "share"), Cell(one.messages),
        Cell(one.asked),
        Cell(_part(one.aloud, one.asked), "share"), Cell(_part(one.chat, one.asked), "share"), Cell(one.carried),
        Cell(one.incidents), Cell(one.leads), Cell(one.viewers),
    )  # fmt: skip


def _total(planned: int, held: list[Figures]) -> tuple[Cell, ...]:
    asked = sum(one.asked for one in held)
    seen = [one.viewers for one in held if one.viewers is not None]
    return (
        Cell(planned), Cell(len(held)),
        Cell(_part(sum(one.checks for one in held), sum(one.of_checks for one in held)), "share"),
        Cell(sum(one.messages for one in held)), Cell(asked),
        Cell(_part(sum(one.aloud for one in held), asked), "share"),
        Cell(_part(sum(one.chat for one in held), asked), "share"), Cell(sum(one.carried for one in held)),
        Cell(sum(one.incidents for one in held)), Cell(sum(one.leads for one in held)),
        Cell(max(seen) if seen else None),
    )  # fmt: skip


def visits_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A line a place that people look into."""
    rows = coverage(session, cut.first, cut.last, now)
    lines = tuple(
        Line(
            one.place.id, one.place.title,
            (Cell(one.windows), Cell(one.done), Cell(_part(one.done, one.windows), "share"), Cell(one.by_hand),
             Cell(one.found)),
        )
        for one in rows
    )  # fmt: skip
    windows, done = sum(one.windows for one in rows), sum(one.done for one in rows)
    total = (
        Cell(windows), Cell(done), Cell(_part(done, windows), "share"), Cell(sum(one.by_hand for one in rows)),
        Cell(sum(one.found for one in rows)),
    )  # fmt: skip
    return Table(VISIT_COLUMNS, by, lines, total if rows else None)


def _part(some: int, whole: int) -> float | None:
    return some / whole if whole else None
