"""«Утро»: five lines before the day begins, each a link, and a word to the departments that owe."""

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from models import utc_now
from services.audit import miss_rate
from services.reports.cut import Cut
from services.reports.morning import give_cases, hurry, hurry_cases, morning
from web import contract_words
from web.addresses import back
from web.dates import today
from web.forms import go
from web.language import _, ngettext
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.toasts import tell

screen = Blueprint("morning", __name__, url_prefix="/morning")
MOST = 200


@screen.get("")
def index() -> str:
    day = Cut(today(), today(), current_desk().config.desk.time_zone)
    now, classifier = utc_now(), current_desk().labeller.classifier
    with current_desk().database.read.begin() as session:
        page = morning(session, current_actor(), day, now)
        missed = miss_rate(session, classifier.gate if classifier else 0.0)
        return render_template(
            "morning/index.html", page=page, cut=day, now=now, week=page.since, missed=missed,
            contract_said=contract_words,
        )  # fmt: skip


@screen.post("/hurry")
def hurry_department() -> Response:
    """«Поторопить»: all that the department owes beyond its term."""
    with current_desk().database.write.begin() as session:
        count = hurry(session, current_actor(), request.form.get("department", 0, type=whole))
    rang()
    tell(_hurried(count))
    return go(back())


@screen.post("/act")
def act() -> Response:
    """«Взять себе», «Передать», «Поторопить» of the cases that were ticked in the list behind a number."""
    form, actor = request.form, current_actor()
    ids = [int(one) for one in form.getlist("case") if one.isdecimal() and len(one) < 19][:MOST]
    if not ids:
        tell(_("Tick the cases first"), "problem")
        return go(back())
    with current_desk().database.write.begin() as session:
        if form.get("act") == "hurry":
            said = _hurried(hurry_cases(session, actor, ids))
        else:
            whose = actor.staff_id if form.get("act") == "take" else form.get("staff_id", type=whole)
            count = give_cases(session, actor, ids, whose)
            said = ngettext("Given over: %(num)s case", "Given over: %(num)s cases", count)
    rang()
    tell(said)
    return go(back())


def _hurried(count: int) -> str:
    return ngettext("Told of %(num)s question", "Told of %(num)s questions", count)
