"""«Сотрудники»: who comes in, in which roles; passwords are made here, shown once and kept nowhere."""

from collections.abc import Mapping

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from models import Staff
from services.accounts import list_staff, set_active
from services.bots import bots_of, everybody_bound
from services.errors import DeskError
from services.messengers import moved_lately
from services.people import add_person, edit_person, get_person, invite, invite_person, people, renew_password
from services.rights import actor_of
from services.routing import departments
from services.second_factor import take_off
from services.settings.history import Last, last_change
from services.settings.people import STAFF
from services.workload import holdings_of
from services.workload import switch_off as hand_over_and_off
from web.forms import go
from web.language import Lazy, _, _l
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.setting_saves import Answer, save_setting
from web.toasts import tell
from web.words import explain, status_of

screen = Blueprint("staff", __name__, url_prefix="/staff")

ROLE_HINTS: Mapping[str, Lazy] = {
    "smm": _l("reads and answers everything in the inbox"),
    "manager": _l("sees only the questions put to the own department"),
    "head": _l("all of the inbox, all departments, reports"),
    "administrator": _l("places, people, settings"),
    "client_manager": _l("works in the inbox, keeps the cards of clients"),
    "sales": _l("works in the inbox, answers those who want to buy"),
    "director": _l("looks at everything, changes nothing"),
    "privacy": _l("answers for personal data"),
    "observer": _l("sees reports only"),
}
"""What each role is, in the order of the form."""


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        found = people(session, current_actor())
        last, bots, bound = last_change(session, STAFF), tuple(bots_of(session)), everybody_bound(session)
        moved = moved_lately(session)
    return render_template("staff/index.html", people=found, bots=bots, bound=bound, moved=moved, last=last)


@screen.get("/new")
def new() -> str:
    return _form(None)


@screen.get("/<int:staff_id>")
def edit(staff_id: int) -> str:
    with current_desk().database.read.begin() as session:
        last, person = last_change(session, STAFF), get_person(session, current_actor(), staff_id)
    return _form(person, last=last)


def _form(person: Staff | None, problem: str | None = None, last: Last | None = None) -> str:
    with current_desk().database.read.begin() as session:
        units = departments(session)
        last = last or last_change(session, STAFF)
    return render_template("staff/form.html", person=person, units=units, problem=problem, sent=request.form,
                           ROLE_HINTS=ROLE_HINTS, last=last)  # fmt: skip


@screen.post("/new")
def add() -> str | Response | tuple[str, int]:
    form = request.form
    try:
        if form.get("by_mail") == "1":
            return _invite_new()
        with current_desk().database.write.begin() as session:
            person, password = add_person(
                session, current_actor(), name=form.get("name", ""), email=form.get("email", ""),
                roles=form.getlist("role"), department=form.get("department"),
            )  # fmt: skip
    except DeskError as error:
        return _form(None, explain(error)), status_of(error)
    rang()
    return _password(person, password, made=True)


def _invite_new() -> Response:
    form = request.form
    with current_desk().database.write.begin() as session:
        person = invite_person(
            session, current_actor(), name=form.get("name", ""), email=form.get("email", ""),
            roles=form.getlist("role"), department=form.get("department"),
        )  # fmt: skip
    rang()
    tell(_("An invitation is on its way to %(mail)s.", mail=person.email))
    return go(url_for("staff.index"))


@screen.post("/<int:staff_id>/invitation")
def send_invitation(staff_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        person = invite(session, current_actor(), staff_id)
    rang()
    tell(_("An invitation is on its way to %(mail)s.", mail=person.email))
    return go(url_for("staff.index"))


@screen.post("/<int:staff_id>/second-step/off")
def second_off(staff_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        take_off(session, current_actor(), staff_id)
    rang()
    tell(_("The second step is taken off."))
    return go(url_for("staff.index"))


def _password(person: Staff, password: str, *, made: bool) -> str:
    """In the answer itself: in a cookie or an address the password would be kept."""
    return render_template("staff/password.html", person=person, password=password, made=made)


@screen.post("/<int:staff_id>")
def save(staff_id: int) -> Answer:
    form = request.form
    try:
        return save_setting(STAFF, lambda session: edit_person(
            session, current_actor(), staff_id, name=form.get("name", ""), roles=form.getlist("role"),
            department=form.get("department"), trainee=form.get("trainee") == "1",
        ), part=lambda rows: [row for row in rows or () if row["id"] == staff_id])  # fmt: skip
    except DeskError as error:
        with current_desk().database.read.begin() as session:
            person = get_person(session, current_actor(), staff_id)
        return _form(person, explain(error)), status_of(error)


@screen.post("/<int:staff_id>/password")
def password(staff_id: int) -> str:
    with current_desk().database.write.begin() as session:
        person, made = renew_password(session, current_actor(), staff_id)
    return _password(person, made, made=False)


@screen.get("/<int:staff_id>/off")
def ask_off(staff_id: int) -> str:
    """Where goes what is theirs."""
    with current_desk().database.read.begin() as session:
        person, held = get_person(session, current_actor(), staff_id), holdings_of(session, staff_id)
        heirs = [one for one in list_staff(session) if one.id != staff_id and actor_of(one).may("case.reply")]
    return render_template("staff/off.html", person=person, held=held, heirs=heirs)


@screen.post("/<int:staff_id>/off")
def switch_off(staff_id: int) -> Response:
    form = request.form
    with current_desk().database.write.begin() as session:
        if "sure" not in form and not holdings_of(session, staff_id).is_empty:
            return go(url_for("staff.ask_off", staff_id=staff_id))
        person = hand_over_and_off(
            session, current_actor(), staff_id, cases_to=form.get("cases_to", type=whole),
            duties_to=form.get("duties_to", type=whole),
        )  # fmt: skip
    rang()
    tell(_("%(name)s is switched off: all sessions have ended.", name=person.name))
    return go(url_for("staff.index"))


@screen.post("/<int:staff_id>/on")
def switch_on(staff_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        person = set_active(session, current_actor(), staff_id, True)
    rang()
    tell(_("%(name)s may come in again.", name=person.name))
    return go(url_for("staff.index"))
