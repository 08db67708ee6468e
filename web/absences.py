"""«Кого нет»: who is away and until when, who stands in with which rights; when each person works."""

from dataclasses import replace
from datetime import date

from flask import Blueprint, render_template, request, url_for

from models import utc_now
from services.absences import (
    REASONS,
    absences_of,
    add_absence,
    away_on,
    end_absence,
    is_lent,
    lendable,
    local_day,
    set_schedule,
)
from services.accounts import list_staff
from services.errors import DeskError
from services.people import get_person
from services.rights import actor_of, holds
from services.settings.history import last_change
from services.settings.people import ABSENCES, STAFF
from web.numbers import whole
from web.security import current_actor, current_desk
from web.setting_saves import Answer, save_setting
from web.words import explain, status_of

screen = Blueprint("absences", __name__, url_prefix="/staff/away")


@screen.get("")
def index() -> str:
    return _page()


def _page(problem: str | None = None) -> str:
    with current_desk().database.read.begin() as session:
        day = local_day(session)
        rows, people = absences_of(session, current_actor(), day), list_staff(session)
        away, last = away_on(session, day), last_change(session, ABSENCES)
    return render_template(
        "absences/index.html", rows=rows, people=people, away=away, today=day, REASONS=REASONS, problem=problem,
        names={one.id: one.name for one in people}, lendable={one.id: lendable(one) for one in people},
        last=last, sent=request.form,
        heads=[one for one in people if "head" in actor_of(one).roles and one.id not in away],
    )  # fmt: skip


@screen.post("")
def add() -> Answer:
    form = request.form
    try:
        return save_setting(ABSENCES, lambda session: add_absence(
            session, current_actor(), form.get("staff_id", 0, type=whole),
            from_day=_day(form.get("from_day", "")), to_day=_day(form.get("to_day", "")),
            reason=form.get("reason", ""), deputy_id=form.get("deputy_id", type=whole),
            roles=form.getlist("role"), hand_over=form.get("hand_over") == "1",
        ))  # fmt: skip
    except DeskError as error:
        return _page(explain(error)), status_of(error)


def _day(typed: str) -> date:
    """A day as a browser's field gives it; what is none is the first day there is, which no absence may have."""
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return date.max if typed else date.min


@screen.post("/<int:absence_id>/back")
def back(absence_id: int) -> Answer:
    """«Уже на месте», or taken back."""
    return save_setting(ABSENCES, lambda session: end_absence(session, current_actor(), absence_id))


@screen.get("/person/<int:staff_id>")
def person(staff_id: int) -> str:
    return _schedule(staff_id)


def _schedule(staff_id: int, problem: str | None = None) -> str:
    with current_desk().database.read.begin() as session:
        last = last_change(session, STAFF)
        someone, people = get_person(session, current_actor(), staff_id), list_staff(session)
    if "seen" in request.form:
        last = replace(last, number=request.form.get("seen", last.number, type=whole))
    others = [one for one in people if one.id != staff_id]
    return render_template("absences/person.html", person=someone, others=others, problem=problem, last=last)


@screen.post("/person/<int:staff_id>")
def save(staff_id: int) -> Answer:
    form = request.form
    try:
        return save_setting(STAFF, lambda session: set_schedule(
            session, current_actor(), staff_id,
            days=[int(one) for one in form.getlist("day") if one in "0123456" and len(one) == 1],
            begin=form.get("begin", ""), end=form.get("end", ""), deputy_id=form.get("deputy_id", type=whole),
        ), part=lambda rows: [row for row in rows or () if row["id"] == staff_id],
            to=url_for("absences.index"))  # fmt: skip
    except DeskError as error:
        return _schedule(staff_id, explain(error)), status_of(error)


@screen.app_context_processor
def said() -> dict[str, object]:
    """What the header and the list of staff say of roles that are lent."""
    return {"holds_role": holds, "is_lent": is_lent, "utc_now": utc_now}
