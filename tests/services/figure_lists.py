"""Opens the list behind every figure of a report and counts it by leafing through its pages."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from services.reports.cut import Cut
from services.reports.listed import LISTED, row_page
from services.reports.lists import list_page
from services.reports.shape import Cell, Table
from services.reports.tables import REPORTS, run_table
from services.rights import DESK


def tables_of(session: Session, cut: Cut, now: datetime) -> Iterator[tuple[str, Table]]:
    """Every report in each of its splits."""
    for code, report in REPORTS.items():
        for by in report.splits:
            yield code, run_table(session, DESK, code, cut, now, by)


def cells_of(table: Table) -> Iterator[tuple[str, Cell]]:
    for line in table.lines:
        yield from zip(table.columns, line.cells, strict=True)
    yield from zip(table.columns, table.total or (), strict=bool(table.total))
    yield from table.beside


def opened(session: Session, cell: Cell, cut: Cut, now: datetime) -> int:
    """What the list of a cell yields: its rows leafed through one by one, or the sum it says of them."""
    assert cell.list is not None
    page: Any
    cut, after, rows, whole = replace(cut, **cell.changes), None, [], None
    while True:
        if cell.list in LISTED:
            page = row_page(session, DESK, cell.list, cut, now, cell.key, after)
            rows += [(row.at, row.record.id) for row in page.rows]
            whole = page.whole
        else:
            page = list_page(session, DESK, cell.list, cut, now, age=cell.age, after=after)
            rows += [(row.at, row.id) for row in page.rows]
        if page.after is None:
            break
        after = page.after
    assert len(set(rows)) == len(rows) == page.total, cell
    is_sum = whole is not None and (cell.unit != "count" or whole[1] == "count")
    return whole[2] if is_sum and whole is not None else page.total


def differing(session: Session, cut: Cut, now: datetime) -> tuple[list[str], int]:
    """Counts without a list or with one of another size, and how many lists were opened."""
    wrong, known = [], {}
    for code, table in tables_of(session, cut, now):
        for name, cell in cells_of(table):
            if cell.value is None or cell.unit not in ("count", "money"):
                continue
            if cell.list is None:
                wrong.append(f"{code}.{table.by}.{name}: no list")
                continue
            asked = (cell.list, cell.age, cell.key, replace(cut, **cell.changes), cell.unit)
            if asked not in known:
                known[asked] = opened(session, cell, cut, now)
            if known[asked] != cell.value:
                wrong.append(f"{code}.{table.by}.{name} {cell}: {known[asked]}")
    return wrong, len(known)
