"""«Утро»: five lines before the day begins, each a link, and a word to the departments that owe."""

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from models import utc_now
from services.reports.cut import Cut
from services.reports.morning import hurry, morning
from web.addresses import back
from web.dates import today
from web.forms import go
from web.language import ngettext
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.toasts import tell

screen = Blueprint("morning", __name__, url_prefix="/morning")


@screen.get("")
def index() -> str:
    day = Cut(today(), today(), current_desk().config.desk.time_zone)
    now = utc_now()
    with current_desk().database.read.begin() as session:
        page = morning(session, current_actor(), day, now)
        return render_template("morning/index.html", page=page, cut=day, now=now, week=page.since)


@screen.post("/hurry")
def hurry_department() -> Response:
    """«Поторопить»: all that the department owes beyond its term."""
    with current_desk().database.write.begin() as session:
        count = hurry(session, current_actor(), request.form.get("department", 0, type=whole))
    rang()
    tell(ngettext("Told of %(num)s question", "Told of %(num)s questions", count))
    return go(back())
