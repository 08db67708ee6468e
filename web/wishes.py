"""«Пожелания»: the register of what people asked for, counted, decided, and answered to all of them."""

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from services.reports.wishes import STATES, decide_wish, loose, put_under, tell_all, wishes
from web.forms import go
from web.language import _, ngettext
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.toasts import tell

screen = Blueprint("wishes", __name__, url_prefix="/reports/wishes")


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        actor = current_actor()
        return render_template(
            "reports/wishes.html", rows=wishes(session, actor), loose=loose(session, actor), states=STATES
        )  # fmt: skip


@screen.post("/put/<int:case_id>")
def put(case_id: int) -> Response:
    form = request.form
    with current_desk().database.write.begin() as session:
        put_under(session, current_actor(), case_id, form.get("wish", type=whole), form.get("title", ""))
    return go(url_for("wishes.index"))


@screen.post("/<int:wish_id>")
def decide(wish_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        decide_wish(
            session, current_actor(), wish_id, request.form.get("state", ""), request.form.get("answer", "")
        )
    tell(_("Noted"))
    return go(url_for("wishes.index"))


@screen.post("/<int:wish_id>/tell")
def answer(wish_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        count = len(tell_all(session, current_actor(), wish_id).cases)
    rang()
    tell(ngettext("The answer goes to %(num)s case", "The answer goes to %(num)s cases", count))
    return go(url_for("wishes.index"))
