"""Reports 14 and 15 (domain.md §8): broadcasts with their books, and how completely places were looked into."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models import Broadcast, BroadcastIncident, BroadcastQuestion, Message
from services.broadcasts.figures import Figures, shown_figures
from services.broadcasts.places import publications_of
from services.broadcasts.states import OVER
from services.cases import APPLICATION
from services.reports.cut import Cut
from services.reports.narrowed import of_broadcasts, of_places
from services.reports.shape import Cell, Line, Lists, Table, by_key, counted
from services.visits import Coverage, coverage

BROADCAST_COLUMNS = (
    "planned", "held", "checks_share", "chat_messages", "questions", "aloud_share", "chat_share", "carried",
    "broadcast_incidents", "leads", "viewers",
)  # fmt: skip
VISIT_COLUMNS = ("windows", "windows_done", "coverage_share", "looks", "looks_found")


def broadcasts_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A line a broadcast that was to begin in the period; what was moved away is counted where it went."""
    lists = broadcast_lists(session, cut, now)
    figures = {row.id: shown_figures(session, row) for row in lists["broadcasts_held"][None]}
    lines = tuple(
        Line(row.id, row.title, _cells(lists, [figures[row.id]] if row.id in figures else [], str(row.id)))
        for row in lists["broadcasts"][None]
    )
    total = _cells(lists, list(figures.values()), None) if lines else None
    return Table(BROADCAST_COLUMNS, by, lines, total, notes=("broadcasts",))


def broadcast_lists(session: Session, cut: Cut, now: datetime) -> Lists:
    """The broadcasts themselves, planned and held, each also by itself."""
    query = select(Broadcast).where(
        *cut.within(Broadcast.starts_at), Broadcast.state != "moved", *of_broadcasts(cut)
    )
    rows = list(session.scalars(query.order_by(Broadcast.starts_at, Broadcast.id)))
    held = [row for row in rows if row.state in OVER]
    return {"broadcasts": by_key(rows, lambda row: row.id), "broadcasts_held": by_key(held, lambda row: row.id)}


def _cells(lists: Lists, held: Sequence[Figures], key: str | None) -> tuple[Cell, ...]:
    """Of one broadcast or of all that were held; of one that was not there is nothing to say."""
    seen = [one.viewers for one in held if one.viewers is not None]

    def whole(name: str) -> int:
        return sum(getattr(one, name) for one in held)

    def cell(name: str) -> Cell:
        return Cell(whole(name) if held else None, "count", f"broadcast_{name}" if held else None, key=key)

    def share(name: str, of: str) -> Cell:
        return Cell(_part(whole(name), whole(of)), "share", f"broadcast_{name}" if held else None, key=key)

    return (
        counted(lists, "broadcasts", key), counted(lists, "broadcasts_held", key),
        Cell(_part(whole("checks"), whole("of_checks")), "share", "broadcasts_held", key=key), cell("messages"),
        cell("asked"), share("aloud", "asked"), share("chat", "asked"), cell("carried"), cell("incidents"),
        cell("leads"), Cell(max(seen) if seen else None, "number"),
    )  # fmt: skip


def rows_on_air(session: Session, cut: Cut, now: datetime, name: str, key: str | None) -> Select[Any]:
    """What was said, asked or broken on the broadcasts that were held, of one or of all."""
    ids = [row.id for row in broadcast_lists(session, cut, now)["broadcasts_held"].get(key, ())]
    if name == "messages":
        # A place has one publication; one that two broadcasts share is said on both.
        chats = [publication for one in ids for publication in publications_of(session, one)]
        return select(Message).where(Message.publication_id.in_(chats))
    if name == "incidents":
        return select(BroadcastIncident).where(BroadcastIncident.broadcast_id.in_(ids))
    asked = select(BroadcastQuestion).where(BroadcastQuestion.broadcast_id.in_(ids))
    if name == "leads":
        return asked.where(BroadcastQuestion.theme == APPLICATION)
    return asked if name == "asked" else asked.where(BroadcastQuestion.state == name)


def visits_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A line a place that people look into."""
    rows = coverage(session, cut.first, cut.last, now, where=of_places(cut))
    lists = _visit_lists(rows)
    lines = tuple(
        Line(
            one.place.id, one.place.title,
            _visit_cells(lists, str(one.place.id)),
        )
        for one in rows
    )  # fmt: skip
    return Table(VISIT_COLUMNS, by, lines, _visit_cells(lists, None) if rows else None)


def visit_lists(session: Session, cut: Cut, now: datetime) -> Lists:
    """The windows and looks behind the figures, by place."""
    return _visit_lists(coverage(session, cut.first, cut.last, now, where=of_places(cut)))


def _visit_lists(rows: Sequence[Coverage]) -> Lists:
    windows = [window for one in rows for window in one.windows]
    looks = [visit for one in rows for visit in one.by_hand]
    return {
        "windows": by_key(windows, lambda one: one.place.id),
        "windows_done": by_key((one for one in windows if one.look is not None), lambda one: one.place.id),
        "looks": by_key(looks, lambda one: one.place_id),
    }


def _visit_cells(lists: Lists, key: str | None) -> tuple[Cell, ...]:
    windows, done, looks = (lists[name].get(key, ()) for name in lists)
    return (
        counted(lists, "windows", key), counted(lists, "windows_done", key),
        Cell(_part(len(done), len(windows)), "share", "windows_done", key=key), counted(lists, "looks", key),
        Cell(sum(one.count for one in looks), "count", "looks_found", key=key),
    )  # fmt: skip


def _part(some: int, whole: int) -> float | None:
    return some / whole if whole else None
