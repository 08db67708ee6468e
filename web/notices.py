"""The bell of the header and its list: what the desk tells a person of deadlines."""

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from models import Notice, Route
from services.errors import NotFound
from services.notices import OF_THE_DESK, count_notices, notices_of, see_all, see_notice
from services.routing import sees_inquiry
from web.forms import go
from web.numbers import whole
from web.security import current_actor, current_desk, current_staff

screen = Blueprint("notices", __name__, url_prefix="/notices")


def bell_count() -> int:
    """The number beside the bell."""
    if "bells" not in g:
        with current_desk().database.read.begin() as session:
            g.bells = count_notices(session, current_actor())
    return int(g.bells)


@screen.app_context_processor
def _names() -> dict[str, object]:
    return {"bell_count": bell_count} if current_staff() else {}


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        lines = notices_of(session, current_actor())
    return render_template("notices/index.html", lines=lines)


@screen.post("/<int:notice_id>")
def follow(notice_id: int) -> Response:
    """To what the notice is about; it is seen by that."""
    with current_desk().database.write.begin() as session:
        notice = see_notice(session, current_actor(), notice_id)
    if notice is None:
        raise NotFound("notice.unknown", id=notice_id)
    if notice.kind == "messenger.moved" and current_actor().may("staff.view"):
        return go(url_for("staff.index"))
    if notice.kind == "webhook.failed" and current_actor().may("settings.edit"):
        return redirect(url_for("tokens.index"))
    if notice.kind in OF_THE_DESK:
        return redirect(url_for("state.index" if current_actor().may("settings.edit") else "morning.index"))
    if notice.broadcast_id is not None and not current_actor().may("broadcast.view"):
        return go(url_for("notices.index"))  # a speaker who works at another desk: the line itself tells all
    if notice.broadcast_id is not None:
        return redirect(url_for("broadcasts.desk", broadcast_id=notice.broadcast_id))
    if notice.contract_id is not None:
        place = "contracts.page" if current_actor().may("contract.view") else None
        return go(url_for(place, contract_id=notice.contract_id) if place else url_for("notices.index"))
    if notice.task_id is not None:
        return redirect(url_for("tasks.index", _anchor=f"task-{notice.task_id}"))
    if notice.source_id is not None:
        return redirect(url_for("sources.edit", source_id=notice.source_id))
    if notice.route_id is not None and notice.case_id is None:
        return go(_of_inquiry(notice))
    if notice.kind == "incident" and current_actor().may("case.view"):
        return redirect(url_for("incidents.of_case", case_id=notice.case_id))
    if current_actor().may("case.view"):
        return redirect(url_for("inbox.show", case_id=notice.case_id))
    return redirect(url_for("department.show", route_id=notice.route_id))


def _of_inquiry(notice: Notice) -> str:
    """Whoever owes goes to the question, whoever asked to the request."""
    with current_desk().database.read.begin() as session:
        route = session.get_one(Route, notice.route_id)
    owes = route.department_id in current_actor().departments and not notice.kind.startswith("inquiry.")
    place = "department.show" if owes or not sees_inquiry(current_actor(), route) else "inquiries.show"
    return url_for(place, route_id=route.id)


@screen.post("/seen")
def seen() -> Response:
    with current_desk().database.write.begin() as session:
        see_all(session, current_actor(), request.form.get("up_to", 0, type=whole))
    return go(url_for("notices.index"))
