"""Views of the inbox by name: kept from the filters of the address bar, and dropped."""

from urllib.parse import urlencode

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from services.saved_views import drop_view, save_view
from web.filters import query_of, read_filters
from web.language import _
from web.security import current_actor, current_desk, rang
from web.toasts import tell

screen = Blueprint("views", __name__, url_prefix="/inbox/views")


@screen.post("")
def save() -> Response:
    query = query_of(read_filters(request.args))
    team = request.form.get("team") == "1"
    with current_desk().database.write.begin() as session:
        save_view(session, current_actor(), request.form.get("name", ""), query, team=team)
    rang()
    tell(_("Saved."))
    return redirect(f"{url_for('inbox.index')}?{urlencode(query)}")


@screen.post("/<int:view_id>/drop")
def drop(view_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        drop_view(session, current_actor(), view_id)
    rang()
    return redirect(url_for("inbox.index"))
