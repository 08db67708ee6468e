"""Where the windows of colleagues are: a sign of life from each, which the stream hands on."""

from flask import Blueprint, Response, current_app, request

from services.presence import tell_others
from web.live import feed_of
from web.numbers import whole
from web.security import current_desk, current_staff

screen = Blueprint("presence", __name__)


@screen.post("/presence")
def note() -> Response:
    """``case`` empty: this window looks at none; no row is written for any of it."""
    staff, desk, form = current_staff(), current_desk(), request.form
    assert staff is not None  # the matrix lets nobody else in
    window = f"{staff.id}:{form.get('window', '')[:40]}"
    case_id, mode = form.get("case", type=whole), "write" if form.get("mode") == "write" else "look"
    desk.presence.note(window, staff.id, staff.name, case_id, mode)
    tell_others(desk.database, desk.presence, window, staff.id, staff.name, case_id, mode)
    feed_of(current_app).tell_presence()
    return Response(status=204)
