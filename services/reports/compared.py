"""A report beside the same of the period before: each figure of a period, line by line."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.reports.cohorts import OF_NOW
from services.reports.shape import Cell, Line, Table

UNITS = frozenset({"count", "minutes", "share", "money", "days", "number", "mark", "ratio"})
STANDING = frozenset({
    "answered_now", "late_now", "wishes_waiting", "open_incidents", "stand_now", "deal_sum", "lost_deals",
    "clients", "complete_share", "repeat_share_clients", "paying", "overdue", "came_before",
})  # fmt: skip
"""Columns that say how things stand at this moment, or are themselves of the period before."""


def beside_before(now: Table, before: Table, *, apart: bool = False) -> Table:
    """``now`` with what ``before`` said in the same places; a line that was not there had nothing to count.

    ``apart``: a line is a thing of its period and is compared with nothing.
    """
    earlier = {line.key: line.cells for line in before.lines}
    total = now.total and _cells(now.columns, now.total, before.total)
    told = dict(before.beside)
    beside = tuple((name, _cell(name, cell, told.get(name))) for name, cell in now.beside)
    lines = (
        now.lines
        if apart
        else tuple(
            Line(line.key, line.name, _cells(now.columns, line.cells, earlier.get(line.key)), line.place)
            for line in now.lines
        )
    )
    return replace(now, lines=lines, total=total, beside=beside)


def compares(name: str, cell: Cell) -> bool:
    """Whether a figure is of its period, so that the period before has one too."""
    return cell.unit in UNITS and name not in STANDING and cell.list not in OF_NOW


def _cells(columns: Sequence[str], cells: Sequence[Cell], before: Sequence[Cell] | None) -> tuple[Cell, ...]:
    was: Mapping[str, Cell] = dict(zip(columns, before, strict=True)) if before else {}
    return tuple(_cell(name, cell, was.get(name)) for name, cell in zip(columns, cells, strict=True))


def _cell(name: str, cell: Cell, before: Cell | None) -> Cell:
    if not compares(name, cell):
        return cell
    value: Any = before.value if before is not None else 0 if cell.unit in ("count", "money") else None
    return replace(cell, before=value, compared=value is not None)
