"""Figures and lists as files: spreadsheets written row by row, with cells that nothing takes for a formula."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from typing import IO, Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from services.events import record
from services.export import safe_cell
from services.reports.cut import Cut
from services.reports.facts import Running, spent_of
from services.reports.lists import filed_rows
from services.rights import Actor, require
from services.terms import policy_of

CASE_COLUMNS = (
    "number", "at", "channel", "place", "kind", "author", "text", "link", "written", "first_at", "first_minutes",
    "first_clock_minutes", "first_due_at", "resolved_at", "resolution_due_at", "person", "department",
    "desk_minutes", "department_minutes", "client_minutes",
)  # fmt: skip
"""Of the list of cases, one row an item; the words for them are the screen's."""
LONGEST = 32_000
"""A cell of Excel takes 32,767 characters."""
MOST_ROWS = 1_048_575
"""And a sheet so many rows below its heading."""


def case_rows(
    session: Session, actor: Actor, name: str, cut: Cut, now: datetime, age: int | None = None,
    most: int | None = MOST_ROWS,
) -> Iterator[list[Any]]:  # fmt: skip
    """The rows of a list for a file in the order of CASE_COLUMNS, oldest first, times in the desk's zone."""
    require(actor, "report.view")
    require(actor, "data.export")
    zone, rows = ZoneInfo(cut.zone), filed_rows(session, name, cut, now, age, most)
    running = Running(policy_of(session).calendars["desk"], now)
    return (_values(row, zone, running) for row in rows)


def note_export(session: Session, actor: Actor, name: str, cut: Cut) -> None:
    """That a list with people's words left the desk."""
    require(actor, "data.export")
    record(session, "report.exported", actor, code=name, first=cut.first.isoformat(), last=cut.last.isoformat())


def _values(row: Any, zone: ZoneInfo, running: Running) -> list[Any]:
    at, number, *rest = (value.astimezone(zone) if isinstance(value, datetime) else value for value in row[:-5])
    return [number, at, *rest, *spent_of(row, running).values()]


def write_xlsx(out: IO[bytes], heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """One sheet, each row leaving memory as the next one comes; returns how many rows."""
    import xlsxwriter

    book = xlsxwriter.Workbook(
        out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )  # fmt: skip
    sheet = book.add_worksheet()
    bold, moment = book.add_format({"bold": True}), book.add_format({"num_format": "dd.mm.yyyy hh:mm"})
    share = book.add_format({"num_format": "0.0%"})
    sheet.freeze_panes(1, 0)
    for column, title in enumerate(heading):
        sheet.write_string(0, column, title, bold)
    count = 0
    for row in rows:
        if count == MOST_ROWS:
            break
        count += 1
        for column, value in enumerate(row):
            _write(sheet, count, column, value, moment, share)
    book.close()
    return count


def _write(sheet: Any, row: int, column: int, value: Any, moment: Any, share: Any) -> None:
    if isinstance(value, datetime):
        sheet.write_datetime(row, column, value.replace(tzinfo=None), moment)
    elif isinstance(value, float):
        sheet.write_number(row, column, value, share)
    elif isinstance(value, int | Fraction):
        sheet.write_number(row, column, float(value))
    elif value is not None:
        sheet.write_string(row, column, str(value)[:LONGEST])


def write_csv(out: IO[str], heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """The same for programs: semicolons, as Excel of a Russian system expects, times as ISO 8601."""
    writer, count = csv.writer(out, delimiter=";"), 0
    writer.writerow(heading)
    for row in rows:
        writer.writerow([safe_cell(float(value) if isinstance(value, Fraction) else value) for value in row])
        count += 1
    return count
