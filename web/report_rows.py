"""The rows behind a figure that are no cases: deals, payments, calls and the like, by pages or as a file."""

from typing import Any

from flask import Blueprint, Response, render_template, request

from models import utc_now
from services.reports.listed import LISTED, Page, file_rows, row_page
from services.reports.sheets import note_export
from web import report_words
from web.language import _
from web.marks import safe_link
from web.report_crumbs import crumb
from web.report_figures import filed_cell
from web.report_filters import asked_cut, choices, filter_words, filters_on, idle_filters, period_of
from web.report_tables import as_file
from web.security import current_actor, current_desk

screen = Blueprint("report_rows", __name__, url_prefix="/reports/rows")


@screen.get("/<name>")
def show(name: str) -> str:
    cut, key = asked_cut(), request.args.get("key")
    with current_desk().database.read.begin() as session:
        page = row_page(session, current_actor(), name, cut, utc_now(), key, request.args.get("after"))
        filters = filter_words(cut, choices(session), page.filters)
    return render_template(
        "reports/rows.html", page=page, name=name, cut=cut, key=key, filters=filters, safe_link=safe_link,
        period=period_of(request.args), heads=heads(page), sides=sides(page),
        idle=idle_filters(cut, page.filters), by_case=filters_on(cut, page.by_case),
        crumb=crumb(LISTED[name].report, cut),
    )  # fmt: skip


@screen.get("/<name>.<any(xlsx, csv):format>")
def sheet(name: str, format: str) -> Response:
    """The right to export is asked, and the taking is written down."""
    cut, actor = asked_cut(), current_actor()
    with current_desk().database.write.begin() as session:
        note_export(session, actor, name, cut)
    with current_desk().database.read.begin() as session:
        called, columns, rows = file_rows(session, actor, name, cut, utc_now(), request.args.get("key"))
        titles = [str(report_words.COLUMNS[column]) for column in ((called, *columns) if called else columns)]
        heading = [_("Date"), *titles, _("Case"), _("Link")]
        return as_file(
            name, format, heading,
            (
                [filed_cell(row.at, "moment"), *([row.record.name] if called else []),
                 *(filed_cell(cell.value, cell.unit) for cell in row.record.cells), row.number, row.url]
                for row in rows
            ),
        )  # fmt: skip


def heads(page: Page) -> list[str]:
    """Over the columns: the words of the figures they hold."""
    return [str(report_words.COLUMNS[name]) for name in page.columns]


def sides(page: Page) -> list[Any]:
    """Of each column whether it is read from the left: words are, numbers are not."""
    first = page.rows[0].record.cells if page.rows else ()
    return [cell.unit in ("text", "code", "kind", "platform", "date", "moment") for cell in first]
