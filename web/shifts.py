"""«Сдать смену»: what is left, promised, sent but not proven, and the press that gives it to somebody."""

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from services.shift import hand_shift, shift_of
from web.forms import go
from web.language import ngettext
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.toasts import tell

screen = Blueprint("shifts", __name__, url_prefix="/shift")


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        shift = shift_of(session, current_actor())
    return render_template("shifts/index.html", shift=shift)


@screen.post("")
def hand() -> Response:
    form = request.form
    chosen = [int(one) for one in form.getlist("case_id") if one.isdecimal() and len(one) < 19]
    with current_desk().database.write.begin() as session:
        count = hand_shift(session, current_actor(), form.get("to", 0, type=whole), chosen)
    rang()
    tell(ngettext("%(num)s case is handed over", "%(num)s cases are handed over", count))
    return go(url_for("shifts.index"))
