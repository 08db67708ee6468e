"""«Кто за что отвечает»: place × theme → who leads and who is asked; and giving out evenly what is free."""

from dataclasses import dataclass

from flask import Blueprint, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from models import Department, Source, Staff
from services.accounts import list_staff
from services.responsibility import NAME, Table, fill_defaults, set_cell, table_of
from services.rights import actor_of
from services.routing import departments
from services.settings.history import last_change
from services.workload import count_free, distribute, loads
from web.forms import go
from web.language import ngettext
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.setting_saves import Answer, save_setting
from web.toasts import tell
from web.words import THEMES

screen = Blueprint("duties", __name__, url_prefix="/settings/duties")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The cell that is being edited."""

    place: Source | None
    theme: str


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        last = last_change(session, NAME)
        table, people = table_of(session), list_staff(session)
        units, free, load = departments(session), count_free(session), loads(session)
        chosen = _chosen(session, table)
    return render_template(
        "duties/index.html", last=last, table=table, units=units, chosen=chosen, free=free, loads=load,
        THEMES=THEMES, names={one.id: one.name for one in people}, leaders=[one.staff for one in load],
        unit_names={unit.id: unit for unit in units}, asked=_asked(people, units),
    )  # fmt: skip


def _chosen(session: Session, table: Table) -> Chosen | None:
    place, theme = request.args.get("place", type=whole), request.args.get("theme", "")
    if place is None or theme not in (*table.themes, ""):
        return None
    return Chosen(session.get(Source, place) if place else None, theme)


def _asked(people: list[Staff], units: list[Department]) -> list[tuple[Department, Staff]]:
    """Every person of a department beside it."""
    return [(unit, one) for unit in units for one in people if unit.id in actor_of(one).departments]


@screen.post("")
def save() -> Answer:
    form = request.form
    place, theme = form.get("place", 0, type=whole), form.get("theme", "")
    unit, _sep, asked = form.get("asked", "").partition(":")
    return save_setting(NAME, lambda session: set_cell(
        session, current_actor(), place, theme, staff_id=form.get("staff_id", type=whole),
        department_id=int(unit) if unit.isdecimal() else None, asked_id=int(asked) if asked.isdecimal() else None,
    ), part=lambda rows: [row for row in rows if (row["place"], row["theme"]) == (place, theme)])  # fmt: skip


@screen.post("/defaults")
def defaults() -> Response:
    with current_desk().database.write.begin() as session:
        count = fill_defaults(session, current_actor())
    rang()
    tell(ngettext("%(num)s theme has its department now", "%(num)s themes have their departments now", count))
    return go(url_for("duties.index"))


@screen.post("/even")
def even() -> Response:
    chosen = [int(one) for one in request.form.getlist("staff_id") if one.isdecimal() and len(one) < 19]
    with current_desk().database.write.begin() as session:
        given = distribute(session, current_actor(), chosen)
    rang()
    tell(ngettext("%(num)s case is given out", "%(num)s cases are given out", given))
    return go(url_for("duties.index"))
