"""What a report is made of: cells with their lists, lines, tables, and a row of the registry."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from services.reports.cut import FILTERS, Cut


@dataclass(frozen=True, slots=True)
class Cell:
    """``unit``: count · minutes · share (0 to 1) · money (kopecks) · days · number · ratio · date · text · code (a
    word of the screen); ``list`` names what yields it (in ``cohorts`` or ``listed``), ``changes`` narrow the cut to
    it, ``key`` the list. ``before``: the same of the period before, where ``compared``."""

    value: Any
    unit: str = "count"
    list: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    age: int | None = None
    before: Any = None
    compared: bool = False
    key: str | None = None


Lists = Mapping[str, Mapping[str | None, Sequence[Any]]]
"""Name of a list → key of a line → its rows; under None those of all lines."""


def by_key(rows: Iterable[Any], key_of: Callable[[Any], Any]) -> dict[str | None, list[Any]]:
    """The rows of all lines and of each."""
    found: dict[str | None, list[Any]] = {None: list(rows)}
    for row in found[None]:
        found.setdefault(str(key_of(row)), []).append(row)
    return found


def counted(lists: Lists, name: str, key: str | None = None) -> Cell:
    """How many rows a list has: the figure and its list are the same rows."""
    return Cell(len(lists[name].get(key, ())), "count", name, key=key)


@dataclass(frozen=True, slots=True)
class Line:
    """``key``: what of the dimension it is, ``name``: as the tables call it, "" where words of the screen do.

    ``place``: the page behind it as (contract · case · client, id), of a register's row.
    """

    key: Any
    name: str
    cells: tuple[Cell, ...]
    place: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """``columns`` are codes of figures; ``by``: the dimension of the lines; ``total`` is reckoned by itself.

    ``beside``: figures of the whole that no column holds. ``missing``: codes of what has no source here yet;
    ``notes``: codes of what must be known to read the figures.
    """

    columns: tuple[str, ...]
    by: str
    lines: tuple[Line, ...]
    total: tuple[Cell, ...] | None = None
    beside: tuple[tuple[str, Cell], ...] = ()
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


Ask = Callable[[Session, Cut, datetime, str], Table]


@dataclass(frozen=True, slots=True)
class Report:
    """``number`` of domain.md §8; ``splits``: dimensions that it may be split by, the first one usually.

    ``right``: what besides «report.view» is asked for, where it tells of people's money. ``filters``: those of a
    cut that narrow it, ``by_case``: those of them that a row has only by the case it came from. ``compared``:
    whether it says what the period before was, ``earlier``: by what, where its lines are rows of one period.
    ``apart``: its lines are single things of the period, so that only the whole has a period before.
    ``words``: columns that tell what people wrote, for those alone who may read cases.
    """

    number: int
    code: str
    ask: Ask
    splits: tuple[str, ...] = ("source", "platform", "kind", "theme", "department", "staff", "programme")
    right: str = "report.view"
    filters: tuple[str, ...] = FILTERS
    compared: bool = True
    by_case: tuple[str, ...] = ()
    earlier: Ask | None = None
    apart: bool = False
    words: tuple[str, ...] = ()
