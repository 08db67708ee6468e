"""«Состояние» for the administrator, and the file that whoever helps is sent.

Opened seldom: what it asks is imported when it is asked, so that no start waits for it.
"""

from flask import Blueprint, Response, render_template

from models import utc_now
from web.deadlines import span
from web.security import current_actor, current_desk
from web.state_words import ADDRESS, PROCESSES, size, tone

screen = Blueprint("state", __name__, url_prefix="/state")


@screen.get("")
def index() -> str:
    from services.state import state_of, versions

    desk = current_desk()
    with desk.database.read.begin() as session:
        now = state_of(session, current_actor())
        known = versions(session)
    return render_template(
        "state/index.html",
        now=now,
        versions=known,
        kinds=PROCESSES,
        size=size,
        tone=tone,
        room=desk.room,
        span=span,
    )


@screen.get("/address")
def address() -> str:
    """What stands between the world and this desk; it takes as long as the call."""
    from services.address import judge_address

    desk = current_desk()
    return render_template("state/address.html", found=judge_address(desk.config.web.public_url, desk.secret_key),
                           said=ADDRESS)  # fmt: skip


@screen.get("/file")
def doctor() -> Response:
    """One file to send to whoever helps: numbers and codes, nobody's words."""
    from services.doctor import findings, told

    desk = current_desk()
    with desk.database.read.begin() as session:
        body = told(findings(session, desk.config, mode=desk.mode, room=desk.room, classifier=desk.labeller.state))
    name = f"otklik-doctor-{utc_now():%Y%m%dT%H%M}.json"
    return Response(
        body, content_type="application/json", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
