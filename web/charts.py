"""Charts as data: which figures of a report are drawn, with the same numbers and links as the table under them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.reports.answers import Answers
from services.reports.cut import Cut
from services.reports.shape import Cell, Line, Table
from services.reports.trend import Trend
from services.units import Day
from web import report_words
from web.language import _, format_date, format_datetime
from web.place_words import PURPOSES
from web.report_filters import cell_address, list_address, query_of

MOST_BARS = 15
"""More lines than this are read in the table."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """``columns`` of the table are drawn; ``stacked``: they are parts of one thing."""

    columns: tuple[str, ...]
    unit: str = "count"
    stacked: bool = False


DRAWN: Mapping[str, Drawn] = {
    "first_answer": Drawn(("median", "p90"), "minutes"),
    "in_time": Drawn(("first_met", "first_late"), stacked=True),
    "resolution": Drawn(("median", "p90"), "minutes"),
    "legal": Drawn(("legal_met", "legal_late", "legal_open"), stacked=True),
    "structure": Drawn(("came", "came_before")),
    "queue": Drawn(("queue", "late_now")),
    "flow": Drawn(("opened", "reopened", "ended", "reclassified")),
    "staff": Drawn(("answers", "ended")),
    "departments": Drawn(("asked", "ask_late", "ask_overdue")),
    "again": Drawn(("again_repeat", "reopened", "ended")),
    "topics": Drawn(("came", "came_before")),
    "incidents": Drawn(("incidents",)),
    "groups": Drawn(("came", "late_now")),
    "funnel": Drawn(("reached",)),
    "debts": Drawn(("debt_sum",), "money"),
    "terminations": Drawn(("refund_agreed", "refunded"), "money"),
    "obligations": Drawn(("done_in_time", "done_late", "overdue"), stacked=True),
    "calls": Drawn(("calls_answered", "calls_missed"), stacked=True),
    "clients": Drawn(("clients", "clients_new")),
}
TONES: Mapping[str, str] = {
    "came": "accent", "answered": "blue", "first_met": "accent", "first_late": "red", "legal_met": "accent",
    "legal_late": "red", "legal_open": "amber", "late_now": "red", "ask_late": "amber", "ask_overdue": "red",
    "came_before": "faint", "median": "accent", "p90": "faint", "reopened": "amber", "ended": "blue",
    "reclassified": "faint", "done_in_time": "accent", "done_late": "amber", "overdue": "red",
    "calls_answered": "accent", "calls_missed": "red", "refunded": "faint", "debt_sum": "red",
    "again_repeat": "accent", "clients_new": "blue",
}  # fmt: skip
"""Figure → the colour that it always has; else accent."""

UNIT_TONES: Mapping[str, str] = {"new": "accent", "deep": "faint", "live": "amber", "answers": "blue"}

Chart = dict[str, Any]
"""What static/js/charts.js draws: names, series of values with words and links, and all of it in a sentence."""


def table_chart(
    code: str, table: Table, cut: Cut, name_of: Callable[[Line], str], link: Callable[[Cell], str] | None = None
) -> Chart | None:
    """The chart of a report; None where there is nothing to compare."""
    drawn = DRAWN.get(code)
    lines = table.lines[:MOST_BARS]
    if drawn is None or not lines:
        return None
    places = [(name, table.columns.index(name)) for name in drawn.columns if name in table.columns]
    series = [
        _series(name, [line.cells[place] for line in lines], link or (lambda cell: cell_address(cell, cut)))
        for name, place in places
    ]
    if not any(value for one in series for value in one["values"]):
        return None
    return _chart(
        [name_of(line) for line in lines], series, drawn.unit, len(table.lines) - len(lines), stacked=drawn.stacked
    )


def trend_chart(found: Trend) -> Chart | None:
    """Came and answered, piece by piece."""
    if len(found.pieces) < 2 or not any(number for numbers in found.numbers.values() for number in numbers):
        return None
    names = [_days(piece) for piece in found.pieces]
    series = [
        _series(name, [Cell(number, "count", name) for number in numbers], None)
        | {"links": [list_address(name, query_of(piece)) for piece in found.pieces]}
        for name, numbers in found.numbers.items()
    ]
    return _chart(names, series, "count", 0, upright=True)


def answers_chart(report: Answers) -> Chart | None:
    """The chart of «Отчёт об ответах»; its sums are those of the page."""
    return trend_chart(report.trend) if report.whole.came or report.whole.answered else None


def units_chart(found: Day) -> Chart | None:
    """A day's units hour by hour, one colour a purpose."""
    if found.spent == 0:
        return None
    series = [
        {
            "name": str(PURPOSES[share.purpose][0]), "tone": UNIT_TONES[share.purpose],
            "values": [numbers[place] for _, numbers in found.hours],
            "words": [report_words.cell(numbers[place], "count") for _, numbers in found.hours], "links": [],
        }
        for place, share in enumerate(found.shares)
    ]  # fmt: skip
    names = [format_datetime(at, "H:mm") for at, _ in found.hours]
    return _chart(names, series, "count", 0, stacked=True, upright=True)


def _series(name: str, cells: Sequence[Cell], link: Callable[[Cell], str] | None) -> dict[str, Any]:
    return {
        "name": str(report_words.COLUMNS[name]), "tone": TONES.get(name, "accent"),
        "values": [_height(cell) for cell in cells],
        "words": [report_words.cell(cell.value, cell.unit) for cell in cells],
        "links": [link(cell) for cell in cells] if link is not None else [],
    }  # fmt: skip


def _height(cell: Cell) -> float | None:
    """What is drawn; money in roubles."""
    return None if cell.value is None else round(float(cell.value) / (100 if cell.unit == "money" else 1), 1)


def _chart(
    names: list[str], series: list[dict[str, Any]], unit: str, left_out: int, *, stacked: bool = False,
    upright: bool = False,
) -> Chart:  # fmt: skip
    most = "; ".join(f"{one['name']}: {_most(names, one)}" for one in series if any(one["values"]))
    said = _("Chart. Most of all — %(said)s. The table below has all figures.", said=most)
    return {
        "names": names, "series": series, "unit": unit, "stacked": stacked, "upright": upright,
        "left_out": left_out, "said": said,
    }  # fmt: skip


def _most(names: Sequence[str], one: Mapping[str, Any]) -> str:
    place = max(range(len(names)), key=lambda number: one["values"][number] or 0)
    return f"{names[place]} ({one['words'][place]})"


def _days(piece: Cut) -> str:
    if piece.first == piece.last:
        return format_date(piece.first, "d MMM")
    if piece.first.day == 1 and (piece.last + timedelta(days=1)).day == 1:
        return format_date(piece.first, "LLL yyyy")
    return f"{format_date(piece.first, 'd MMM')} – {format_date(piece.last, 'd MMM')}"
