"""Reports 11 and 13 (domain.md §8): what marketing and the curators read of a period."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Session

from models import Case, CaseFact, Identity, Study, Wish, WishCase
from services.reports.asked import Writer
from services.reports.cohorts import COHORTS, late_now
from services.reports.cut import NO_THEME, Cut
from services.reports.shape import Cell, Line, Lists, Table, by_key, counted

THEME_COLUMNS = ("came", "came_before", "delta", "growth", "authors", "mood")
GROUP_COLUMNS = ("curator", "came", "answered_now", "late_now", "wishes_waiting", "themes")
LEAST = 3
"""A theme with fewer cases in both periods is no news (domain.md §8, report 11)."""
MOST_THEMES = 3


def themes_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A line a theme: how many, against the period before, how many people, and their mood (−1 to 1)."""
    found, before = _themes(session, cut, now), _themes(session, cut.before(), now)
    keys = [
        key
        for key in {**found, **before}
        if max(found.get(key, _NOTHING)[0], before.get(key, _NOTHING)[0]) >= LEAST
    ]
    keys.sort(key=lambda key: (-found.get(key, _NOTHING)[0], str(key)))
    lines = (_theme_line(key, found.get(key, _NOTHING), before.get(key, _NOTHING)[0], cut) for key in keys)
    return Table(THEME_COLUMNS, by, tuple(lines))


def themes_before(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """Every theme of the period before: one that was rare then may be many now."""
    lines = (_theme_line(key, numbers, 0, cut) for key, numbers in _themes(session, cut, now).items())
    return Table(THEME_COLUMNS, by, tuple(lines))


_NOTHING = (0, 0, 0)


def _theme_line(key: Any, found: tuple[int, int, int], before: int, cut: Cut) -> Line:
    return Line(key, "", _theme_cells(found, before, cut, {"theme": NO_THEME if key is None else key}))


def _themes(session: Session, cut: Cut, now: datetime) -> dict[Any, tuple[int, int, int]]:
    """theme → (cases, authors, sum of moods)."""
    columns = (CaseFact.theme, func.count(), func.count(func.distinct(Case.author_id)), func.sum(Case.sentiment))
    query = COHORTS["came"].query(columns, cut, now).join(Case, Case.id == CaseFact.id).group_by(CaseFact.theme)
    return {row[0]: (int(row[1]), int(row[2]), int(row[3] or 0)) for row in session.execute(query)}


def _theme_cells(found: tuple[int, int, int], before: int, cut: Cut, changes: dict[str, Any]) -> tuple[Cell, ...]:
    number, authors, mood = found
    return (
        Cell(number, "count", "came", changes),
        Cell(before, "count", "came", {**changes, **cut.days_before()}),
        Cell(number - before, "change"),
        Cell(Fraction(number - before, max(1, before)), "growth"),
        Cell(authors, "count", "authors", changes),
        Cell(Fraction(mood, number) if number else None, "ratio"),
    )


def writer_lists(session: Session, cut: Cut, now: datetime) -> Lists:
    """Who wrote what came, each with the newest of their cases."""
    query = COHORTS["came"].query((Case.author_id, func.max(Case.id)), cut, now).join(Case, Case.id == CaseFact.id)
    rows = session.execute(query.where(Case.author_id.is_not(None)).group_by(Case.author_id))
    return {"authors": {None: [Writer(int(row[0]), row[1]) for row in rows]}}


def groups_table(session: Session, cut: Cut, now: datetime, by: str) -> Table:
    """A line a course and group of whoever wrote in the period, where the author is a client we know."""
    lists = group_lists(session, cut, now)
    keys = sorted(key for key in lists["group_came"] if key is not None)
    lines = [
        Line(key, " · ".join(part for part in key.split(BETWEEN)[:2] if part), _group_cells(lists, key))
        for key in keys
    ]
    return Table(GROUP_COLUMNS, by, tuple(lines), None, (), ("homework",))


BETWEEN = "\x1f"
"""Stands between course, group and curator in the key of a line."""


def group_lists(session: Session, cut: Cut, now: datetime) -> Lists:
    """The cases behind the figures, by course, group and curator."""
    columns = (
        CaseFact.id, CaseFact.opened_at, CaseFact.theme, CaseFact.kind, CaseFact.first_at,
        late_now(now).label("late"), Study.course, Study.group_name, Study.curator, Wish.state.label("wish"),
    )  # fmt: skip
    query = (
        COHORTS["came"].query(columns, cut, now)
        .join(Case, Case.id == CaseFact.id)
        .join(Identity, Identity.linked_author_id == Case.author_id)
        .join(Study, Study.client_id == Identity.client_id)
        .outerjoin(WishCase, WishCase.case_id == CaseFact.id)
        .outerjoin(Wish, Wish.id == WishCase.wish_id)
        .where(Study.ended_on.is_(None))
    )  # fmt: skip
    found = {
        (BETWEEN.join((row.course, row.group_name, row.curator)), row.id): row for row in session.execute(query)
    }
    chosen: Mapping[str, Callable[[Any], bool]] = {
        "group_came": lambda row: True,
        "group_answered": lambda row: row.first_at is not None,
        "group_late": lambda row: bool(row.late),
        "group_wishes": lambda row: row.kind == "wish" and row.wish in (None, "new"),
    }
    return {
        name: by_key(
            filter(is_one, found.values()), lambda row: BETWEEN.join((row.course, row.group_name, row.curator))
        )
        for name, is_one in chosen.items()
    }


def _group_cells(lists: Lists, key: str) -> tuple[Cell, ...]:
    rows = lists["group_came"][key]
    themes = Counter(row.theme for row in rows if row.theme is not None).most_common(MOST_THEMES)
    return (
        Cell(rows[0].curator, "text"),
        *(counted(lists, name, key) for name in lists),
        Cell([theme for theme, _number in themes], "themes"),
    )
