"""Acts upon many cases: begun from the list, followed by their progress, taken back as a whole."""

from flask import Blueprint, render_template, request
from werkzeug.datastructures import MultiDict

from models import Bulk
from services.bulks import begin_bulk, failures_of, get_bulk, undo_bulk
from services.errors import Refused
from services.filters import Filters
from web.filters import ids_of, read_filters
from web.language import Lazy, _l
from web.numbers import whole
from web.security import current_actor, current_desk, rang

screen = Blueprint("bulks", __name__, url_prefix="/inbox/bulk")

DONE: dict[str, Lazy] = {
    "close": _l("Closed: %(done)s of %(all)s"),
    "assign": _l("Given over: %(done)s of %(all)s"),
    "label": _l("Kind set: %(done)s of %(all)s"),
    "route": _l("Handed over: %(done)s of %(all)s"),
    "answer": _l("Answers written: %(done)s of %(all)s, they go in a minute"),
    "tag": _l("Marked: %(done)s of %(all)s"),
    "moderate": _l("Being sent to the platform: %(done)s of %(all)s"),
    "back": _l("Taken back: %(done)s of %(all)s"),
}


def _value(form: MultiDict[str, str]) -> dict[str, object]:
    """What the act needs of its form; services refuse what makes no sense."""
    return {
        "reason": form.get("reason"), "label": form.get("label"), "staff_id": form.get("staff_id", type=whole),
        "department_id": form.get("department_id", 0, type=whole), "question": form.get("question", "").strip(),
        "text": form.get("text", "").strip(), "tag": form.get("tag", "").strip(),
        "kind": form.get("kind"),
    }  # fmt: skip


def _chosen(form: MultiDict[str, str]) -> Filters | list[int]:
    return read_filters(request.args) if form.get("all") == "1" else ids_of(form.get("ids", ""))


@screen.post("")
def begin() -> str:
    form = request.form
    field = {"route": "question", "answer": "text", "tag": "tag"}.get(form.get("act", ""))
    if field and not form.get(field, "").strip():
        raise Refused("text.empty")
    with current_desk().database.write.begin() as session:
        bulk = begin_bulk(session, current_actor(), form.get("act", ""), _value(form), _chosen(form))
    return _started(bulk)


@screen.get("/<int:bulk_id>")
def show(bulk_id: int) -> str:
    with current_desk().database.read.begin() as session:
        bulk = get_bulk(session, current_actor(), bulk_id)
        failures = failures_of(session, bulk)
    return render_template("inbox/bulk.html", bulk=bulk, failures=failures, said=DONE)


@screen.post("/<int:bulk_id>/undo")
def undo(bulk_id: int) -> str:
    with current_desk().database.write.begin() as session:
        bulk = undo_bulk(session, current_actor(), bulk_id)
    return _started(bulk)


def _started(bulk: Bulk) -> str:
    rang()
    current_desk().defer("bulk")
    return render_template("inbox/bulk.html", bulk=bulk, failures=[], said=DONE)
