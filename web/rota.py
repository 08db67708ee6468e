"""«Дежурства»: four weeks of days with whoever has each, and the usual week beneath."""

from datetime import date

from flask import Blueprint, render_template, request, url_for

from services.absences import local_day
from services.accounts import list_staff
from services.rights import actor_of
from services.rota import DAYS, NAME, USUAL, days_from, set_day, set_week, week_of
from services.settings.history import last_change
from web.forms import go
from web.numbers import whole
from web.security import current_actor, current_desk
from web.setting_saves import Answer, Part, save_setting

screen = Blueprint("rota", __name__, url_prefix="/settings/rota")
SHOWN = 28


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        last, last_day, today = last_change(session, NAME), last_change(session, DAYS), local_day(session)
        days, week = days_from(session, today, SHOWN), week_of(session)
        people = [one for one in list_staff(session) if actor_of(one).may("case.reply")]
    return render_template(
        "rota/index.html", last=last, last_day=last_day, days=days, week=week, people=people,
        names={one.id: one.name for one in people}, today=today, USUAL=USUAL, monday=date(2024, 1, 1),
    )  # fmt: skip


@screen.post("/week")
def save_week() -> Answer:
    week = {day: request.form.get(f"day{day}", type=whole) for day in range(7)}
    return save_setting(NAME, lambda session: set_week(session, current_actor(), week))


@screen.post("/day")
def save_day() -> Answer:
    """One day: a person, nobody, or as usual."""
    chosen = request.form.get("staff_id", "")
    staff_id = USUAL if chosen == "usual" else request.form.get("staff_id", type=whole)
    try:
        day = date.fromisoformat(request.form.get("day", ""))
    except ValueError:
        return go(url_for("rota.index"))
    return save_setting(DAYS, lambda session: set_day(session, current_actor(), day, staff_id), part=_of(day))


def _of(day: date) -> Part:
    """Of the days only this must be as it was seen."""
    return lambda rows: [row for row in rows or () if row["day"] == day.isoformat()]
