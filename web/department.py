"""«Вопросы ко мне»: a bare page for somebody who answers twice a day on a phone (day.md §3)."""

from io import BytesIO

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from services.errors import DeskError
from services.questions import (
    count_answered,
    hand_back,
    left_after,
    question_file,
    question_rows,
    question_view,
    send_answer,
)
from services.route_files import FileIn, add_files, answer_file, check_files, files_of
from services.routing import colleagues, count_owed, departments, get_route, open_route, pass_on
from services.sla import clocks_of_routes
from web.forms import go
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk, is_htmx, rang
from web.toasts import tell
from web.words import explain, status_of

screen = Blueprint("department", __name__, url_prefix="/questions")


@screen.get("")
def index() -> str:
    done = request.args.get("done") == "1"
    with current_desk().database.read.begin() as session:
        actor = current_actor()
        rows = question_rows(session, actor, done=done)
        owed, answered = count_owed(session, actor), count_answered(session, actor)
        clocks = clocks_of_routes(session, [row.route.id for row in rows])
    template = "department/list.html" if is_htmx() else "department/index.html"
    return render_template(template, rows=rows, done=done, owed=owed, answered=answered, clocks=clocks)


@screen.get("/<int:route_id>")
def show(route_id: int) -> str:
    _mark_seen(route_id)
    return _page(route_id)


def _mark_seen(route_id: int) -> None:
    """Opening is «увидела», the one thing that looking changes; the head's look is not the department's."""
    desk, actor = current_desk(), current_actor()
    with desk.database.read.begin() as session:
        route = get_route(session, actor, route_id)
    if route.state == "sent" and route.department_id in actor.departments:
        with desk.database.write.begin() as session:
            open_route(session, actor, route_id)
        rang()


def _page(route_id: int, text: str = "", problem: str | None = None) -> str:
    with current_desk().database.read.begin() as session:
        view = question_view(session, current_actor(), route_id)
        units, clock = departments(session), clocks_of_routes(session, [route_id]).get(route_id)
        files = files_of(session, [route_id]).get(route_id, [])
        others = [one for one in colleagues(session, view.department.id) if one.id != current_actor().staff_id]
    return render_template(
        "department/question.html", view=view, units=units, clock=clock, text=text, problem=problem, files=files,
        others=others,
    )  # fmt: skip


@screen.post("/<int:route_id>/answer")
def answer(route_id: int) -> Response | tuple[str, int]:
    text = request.form.get("text", "")
    version = request.form.get("version", type=whole)
    sent_files = [
        FileIn(file.filename or "", file.read()) for file in request.files.getlist("files") if file.filename
    ]
    try:
        check_files(sent_files)
        with current_desk().database.write.begin() as session:
            spoken = text if text.strip() or not sent_files else _("The answer is in the files.")
            send_answer(session, current_actor(), route_id, spoken, version)
            add_files(session, current_actor(), route_id, sent_files)
    except DeskError as error:
        if is_htmx() or status_of(error) in (403, 404):
            raise
        return _page(route_id, text, explain(error)), status_of(error)
    rang()
    return go(url_for("department.sent", route_id=route_id))


@screen.get("/<int:route_id>/sent")
def sent(route_id: int) -> str | Response:
    with current_desk().database.read.begin() as session:
        view = question_view(session, current_actor(), route_id)
    if view.route.state not in ("answered", "accepted"):
        return redirect(url_for("department.show", route_id=route_id))
    return render_template("department/sent.html", view=view)


@screen.post("/<int:route_id>/decline")
def decline(route_id: int) -> Response:
    better, reason = request.form.get("better", ""), request.form.get("reason", "")
    with current_desk().database.write.begin() as session:
        if better.startswith("p"):
            pass_on(session, current_actor(), route_id, request.form.get("better", 0, type=_person))
        else:
            hand_back(session, current_actor(), route_id, reason, request.form.get("better", type=whole))
        following, _left = left_after(session, current_actor(), route_id)
    rang()
    tell(_("Handed back. Thank you: it will be put to the right people."))
    return go(url_for("department.show", route_id=following) if following else url_for("department.index"))


def _person(value: str) -> int:
    """«p17» of the list → 17."""
    return whole(value.removeprefix("p"))


@screen.get("/photos/<int:file_id>")
def photo(file_id: int) -> Response:
    """What stands beside an answer; photos that browsers know are shown, all else is a download."""
    with current_desk().database.read.begin() as session:
        found = answer_file(session, current_actor(), file_id)
    shown = found.content_type in ("image/png", "image/jpeg", "image/gif", "image/webp")
    response = send_file(
        BytesIO(found.content), mimetype=found.content_type, as_attachment=not shown, download_name=found.name
    )
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@screen.get("/<int:route_id>/files/<int:file_id>")
def file(route_id: int, file_id: int) -> Response:
    with current_desk().database.read.begin() as session:
        found = question_file(session, current_actor(), route_id, file_id)
        content = found.content or b""
    # Always a download: a file from outside never runs as a page of the desk.
    return send_file(
        BytesIO(content),
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=found.name or "file",
    )
