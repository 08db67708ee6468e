"""«Мои устройства»: where one is logged in, a PIN for a phone, the end of what was lost; the head's view too."""

from dataclasses import dataclass
from time import time

from flask import Blueprint, abort, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from models import StaffSession
from services.entrance import check_pin, end_session, sessions_of, set_pin
from services.people import get_person
from services.rights import DESK
from web.addresses import safe_next
from web.forms import go
from web.language import _
from web.security import current_actor, current_desk, current_device, current_staff, rang
from web.toasts import tell

screen = Blueprint("devices", __name__, url_prefix="/devices")

_SYSTEMS = ("iPhone", "iPad", "Android", "Windows", "Mac OS", "Linux")
_BROWSERS = (("YaBrowser", "Яндекс Браузер"), ("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung"),
             ("Firefox", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Browser:
    """One line: what it is called, whether it is the one that looks."""

    row: StaffSession
    title: str
    here: bool


def browser_title(agent: str) -> str:
    """«Android, Chrome» of a User-Agent; the browser may say what it likes, so it is only a hint."""
    system = next((name for name in _SYSTEMS if name in agent), "")
    browser = next((name for word, name in _BROWSERS if word in agent), "")
    return ", ".join(filter(None, (system, browser))) or _("Unknown browser")


@screen.get("")
def index() -> str:
    return _page(current_actor().staff_id or 0)


@screen.get("/of/<int:staff_id>")
def of_person(staff_id: int) -> str:
    return _page(staff_id)


def _page(staff_id: int) -> str:
    here = current_device()
    with current_desk().database.read.begin() as db:
        rows = sessions_of(db, current_actor(), staff_id)
        person = get_person(db, DESK, staff_id)
    own = {here.id if here else None, session.get("sid")}
    browsers = [Browser(row, browser_title(row.agent), row.id in own) for row in rows]
    return render_template("devices/index.html", browsers=browsers, person=person, device=here)


@screen.post("/<int:session_id>/end")
def end(session_id: int) -> Response:
    with current_desk().database.write.begin() as db:
        row = end_session(db, current_actor(), session_id)
    rang()
    tell(_("That browser is logged out."))
    mine = row.staff_id == current_actor().staff_id
    return go(url_for("devices.index") if mine else url_for("devices.of_person", staff_id=row.staff_id))


@screen.post("/pin")
def save_pin() -> Response:
    device = current_device()
    if device is None:
        abort(404)
    pin = request.form.get("pin", "").strip()
    with current_desk().database.write.begin() as db:
        set_pin(db, device, pin)
    unlock(device)
    tell(_("The PIN is set.") if pin else _("The PIN is taken off."))
    return go(url_for("devices.index"))


@screen.route("/unlock", methods=["GET", "POST"])
def ask_pin() -> Response | str | tuple[str, int]:
    device = current_device()
    wanted = safe_next(request.values.get("next"))
    if device is None or device.pin is None:
        return redirect(wanted or url_for("home.start"))
    if request.method == "GET":
        return render_template("devices/pin.html", next=wanted)
    with current_desk().database.write.begin() as db:
        right = check_pin(db, device, request.form.get("pin", ""))
    if not right:
        return render_template("devices/pin.html", next=wanted, wrong=True), 422
    unlock(device)
    return redirect(wanted or url_for("home.start"))


def unlock(device: StaffSession) -> None:
    session["unlocked"] = [device.id, int(time())]
    g.unlocked = True


@screen.app_context_processor
def _names() -> dict[str, object]:
    return {"current_device": current_device, "is_me": lambda staff_id: current_staff().id == staff_id}  # type: ignore[union-attr]
