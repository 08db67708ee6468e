"""What a report is asked about: a half-open period and filters, and the same length of time before it."""

from collections.abc import Sequence
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

MANY, LONG_DAYS = 2, 180
"""So many filters leave fewer cases than so long a period has rows."""
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
        of_case, own = self.apart(department, staff, source)
        return [*of_case, *own]

    def apart(self, department: Any, staff: Any, source: Any = CaseFact.source_id) -> tuple[list[Any], list[Any]]:
        """What is asked of the facts of a case, and what of the row itself that is narrowed."""
        of_case = self._of_case()
        own: list[Any] = []
        for value, column in ((self.department_id, department), (self.staff_id, staff)):
            if value is not None:
                asked = column.is_(None) if value == NONE else column == value
                (of_case if column.class_ is CaseFact else own).append(asked)
        is_own = source is not CaseFact.source_id
        # What knows its place need not ask the facts of its case; where they are asked anyway, they leave fewer.
        if of_case or not is_own:
            of_case += [CaseFact.platform == self.platform] if self.platform else []
            of_case += [CaseFact.source_id == self.source_id] if self.source_id is not None else []
        if is_own and self.platform:
            own.append(source.in_(select(Source.id).where(Source.platform == self.platform)))
        if is_own and self.source_id is not None:
            own.append(source == self.source_id)
        return of_case, own

    def of_few_cases(self, of_case: Sequence[Any]) -> bool:
        """Whether such filters leave fewer cases than the period has rows: then those are found by their cases."""
        return len(of_case) >= MANY and (self.last - self.first).days >= LONG_DAYS

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
