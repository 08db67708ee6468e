"""Coming in and going out: the password, its change, and the training desk's three doors."""

from urllib.parse import urlsplit

from flask import Blueprint, abort, current_app, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from models import Staff
from services.accounts import authenticate, change_password, find_by_email, is_empty
from services.entrance import end_session
from services.errors import Refused
from services.training import TRAINING_CAST
from web.addresses import safe_next
from web.device_cookie import drop_cookie
from web.language import _
from web.security import current_actor, current_desk, current_device, current_staff, is_local_visit
from web.toasts import tell
from web.words import explain

screen = Blueprint("login", __name__)


def begin_session(staff: Staff) -> None:
    """A fresh session, so that one planted before the login is worth nothing."""
    locale = staff.locale
    session.clear()
    session["key"], session["locale"] = staff.session_key, locale
    session.permanent = True


@screen.route("/login", methods=["GET", "POST"])
def log_in() -> Response | str | tuple[str, int]:
    wanted = safe_next(request.values.get("next"))
    if current_staff() is not None and current_device() is None:
        return redirect(wanted or url_for("home.start"))
    if request.method == "GET":
        return _first_person() or render_template("login/login.html", next=wanted)
    email = request.form.get("email", "")
    with current_desk().database.write.begin() as db:
        staff = authenticate(db, email, request.form.get("password", ""))
    if staff is None:
        return render_template("login/login.html", next=wanted, email=email, wrong=True), 422
    begin_session(staff)
    return redirect(wanted or url_for("home.start"))


def _first_person() -> Response | None:
    """A desk that nobody can enter yet asks for its first person, where that screen exists."""
    if "first.form" not in current_app.view_functions:
        return None
    with current_desk().database.read.begin() as db:
        return redirect(url_for("first.form")) if is_empty(db) else None


@screen.post("/login/as/<role>")
def log_in_as(role: str) -> Response:
    """The training desk only, and only from this machine: without a password."""
    if not current_desk().is_training or not is_local_visit() or role not in TRAINING_CAST:
        abort(404)
    with current_desk().database.read.begin() as db:
        staff = find_by_email(db, TRAINING_CAST[role])
    if staff is None or not staff.active:
        abort(404)
    begin_session(staff)
    session["door"] = True  # whoever came in without a password is not asked to change one
    return redirect(url_for("home.start"))


@screen.post("/logout")
def log_out() -> Response:
    locale, device = session.get("locale"), current_device()
    session.clear()
    session["locale"] = locale
    response = redirect(url_for("login.log_in"))
    if device is not None:
        with current_desk().database.write.begin() as db:
            end_session(db, current_actor(), device.id)
        drop_cookie(response, current_desk())
    return response


@screen.route("/password", methods=["GET", "POST"])
def password() -> Response | str | tuple[str, int]:
    staff = current_staff()
    if staff is None:
        abort(401)
    if request.method == "GET":
        return render_template("login/password.html")
    new = request.form.get("new", "")
    try:
        if new != request.form.get("again", ""):
            raise Refused("password.differ")
        with current_desk().database.write.begin() as db:
            changed = change_password(db, staff.id, request.form.get("old", ""), new)
    except Refused as error:
        return render_template("login/password.html", problem=explain(error)), 422
    begin_session(changed)
    tell(_("The password is changed. Other sessions have ended."))
    return redirect(url_for("home.start"))


def is_secure(public_url: str | None) -> bool:
    """Whether people reach the desk by https."""
    return urlsplit(public_url or "").scheme == "https"
