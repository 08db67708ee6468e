"""Reports as PDF: the page's own figures, their charts as bars, and under them how they are reckoned."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, request, send_file
from sqlalchemy.orm import Session

from models import utc_now
from services.documents.sheets import Block, bars, draw_sheet, heading, table, text
from services.reports.answers import Answers, Line, PersonLine, Share, UnitLine, answers_report
from services.reports.cut import FILTERS, Cut
from services.reports.shape import Cell, Table
from services.reports.sheets import note_export
from services.reports.tables import REPORTS, run_table
from services.rights import Actor
from web import report_words as said
from web.charts import Chart, answers_chart, table_chart
from web.dates import day, exact
from web.language import _, ngettext
from web.report_figures import LACKING, NOTES
from web.report_filters import asked_cut, choices, filter_words, idle_filters
from web.report_tables import line_name
from web.security import current_actor, current_desk
from web.words import department_name, label_name

screen = Blueprint("report_paper", __name__, url_prefix="/reports/paper")
UPRIGHT = 8
"""More columns lie on their side."""
MOST_LINES, MOST_BARS = 250, 6
MOST_DAYS = 10
"""A longer period is drawn by weeks: sixty bars are no picture."""
TONES: Mapping[str, str] = {
    "accent": "0B6E62", "blue": "1F5FBF", "red": "B3361F", "amber": "86560A", "faint": "A9A89F",
}  # fmt: skip


@screen.get("/answers.pdf")
def answers() -> Response:
    with current_desk().database.read.begin() as session:
        content = answers_pdf(session, current_actor(), asked_cut())
    return _file(content, "answers")


@screen.get("/<code>.pdf")
def one(code: str) -> Response:
    cut, actor = asked_cut(), current_actor()
    with current_desk().database.read.begin() as session:
        found = run_table(session, actor, code, cut, utc_now(), request.args.get("by"), compared=True)
        content = table_pdf(session, code, found, cut)
    if any(line.place for line in found.lines):
        with current_desk().database.write.begin() as session:
            note_export(session, actor, code, cut)
    return _file(content, code)


def _file(content: bytes, name: str) -> Response:
    return send_file(io.BytesIO(content), "application/pdf", as_attachment=True, download_name=f"otklik-{name}.pdf")


def answers_pdf(session: Session, actor: Actor, cut: Cut) -> bytes:
    """«Отчёт об ответах» on paper: one page, whatever the number of places and people."""
    now = utc_now()
    report = answers_report(session, actor, cut, now, MOST_DAYS)
    chart = answers_chart(report)
    blocks = list(answers_blocks(report, chart))
    return draw_sheet(_("Report on answers"), under(session, cut), blocks, compact=True)


def table_pdf(session: Session, code: str, found: Table, cut: Cut) -> bytes:
    """One of «Все отчёты» on paper."""
    blocks = list(table_blocks(session, code, found, cut))
    lies = len(found.columns) > UPRIGHT
    return draw_sheet(
        str(said.TITLES[code]), under(session, cut, REPORTS[code].filters), blocks, landscape=lies
    )  # fmt: skip


def under(session: Session, cut: Cut, narrows: Sequence[str] = FILTERS) -> str:
    """Period, filters, and when it was made: what a paper needs to be understood alone."""
    period = day(cut.first) if cut.first == cut.last else f"{day(cut.first)} – {day(cut.last)}"
    filters = ", ".join(words for _name, words in filter_words(cut, choices(session), narrows))
    idle = idle_filters(cut, narrows)
    ignored = _("This report is not narrowed by: %(filters)s.", filters=", ".join(idle)) if idle else ""
    made = _("Made %(time)s.", time=exact(utc_now()))
    return "\n".join(part for part in (period, filters, ignored, made) if part)


def table_blocks(session: Session, code: str, found: Table, cut: Cut) -> Iterator[Block]:
    named = line_name(session, found)
    chart = table_chart(code, found, cut, named, lambda _cell: "")
    if chart is not None:
        yield chart_block(chart)
    rows = [[named(line), *_cells(line.cells)] for line in found.lines[:MOST_LINES]]
    if found.total is not None:
        rows.append([str(said.IN_ALL), *_cells(found.total)])
    head = [said.first_heading(found), *(str(said.COLUMNS[name]) for name in found.columns)]
    if rows:
        words = any(cell.unit == "text" for line in found.lines[:1] for cell in line.cells)
        texts = (2, *(_wide(name) for name in found.columns))
        figures = (14, *(_needs(rows, place, head) for place in range(1, len(head))))
        yield table(
            head, rows, wide=texts if words else figures,
            figures=not words, total=found.total is not None,
        )  # fmt: skip
    else:
        yield text(_("No cases in this period"))
    if len(found.lines) > MOST_LINES:
        yield text(_("%(num)s more lines are in the spreadsheet.", num=len(found.lines) - MOST_LINES), quiet=True)
    if found.beside:
        yield table(
            [], [[str(said.COLUMNS[name]), _told(c).replace("\n", "  ")] for name, c in found.beside], wide=(3, 2)
        )
    for name in found.notes:
        yield text(str(NOTES[name]), quiet=True)
    yield text(str(said.HOW[code]), quiet=True)
    for name in found.missing:
        yield text(f"{_('Not here:')} {LACKING[name]}", quiet=True)


_WORDY = (
    "place",
    "unit",
    "author",
    "client",
    "programme",
    "amendments",
    "signature",
    "decision",
    "answered_on",
    "term",
)


def _needs(rows: Sequence[Sequence[str]], place: int, head: Sequence[str]) -> int:
    """A column of figures is as wide as the longest word over it, or the longest of its first lines."""
    texts = [*head[place].split(), *(line for row in rows for line in row[place].split("\n"))]
    return min(12, max(5, *(len(text) for text in texts)))


def _wide(name: str) -> int:
    return {"essence": 5, "measures": 5, "themes": 5, "decision": 3, "answered_on": 3, "term": 3}.get(
        name, 3 if name in _WORDY else 2
    )


def _cells(cells: Sequence[Any]) -> list[str]:
    return [_told(cell) for cell in cells]


def _told(cell: Cell) -> str:
    """The figure, and under it what it was against the period before."""
    figure = said.cell(cell.value, cell.unit)
    change = said.against(cell.value, cell.before, cell.unit) if cell.compared else ""
    return f"{figure}\n{change}" if change else figure


def chart_block(chart: Chart) -> Block:
    """The chart's own values: a bar for each name and series, in the series' colour."""
    series, rows, tones = chart["series"], [], []
    for place, name in enumerate(chart["names"]):
        for one in series:
            title = f"{name}: {one['name'].lower()}" if len(series) > 1 else name
            rows.append((title, float(one["values"][place] or 0), one["words"][place]))
            tones.append(TONES[one["tone"]])
    return bars(rows, tones)


def _coarser(chart: Chart, most: int = MOST_BARS) -> Chart:
    """At most so many stretches of the period, each the sum of what followed one another."""
    names = chart["names"]
    size = -(-len(names) // most) or 1
    if size == 1:
        return chart
    spans = [(start, min(start + size, len(names))) for start in range(0, len(names), size)]
    told = [f"{names[a].split(' – ')[0]} – {names[b - 1].split(' – ')[-1]}" for a, b in spans]
    series = [
        {
            **one,
            "values": (sums := [sum(one["values"][a:b]) for a, b in spans]),
            "words": [said.cell(int(n), "count") for n in sums],
        }
        for one in chart["series"]
    ]
    return {**chart, "names": told, "series": series}


def answers_blocks(report: Answers, chart: Chart | None) -> Iterator[Block]:
    whole, before = report.whole, report.before
    most, stretches = room(report)
    rows = [
        [_("Came"), str(whole.came), str(before.came)], [_("Answered"), str(whole.answered), str(before.answered)],
        [_("Wait now"), str(whole.waiting), ""],
        [_("Usually"), said.minutes(whole.first.median), said.minutes(before.first.median)],
        [_("9 of 10"), said.minutes(whole.first.p90), said.minutes(before.first.p90)],
        [_("In time"), said.percent(whole.in_time.value), said.percent(before.in_time.value)],
        [_("Late"), str(whole.in_time.late), str(before.in_time.late)],
        [_("Resolved"), str(report.resolved), str(report.delay_before.cases)],
        [_("Resolved in time"),
         *(said.percent(one.value) for one in (report.resolution, report.resolution_before))],
        [_("Checked by people:"), said.percent(report.checked / whole.came if whole.came else None), ""],
    ]  # fmt: skip
    half = len(rows) // 2
    head = ["", _("Period"), _("Period before")]
    yield table([*head, *head], [[*one, *other] for one, other in zip(rows[:half], rows[half:], strict=True)],
                wide=(3, 2, 2, 3, 2, 2))  # fmt: skip
    whose = _("we %(a)s, departments %(b)s, authors %(c)s", a=said.minutes(report.delay.desk),
              b=said.minutes(report.delay.department), c=said.minutes(report.delay.client))  # fmt: skip
    yield text(f"{_('Whose time it was:')} {whose}")
    if chart is not None:
        yield heading(_("Came and answered"))
        yield chart_block(_coarser(chart, stretches))
    for title, lines, name_of in (
        (_("By place"), report.places, lambda line: line.name),
        (_("By kind"), report.kinds, lambda line: label_name(line.key)),
    ):
        yield heading(title)
        yield from _shortened(_head(_("Came"), _("Answered"), _("Wait now")), [
            [name_of(one), _beside(one, lambda line: line.came),
             _beside(one, lambda line: line.answered), str(one.waiting), *_spread(one)]
            for one in lines
        ], most)  # fmt: skip
    if report.units:
        yield heading(_("Departments"))
        yield from _shortened(_head(_("Asked"), _("Answered"), _("Overdue now")), [
            [department_name(one.unit), _beside(one, lambda line: line.asked),
             _beside(one, lambda line: line.answered), str(one.overdue), *_spread(one)]
            for one in report.units
        ], most)  # fmt: skip
    if report.people:
        yield heading(_("Through whom"))
        yield from _shortened(_head(_("Answers"), _("First answers"), ""), [
            [one.name, _beside(one, lambda line: line.answers),
             _beside(one, lambda line: line.first.count), "", *_spread(one)]
            for one in report.people
        ], most)  # fmt: skip
    yield heading(_("How the figures are reckoned"))
    yield text(" ".join(str(said.FORMULAS[code]) for code in _TOLD), quiet=True)


_TOLD = ("came", "answered", "usual", "in_time", "resolution", "delay", "unit")
MOST_ON_A_PAGE = 7
"""Lines of a table of the one page; the others are on the screen and in the spreadsheet."""
MOST_IN_ALL, MANY = 15, 10
"""Lines of its tables together; with many of them the chart has fewer bars."""


def room(report: Answers) -> tuple[int, int]:
    """How many lines a table of the one page may have, and how many stretches of the period its chart."""
    sizes = [len(lines) for lines in (report.places, report.kinds, report.units, report.people)]
    most = MOST_ON_A_PAGE
    while sum(min(size, most) for size in sizes) > MOST_IN_ALL:
        most -= 1
    return most, MOST_BARS if sum(min(size, most) for size in sizes) <= MANY else MOST_BARS - 2


def _shortened(head: list[str], rows: list[list[str]], most: int) -> Iterator[Block]:
    yield table(head, rows[:most], wide=_WIDE, figures=True)
    if len(rows) > most:
        more = len(rows) - most
        yield text(
            ngettext("%(num)s more line is in the table.", "%(num)s more lines are in the table.", more), quiet=True
        )


_WIDE = (11, 5, 5, 6, 5, 5, 5, 5)


def _head(*names: str) -> list[str]:
    return ["", *names, _("Usually"), _("9 of 10"), _("In time"), _("Late")]


def _beside(line: Any, count: Callable[[Any], int]) -> str:
    """A count with what it was against the period before: a line that was not there had none."""
    value, before = count(line), count(line.before) if line.before is not None else 0
    return f"{value}\xa0{_short(said.against(value, before, 'count'))}"


def _short(change: str) -> str:
    """The mark says the direction alone, so that figure and change stand on one line."""
    return change.replace(" +", "").replace(" −", "")


def _spread(line: Line | PersonLine | UnitLine) -> list[str]:
    took = line.answer if isinstance(line, UnitLine) else line.first
    before, share = line.before.in_time if line.before else Share(), line.in_time
    # In points of the column's own percent: the word for them would break the line.
    now, was = (None if one.value is None else round(one.value * 100) for one in (share, before))
    told = _short(said.against(now, was, "count"))
    return [
        said.minutes(took.median), said.minutes(took.p90), f"{said.percent(share.value)}\xa0{told}".rstrip(),
        _beside(line, lambda one: one.in_time.late),
    ]  # fmt: skip
