"""The department's week or month on one page, and months that the head has signed and the director has read."""

import io
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, Response, render_template, request, send_file, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from models import Staff, utc_now
from services.documents.sheets import Block, draw_sheet, heading, table, text
from services.reports.compared import compares
from services.reports.shape import Cell, Table
from services.reports.summary import (
    files_of,
    get_snapshot,
    is_whole,
    month_cut,
    plain,
    read_file,
    see_snapshot,
    signed_figures,
    snapshots,
    summary,
    take_snapshot,
    whole_before,
    wholes,
)
from web import report_words as said
from web.dates import today
from web.forms import go
from web.language import _, format_date
from web.report_filters import asked_cut, period_of
from web.report_paper import under
from web.security import current_actor, current_desk
from web.toasts import tell

screen = Blueprint("report_months", __name__, url_prefix="/reports")


@screen.get("/summary")
def page() -> str:
    """What a director looks at weekly and monthly: the wholes of all reports, each a link to its lines."""
    cut, actor = asked_cut(), current_actor()
    with current_desk().database.read.begin() as session:
        tables = summary(session, actor, cut, utc_now(), compared=True)
    return render_template(
        "reports/summary.html", tables=tables, wholes=wholes, cut=cut, period=period_of(request.args)
    )  # fmt: skip


@screen.get("/months")
def index() -> str:
    with current_desk().database.read.begin() as session:
        rows = snapshots(session, current_actor())
        people = _people(session)
    last = today().replace(day=1) - timedelta(days=1)
    months = [(f"{day:%Y-%m}", month_name(f"{day:%Y-%m}")) for day in _months(last)]
    return render_template(
        "reports/months.html", rows=rows, people=people, month_name=month_name, months=months
    )  # fmt: skip


def _months(last: Any) -> list[Any]:
    found = [last]
    while len(found) < 12:
        found.append(found[-1].replace(day=1) - timedelta(days=1))
    return found


@screen.get("/months/<int:snapshot_id>")
def show(snapshot_id: int) -> str:
    zone = current_desk().config.desk.time_zone
    with current_desk().database.read.begin() as session:
        row = get_snapshot(session, current_actor(), snapshot_id)
        signed, changes = signed_figures(session, current_actor(), row, zone)
        return render_template(
            "reports/month.html", row=row, files=files_of(session, row.id), whole=is_whole(session, row),
            changes=changes, signed=signed, people=_people(session), title=month_name(row.month),
        )  # fmt: skip


@screen.post("/months")
def make() -> BaseResponse:
    """The head signs: the figures and their paper are kept together."""
    form, zone, actor = request.form, current_desk().config.desk.time_zone, current_actor()
    month = form.get("month", "")
    words = (form.get("conclusions", ""), form.get("proposals", ""))
    with current_desk().database.read.begin() as session:
        tables = summary(session, actor, month_cut(month, zone), utc_now(), compared=True)
        files = month_files(session, month, tables, words)
    with current_desk().database.write.begin() as session:
        row = take_snapshot(session, actor, month, tables, files, *words, today(), zone)
        address = url_for("report_months.show", snapshot_id=row.id)
    tell(_("Signed: these figures do not change any more."))
    return go(address)


@screen.post("/months/<int:snapshot_id>/seen")
def seen(snapshot_id: int) -> BaseResponse:
    with current_desk().database.write.begin() as session:
        see_snapshot(session, current_actor(), snapshot_id)
    tell(_("Noted"))
    return go(url_for("report_months.show", snapshot_id=snapshot_id))


@screen.get("/months/<int:snapshot_id>/<name>")
def file(snapshot_id: int, name: str) -> Response:
    with current_desk().database.read.begin() as session:
        content = read_file(session, current_actor(), snapshot_id, name)
    return send_file(io.BytesIO(content), as_attachment=True, download_name=name)


def month_name(month: str) -> str:
    name = str(format_date(month_cut(month, "UTC").first, "LLLL yyyy"))
    return name[:1].upper() + name[1:]


def month_title(month: str) -> str:
    return _("The department's report: %(month)s", month=month_name(month))


def month_files(
    session: Session, month: str, tables: Mapping[str, Table], words: tuple[str, str]
) -> Mapping[str, bytes]:
    """What is signed with the figures: their paper, and themselves."""
    cut = month_cut(month, current_desk().config.desk.time_zone)
    paper = draw_sheet(month_title(month), under(session, cut), list(_blocks(tables, *words)))
    figures = {code: {name: plain(cell.value) for name, cell in wholes(one)} for code, one in tables.items()}
    figures["month_before"] = {code: whole_before(one) for code, one in tables.items()}
    return {
        f"otklik-{month}.pdf": paper,
        f"otklik-{month}.json": json.dumps(figures, ensure_ascii=False, indent=1).encode(),
    }


def month_writer(app: Flask) -> Callable[..., Mapping[str, bytes]]:
    """The same outside of a request, in the language of the desk."""

    def _files(*given: Any) -> Mapping[str, bytes]:
        with app.test_request_context():
            return month_files(*given)

    return _files


def _told(name: str, cell: Cell) -> tuple[str, str, str]:
    """A figure, what it was in the month before («—»: there was nothing to reckon it from), and how much that
    differs; "" of what stands as of now."""
    figure = said.cell(cell.value, cell.unit)
    if not cell.compared:
        return figure, said.cell(None, cell.unit) if compares(name, cell) else "", ""
    return figure, said.cell(cell.before, cell.unit), said.against(cell.value, cell.before, cell.unit)


def _people(session: Session) -> Mapping[int | None, str]:
    return {row.id: row.name for row in session.query(Staff)}


def _blocks(tables: Mapping[str, Table], conclusions: str, proposals: str) -> list[Block]:
    found = []
    for code, one in tables.items():
        figures = list(wholes(one))
        rows = [[str(said.COLUMNS[name]), *_told(name, cell)] for name, cell in figures]
        found.append(heading(str(said.TITLES[code])))
        head = (
            ["", _("Month"), _("Month before"), _("Difference")]
            if any(cell.compared for _name, cell in figures)
            else []
        )
        rows = rows if head else [row[:2] for row in rows]
        wide = (6, 3, 3, 3) if head else (3, 2)
        found.append(table(head, rows, wide=wide) if rows else text(_("No cases in this period"), quiet=True))
    for title, words in ((_("Conclusions"), conclusions), (_("Proposals"), proposals)):
        if words.strip():
            found += [heading(title), text(words.strip())]
    return found
