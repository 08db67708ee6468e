"""Views of reports by name, and the letters in which figures come by themselves."""

from urllib.parse import urlencode

from flask import Blueprint, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from models import ReportView
from services.reports.views import ANSWERS, cancel_letter, drop_view, order_letter, save_view
from web.dates import today
from web.forms import go
from web.language import _
from web.numbers import whole
from web.report_filters import period_of, query_of, read_cut
from web.security import current_actor, current_desk
from web.toasts import tell

screen = Blueprint("report_views", __name__, url_prefix="/reports/views")


@screen.post("")
def save() -> Response:
    """What the address of the page says: a named period stays a name and moves on, days of its own stay."""
    form, asked = request.form, MultiDict(request.args)
    query = query_of(read_cut(asked, today(), current_desk().config.desk.time_zone))
    if name := period_of(asked):
        query = {"period": name, **{key: value for key, value in query.items() if key not in ("from", "to")}}
    if asked.get("by"):
        query["by"] = asked["by"]
    with current_desk().database.write.begin() as session:
        actor, common = current_actor(), form.get("common") == "1"
        view = save_view(session, actor, form.get("name", ""), form.get("code", ""), query, common=common)
        address = view_address(view)
    tell(_("Saved."))
    return redirect(address)


@screen.post("/<int:view_id>/drop")
def drop(view_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        drop_view(session, current_actor(), view_id)
    return go(url_for("report_tables.index"))


@screen.post("/order")
def order() -> Response:
    form, zone = request.form, current_desk().config.desk.time_zone
    view_id, hour = form.get("view", type=whole), form.get("hour", 9, type=whole)
    with current_desk().database.write.begin() as session:
        order_letter(session, current_actor(), form.get("what", ""), view_id, form.get("rhythm", ""), hour, zone)
    tell(_("It will come by mail."))
    return go(url_for("report_tables.index"))


@screen.post("/order/<int:order_id>/cancel")
def cancel(order_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        cancel_letter(session, current_actor(), order_id)
    tell(_("No more letters of this."))
    return go(url_for("report_tables.index"))


def view_address(view: ReportView) -> str:
    """Where a view is seen."""
    page = url_for("reports.index") if view.code == ANSWERS else url_for("report_tables.show", code=view.code)
    return f"{page}?{urlencode(view.query)}" if view.query else page
