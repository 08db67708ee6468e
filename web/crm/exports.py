"""«Выгрузка»: cards into a file, with a reason and the head's word, and the log of all that left."""

from flask import Blueprint, Response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from services.crm import exports
from web.forms import go
from web.language import _
from web.security import current_actor, current_desk, rang
from web.toasts import tell

screen = Blueprint("exports", __name__, url_prefix="/clients/exports")
TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
}


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        rows = exports.list_exports(session, current_actor())
    return render_template("clients/exports.html", rows=rows, most=exports.CONFIRM_OVER)


@screen.post("")
def ask() -> AnyResponse:
    form = request.form
    with current_desk().database.write.begin() as session:
        wanted = {"segment": form.get("segment")}
        row = exports.ask_export(session, current_actor(), form.get("reason", ""), wanted, form.get("kind", ""))
    return _done(_("Waits for the head") if row.state == "waiting" else _("The file is being made"))


@screen.post("/<int:export_id>/decide")
def decide(export_id: int) -> AnyResponse:
    with current_desk().database.write.begin() as session:
        exports.decide_export(session, current_actor(), export_id, allow=request.form.get("allow") == "1")
    return _done(None)


@screen.post("/<int:export_id>/file")
def take(export_id: int) -> Response:
    """Taking the file is an act that is written down, so it is no GET."""
    with current_desk().database.write.begin() as session:
        row, content = exports.take_export(session, current_actor(), export_id)
    headers = {"Content-Disposition": f'attachment; filename="clients-{row.mark}.{row.kind}"'}
    return Response(content, headers=headers, mimetype=TYPES[row.kind])


def _done(said: str | None) -> AnyResponse:
    rang()
    current_desk().defer("transfer")
    if said:
        tell(said)
    return go(url_for("exports.index"))
