"""What a report is asked about: a half-open period and filters, and the same length of time before it."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select

from models import CaseFact, Source

NONE = 0
"""In a filter: what has no department, or no person."""
NO_THEME = "none"
"""In the filter by theme: what has none."""
NO_PROGRAMME = "none"
"""And by programme."""
UNSURE = "unsure"
"""In the filter by kind: what nobody is sure of."""

FILTERS = ("platform", "source_id", "kind", "theme", "department_id", "staff_id", "programme", "about")


@dataclass(frozen=True, slots=True)
class Cut:
    """``first`` and ``last`` are local days of ``zone``, both within the period; None of a filter: any.

    ``theme`` is the leading one, ``about`` any of a case's themes.
    """

    first: date
    last: date
    zone: str = "Europe/Moscow"
    platform: str | None = None
    source_id: int | None = None
    kind: str | None = None
    theme: str | None = None
    department_id: int | None = None
    staff_id: int | None = None
    programme: str | None = None
    about: str | None = None

    @property
    def since(self) -> datetime:
        """The moment the period begins."""
        return _midnight(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """The first moment that is beyond it."""
        return _midnight(self.last + timedelta(days=1), self.zone)

    @property
    def filters_on(self) -> bool:
        """Whether it asks for less than everything of its period."""
        return any(getattr(self, name) is not None for name in FILTERS)

    @property
    def without_filters(self) -> "Cut":
        return Cut(self.first, self.last, self.zone)

    def before(self) -> "Cut":
        """The period before: the month before a whole month, else as many days."""
        following = self.last + timedelta(days=1)
        last = self.first - timedelta(days=1)
        if self.first.day == 1 and following.day == 1 and (following - self.first).days <= 31:
            return replace(self, first=last.replace(day=1), last=last)
        return replace(self, first=self.first - (following - self.first), last=last)

    def days_before(self) -> dict[str, date]:
        """What makes of this cut the one before."""
        before = self.before()
        return {"first": before.first, "last": before.last}

    def within(self, column: Any) -> list[ColumnElement[bool]]:
        return [column >= self.since, column < self.until]

    def filters(self, department: Any, staff: Any, source: Any = CaseFact.source_id) -> list[Any]:
        """The filters alone; ``department``, ``staff`` and ``source``: the columns that say whose a row is."""
        found = self._of_case()
        is_own, asks_case = source is not CaseFact.source_id, bool(found)
        for value, column in ((self.department_id, department), (self.staff_id, staff)):
            if value is not None:
                found.append(column.is_(None) if value == NONE else column == value)
                asks_case = asks_case or column.class_ is CaseFact
        # What knows its place need not ask the facts of its case; where they are asked anyway, they leave fewer.
        if asks_case or not is_own:
            found += [CaseFact.platform == self.platform] if self.platform else []
            found += [CaseFact.source_id == self.source_id] if self.source_id is not None else []
        if is_own and self.platform:
            found.append(source.in_(select(Source.id).where(Source.platform == self.platform)))
        if is_own and self.source_id is not None:
            found.append(source == self.source_id)
        return found

    def _of_case(self) -> list[Any]:
        """What only its facts say of a case."""
        found: list[Any] = []
        if self.kind:
            found.append(CaseFact.kind.is_(None) if self.kind == UNSURE else CaseFact.kind == self.kind)
        if self.theme:
            found.append(CaseFact.theme.is_(None) if self.theme == NO_THEME else CaseFact.theme == self.theme)
        if self.about:
            found.append(CaseFact.themes == "" if self.about == NO_THEME else has_theme(self.about))
        if self.programme:
            programme = CaseFact.programme
            found.append(programme.is_(None) if self.programme == NO_PROGRAMME else programme == self.programme)
        return found


def has_theme(theme: str) -> ColumnElement[bool]:
    """Whether a case is about a theme, be it the leading one or not."""
    return CaseFact.themes.contains(f" {theme} ", autoescape=True)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(zone))
