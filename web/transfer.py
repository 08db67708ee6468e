"""«Выгрузка и загрузка»: all that the department decides as one file, with what a file would change shown first."""

from collections.abc import Mapping

from flask import Blueprint, Response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from services.errors import DeskError
from services.transfer import Change, changes_of, export_settings, import_settings, read_settings
from web.forms import go
from web.language import Lazy, _, _l
from web.security import current_actor, current_desk, rang
from web.toasts import tell
from web.words import explain, status_of

screen = Blueprint("transfer", __name__, url_prefix="/settings/transfer")

PARTS: Mapping[str, Lazy] = {
    "terms": _l("Deadlines"),
    "duties": _l("Who answers for what"),
    "rules": _l("Rules"),
    "criteria": _l("By what answers are judged"),
    "marks": _l("Marks of authors"),
    "bots": _l("Who sends notices"),
}


@screen.get("")
def index() -> str:
    return _page()


def _page(text: str = "", changes: list[Change] | None = None, problem: str | None = None) -> str:
    return render_template("transfer/index.html", text=text, changes=changes, problem=problem, PARTS=PARTS)


@screen.get("/settings.yaml")
def file() -> Response:
    with current_desk().database.read.begin() as session:
        text = export_settings(session, current_actor())
    headers = {"Content-Disposition": 'attachment; filename="otklik-settings.yaml"'}
    return Response(text, mimetype="application/yaml", headers=headers)


@screen.post("")
def bring() -> str | AnyResponse | tuple[str, int]:
    """First what it would change, then, with «sure», the change."""
    sent = request.files.get("file")
    text = sent.read().decode("utf-8", "replace") if sent and sent.filename else request.form.get("text", "")
    try:
        if request.form.get("sure") != "1":
            with current_desk().database.read.begin() as session:
                return _page(text, changes_of(session, read_settings(text)))
        with current_desk().database.write.begin() as session:
            import_settings(session, current_actor(), text)
    except DeskError as error:
        return _page(text, None, explain(error)), status_of(error)
    rang()
    tell(_("Saved."))
    return go(url_for("transfer.index"))
