"""«Заготовки»: texts that staff use again, with what can be put into them."""

from uuid import uuid4

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from models import SavedReply
from services.errors import DeskError
from services.facts import list_facts
from services.saved_replies import NAME, archive_saved, get_saved, save_saved, saved_replies
from services.settings.history import last_change
from web.forms import go
from web.language import _
from web.security import current_actor, current_desk
from web.setting_saves import Answer, save_setting
from web.toasts import tell
from web.words import explain, status_of

screen = Blueprint("saved", __name__, url_prefix="/saved")


@screen.get("")
def index() -> str:
    asked = request.args.get("q", "")
    with current_desk().database.read.begin() as session:
        last, rows = last_change(session, NAME), saved_replies(session, current_actor(), asked, limit=500)
    return render_template("saved/index.html", rows=rows, asked=asked, last=last)


@screen.get("/new")
def new() -> str:
    return _form(None)


@screen.get("/<int:saved_id>")
def edit(saved_id: int) -> str:
    with current_desk().database.read.begin() as session:
        row = get_saved(session, current_actor(), saved_id)
    return _form(row)


def _form(row: SavedReply | None, problem: str | None = None) -> str:
    with current_desk().database.read.begin() as session:
        last, facts = last_change(session, NAME), list_facts(session)
    form_key = request.form.get("form_key") or str(uuid4())
    return render_template(
        "saved/form.html", row=row, facts=facts, problem=problem, sent=request.form, last=last, form_key=form_key
    )


@screen.post("/new")
def add() -> Answer:
    return _save(None)


@screen.post("/<int:saved_id>")
def save(saved_id: int) -> Answer:
    return _save(saved_id)


def _save(saved_id: int | None) -> Answer:
    form = request.form
    try:
        return save_setting(NAME, lambda session: save_saved(
            session, current_actor(), saved_id, title=form.get("title", ""), text=form.get("text", ""),
            scope=form.get("scope", "all"), form_key=form.get("form_key", "")[:60],
        ), part=lambda rows: [row for row in rows or () if row["id"] == saved_id], beside=True)  # fmt: skip
    except DeskError as error:
        return _form(None, explain(error)), status_of(error)


@screen.post("/<int:saved_id>/archive")
def archive(saved_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        archive_saved(session, current_actor(), saved_id)
    tell(_("Removed from the list"), "undo", undo=url_for("saved.restore", saved_id=saved_id), seconds=10)
    return go(url_for("saved.index"))


@screen.post("/<int:saved_id>/restore")
def restore(saved_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        archive_saved(session, current_actor(), saved_id, back=True)
    return go(url_for("saved.index"))
