"""«Загрузка»: a file of clients, column by column, looked at before, with its progress, taken back as a whole."""

import csv
import io

from flask import Blueprint, Response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from services.crm import imports
from services.crm.import_rows import FIELDS
from services.errors import Refused
from services.export import FORMULA_STARTS
from web.crm.words import FIELDS as FIELD_WORDS
from web.forms import go
from web.language import _
from web.security import current_actor, current_desk, rang
from web.toasts import tell
from web.words import ERRORS

screen = Blueprint("imports", __name__, url_prefix="/clients/imports")


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        rows = imports.list_imports(session, current_actor())
    return render_template("clients/imports.html", rows=rows)


@screen.post("")
def begin() -> AnyResponse:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Refused("import.unreadable")
    content = file.read()
    with current_desk().database.write.begin() as session:
        row = imports.begin_import(session, current_actor(), file.filename, content)
    return go(url_for("imports.show", import_id=row.id))


@screen.get("/<int:import_id>")
def show(import_id: int) -> str:
    with current_desk().database.read.begin() as session:
        actor = current_actor()
        row = imports.get_import(session, actor, import_id)
        looked = imports.preview(session, actor, import_id) if row.state == "preview" else None
        kept = [] if looked else imports.rows_of(session, actor, import_id, "kept", 200)
    choices = {name: FIELD_WORDS[name] for name in ("", *FIELDS)}
    return render_template("clients/import.html", row=row, looked=looked, kept=kept, choices=choices)


@screen.get("/<int:import_id>/progress")
def progress(import_id: int) -> str:
    with current_desk().database.read.begin() as session:
        row = imports.get_import(session, current_actor(), import_id)
    return render_template("clients/import_progress.html", row=row)


@screen.post("/<int:import_id>/map")
def change(import_id: int) -> AnyResponse:
    """Another mapping, and with «start» it begins."""
    form = request.form
    mapping = {name.removeprefix("column-"): value for name, value in form.items() if name.startswith("column-")}
    with current_desk().database.write.begin() as session:
        actor = current_actor()
        imports.map_import(session, actor, import_id, mapping, form.get("duplicates", ""))
        if form.get("start"):
            imports.start_import(session, actor, import_id)
    rang()
    if form.get("start"):
        current_desk().defer("transfer")
    return go(url_for("imports.show", import_id=import_id))


@screen.post("/<int:import_id>/undo")
def undo(import_id: int) -> AnyResponse:
    with current_desk().database.write.begin() as session:
        imports.undo_import(session, current_actor(), import_id)
    rang()
    current_desk().defer("transfer")
    tell(_("The import is being taken back"))
    return go(url_for("imports.show", import_id=import_id))


@screen.get("/<int:import_id>/refused.csv")
def refused(import_id: int) -> Response:
    """The refused rows with the reason beside each, to be corrected and handed in again."""
    out = io.StringIO(newline="")
    with current_desk().database.read.begin() as session:
        row = imports.get_import(session, current_actor(), import_id)
        writer = csv.writer(out, delimiter=";")
        writer.writerow([*row.columns, _("Row"), _("Why it was refused")])
        for number, code, cells in imports.refused_lines(session, current_actor(), import_id):
            why = str(ERRORS.get(code, code)) % {"contact": "…"}
            writer.writerow([*(_safe(cells.get(name, "")) for name in row.columns), number, why])
    headers = {"Content-Disposition": f'attachment; filename="refused-{import_id}.csv"'}
    return Response(out.getvalue().encode("utf-8-sig"), headers=headers, mimetype="text/csv")


def _safe(cell: str) -> str:
    """A phone may begin with a plus; whatever else a spreadsheet would reckon does not."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) and not cell[1:2].isdigit() else cell
