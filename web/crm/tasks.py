"""«Задачи»: what is to be done about clients, one's own first."""

from datetime import datetime

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from models import utc_now
from services.crm import calls, tasks
from services.errors import Refused
from web.crm.forms import done as done_there
from web.dates import typed_time
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk
from web.toasts import tell

screen = Blueprint("tasks", __name__, url_prefix="/clients/tasks")


@screen.get("")
def index() -> str:
    whose = "all" if request.args.get("whose") == "all" else "mine"
    with current_desk().database.read.begin() as session:
        rows = tasks.list_tasks(session, current_actor(), whose=whose)
    now = utc_now()
    late = [row for row in rows if row.task.due_at < now]
    return render_template(
        "clients/tasks.html", late=late, rows=[row for row in rows if row not in late], whose=whose
    )


@screen.post("")
def add() -> Response:
    form = request.form
    with current_desk().database.write.begin() as session:
        tasks.add_task(
            session, current_actor(), text=form.get("text", ""), due_at=_due(), form_key=form["form_key"],
            client_id=form.get("client_id", type=whole), case_id=form.get("case_id", type=whole),
            staff_id=current_actor().staff_id, kind="promise" if form.get("kind") == "promise" else "todo",
        )  # fmt: skip
    return _done(_("The task is written down"))


def _due() -> datetime:
    at = typed_time(request.form.get("due", ""))
    if at is None:
        raise Refused("date.invalid")
    return at


@screen.post("/<int:task_id>/done")
def done(task_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        dropped = request.form.get("dropped") == "1"
        tasks.end_task(session, current_actor(), task_id, request.form.get("result", ""), dropped=dropped)
    return _done(None)


@screen.post("/<int:task_id>/move")
def move(task_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        tasks.move_task(session, current_actor(), task_id, due_at=_due())
    return _done(None)


@screen.post("/<int:task_id>/tried")
def tried(task_id: int) -> Response:
    """Somebody called back, and reached them or not."""
    reached = request.form.get("reached") == "1"
    with current_desk().database.write.begin() as session:
        task = calls.try_call_back(session, current_actor(), task_id, reached=reached)
    if not reached and task.state == "done":
        tell(_("Three tries reached nobody: now a message is to be written"))
    return _done(None)


def _done(said: str | None) -> Response:
    return done_there(url_for("tasks.index"), said)
