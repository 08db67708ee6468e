"""«Все отчёты»: each report of the registry as a table with its formula, and as a file."""

import io
from collections.abc import Callable, Iterable, Sequence
from tempfile import SpooledTemporaryFile
from typing import Any

from flask import Blueprint, Response, render_template, request, send_file
from werkzeug.wrappers import Response as BaseResponse

from models import utc_now
from services.reports.compared import compares
from services.reports.register import OUTCOMES, say_verdict
from services.reports.shape import Cell, Line, Table
from services.reports.sheets import CASE_COLUMNS, case_rows, note_export, write_csv, write_xlsx
from services.reports.tables import LEFT_OUT, REPORTS, checked_share, run_table
from services.reports.upkeep import is_rebuilding
from services.reports.views import shelf_of
from services.routing import departments
from web import report_words
from web.addresses import back
from web.charts import table_chart
from web.forms import go
from web.language import _
from web.numbers import whole
from web.report_figures import NAMED, filed_cell
from web.report_filters import asked_cut, choices, filters_on, idle_filters, period_of
from web.report_views import view_address
from web.security import current_actor, current_desk, rang
from web.theme_words import THEMES
from web.toasts import tell
from web.words import department_name, label_name, platform_name

screen = Blueprint("report_tables", __name__, url_prefix="/reports/all")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SPOOLED = 4 * 1024 * 1024


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        shelf = shelf_of(session, current_actor())
    return render_template(
        "reports/all.html", left_out=LEFT_OUT, shelf=shelf, view_address=view_address,
        reports={code: one for code, one in REPORTS.items() if current_actor().may(one.right)},
    )  # fmt: skip


@screen.get("/<code>")
def show(code: str) -> str:
    cut = asked_cut()
    with current_desk().database.read.begin() as session:
        table = run_table(session, current_actor(), code, cut, utc_now(), request.args.get("by"), compared=True)
        named = line_name(session, table)
        return render_template(
            "reports/table.html", report=REPORTS[code], table=table, cut=cut, period=period_of(request.args),
            choices=choices(session), rebuilding=is_rebuilding(session), line_name=named,
            chart=table_chart(code, table, cut, named), outcomes=OUTCOMES if table.by == "complaints" else (),
            checked=checked_share(session, cut, utc_now()) if table.by == "kind" else None,
            idle=idle_filters(cut, REPORTS[code].filters), by_case=filters_on(cut, REPORTS[code].by_case),
        )  # fmt: skip


@screen.get("/<code>.<any(xlsx, csv):format>")
def sheet(code: str, format: str) -> Response:
    """A register tells of people by name: to take one asks the right to export, and is written down."""
    with current_desk().database.read.begin() as session:
        table = run_table(
            session, current_actor(), code, asked_cut(), utc_now(), request.args.get("by"), compared=True
        )
        named = line_name(session, table)
    if any(line.place for line in table.lines):
        with current_desk().database.write.begin() as session:
            note_export(session, current_actor(), code, asked_cut())
    return as_file(code, format, *sheet_of(table, named, REPORTS[code].compared))


def sheet_of(table: Table, named: Callable[[Line], str], is_compared: bool) -> tuple[list[str], list[list[Any]]]:
    """Heading and rows of a file: beside each figure of the period stands what it was in the period before."""
    every = [line.cells for line in table.lines] + ([table.total] if table.total is not None else [])
    compared = [
        is_compared and any(compares(name, cells[place]) for cells in every)
        for place, name in enumerate(table.columns)
    ]
    heading = [report_words.first_heading(table)]
    for name, beside in zip(table.columns, compared, strict=True):
        title = str(report_words.COLUMNS[name])
        heading += [title, _("%(figure)s, period before", figure=title)] if beside else [title]

    def row(title: str, cells: Sequence[Cell]) -> list[Any]:
        found: list[Any] = [title]
        for cell, beside in zip(cells, compared, strict=True):
            found.append(filed_cell(cell.value, cell.unit))
            if beside:
                found.append(filed_cell(cell.before, cell.unit) if cell.compared else None)
        return found

    rows = [row(named(line), line.cells) for line in table.lines]
    if table.total is not None:
        rows.append(row(str(report_words.IN_ALL), table.total))
    for name, cell in table.beside:
        title = str(report_words.COLUMNS[name])
        rows.append([title, filed_cell(cell.value, cell.unit)])
        if cell.compared:
            rows.append([_("%(figure)s, period before", figure=title), filed_cell(cell.before, cell.unit)])
    return heading, rows


@screen.post("/verdict/<int:case_id>")
def verdict(case_id: int) -> BaseResponse:
    """What was found on a complaint."""
    with current_desk().database.write.begin() as session:
        said = request.form
        say_verdict(session, current_actor(), case_id, said.get("outcome", ""), said.get("measures", ""))
    rang()
    tell(_("Noted"))
    return go(back())


@screen.get("/cases/<name>.<any(xlsx, csv):format>")
def cases(name: str, format: str) -> Response:
    """A list with people's words: the right to export is asked, and the taking is written down."""
    cut, actor = asked_cut(), current_actor()
    heading = [str(report_words.CASE_COLUMNS[column]) for column in CASE_COLUMNS]
    with current_desk().database.write.begin() as session:
        note_export(session, actor, name, cut)
    with current_desk().database.read.begin() as session:
        rows = case_rows(session, actor, name, cut, utc_now(), request.args.get("age", type=whole))
        return as_file(name, format, heading, (_worded(row) for row in rows))


def _worded(row: list[Any]) -> list[Any]:
    row[2], row[4] = platform_name(row[2]), label_name(row[4])
    return row


def line_name(session: Any, table: Table) -> Any:
    """How a line is called: by the tables of the desk, or by words for its code."""
    units = {unit.id: department_name(unit) for unit in departments(session)}

    def _name(line: Line) -> str:
        if table.by == "kind":
            return label_name(line.key)
        if table.by in ("theme", "themes") and line.key is not None:
            return str(THEMES.get(line.key, line.key))
        if table.by == "platform":
            return platform_name(line.key)
        if table.by == "age":
            return str(report_words.AGES[line.key])
        if table.by in NAMED and line.key in NAMED[table.by]:
            return str(NAMED[table.by][line.key])
        if line.key is None:
            return str(report_words.NOBODY[table.by])
        return units.get(line.key, "") if table.by == "department" else line.name

    return _name


def as_file(name: str, format: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """A download; what is large lies on the disk while it is written."""
    out = SpooledTemporaryFile(max_size=SPOOLED)  # noqa: SIM115 (send_file closes it after the last byte)
    if format == "xlsx":
        write_xlsx(out, heading, rows)
    else:
        text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="")
        write_csv(text, heading, rows)
        text.flush()
        text.detach()
    out.seek(0)
    kind = XLSX if format == "xlsx" else "text/csv; charset=utf-8"
    return send_file(out, mimetype=kind, as_attachment=True, download_name=f"otklik-{name}.{format}")
