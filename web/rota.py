"""«Дежурства»: four weeks of days with whoever has each, and the usual week beneath."""

from datetime import date

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from services.absences import local_day
from services.accounts import list_staff
from services.rights import actor_of
from services.rota import NAME, USUAL, days_from, set_day, set_week, week_of
from services.settings.history import last_change
from web.forms import go
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.setting_saves import Answer, save_setting
from web.toasts import tell

screen = Blueprint("rota", __name__, url_prefix="/settings/rota")
SHOWN = 28


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        last, today = last_change(session, NAME), local_day(session)
        days, week = days_from(session, today, SHOWN), week_of(session)
        people = [one for one in list_staff(session) if actor_of(one).may("case.reply")]
    return render_template(
        "rota/index.html", last=last, days=days, week=week, people=people,
        names={one.id: one.name for one in people}, today=today, USUAL=USUAL, monday=date(2024, 1, 1),
    )  # fmt: skip


@screen.post("/week")
def save_week() -> Answer:
    week = {day: request.form.get(f"day{day}", type=whole) for day in range(7)}
    return save_setting(NAME, lambda session: set_week(session, current_actor(), week))


@screen.post("/day")
def save_day() -> Response:
    """One day: a person, nobody, or as usual."""
    chosen = request.form.get("staff_id", "")
    staff_id = USUAL if chosen == "usual" else request.form.get("staff_id", type=whole)
    try:
        day = date.fromisoformat(request.form.get("day", ""))
    except ValueError:
        return go(url_for("rota.index"))
    with current_desk().database.write.begin() as session:
        set_day(session, current_actor(), day, staff_id)
    rang()
    tell(_("Saved."))
    return go(url_for("rota.index"))
