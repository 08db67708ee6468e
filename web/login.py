"""Coming in and going out: the password, its change, and the training desk's three doors."""

from time import time
from urllib.parse import urlsplit

from flask import Blueprint, abort, current_app, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from models import Staff
from services.accounts import change_password, find_by_email, is_empty, run_authenticate, set_locale
from services.api_keys import keys_of
from services.entrance import ask_for_password, end_session, open_login
from services.errors import Refused
from services.second_factor import address_of, check_code, is_needed, new_secret, set_up
from services.training import TRAINING_CAST
from web.addresses import safe_next
from web.device_cookie import drop_cookie
from web.language import _
from web.security import current_actor, current_desk, current_device, current_staff, is_local_visit
from web.throttle import Throttle
from web.toasts import tell
from web.words import explain

screen = Blueprint("login", __name__)
HALF_SECONDS = 300
ASKED = Throttle(10, 600)
"""How often one address may ask for a new password."""


def begin_session(staff: Staff) -> None:
    """A fresh session, so that one planted before the login is worth nothing; the language chosen at the door is
    theirs from now on."""
    locale = session.get("asked_locale") or staff.locale
    session.clear()
    with current_desk().database.write.begin() as db:
        set_locale(db, staff.id, locale)
        session["sid"] = open_login(db, staff.id, request.headers.get("User-Agent", ""))
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
    staff = run_authenticate(current_desk().database, email, request.form.get("password", ""))
    if staff is None:
        return render_template("login/login.html", next=wanted, email=email, wrong=True), 422
    if staff.totp is not None:
        session["half"] = [staff.id, staff.session_key, int(time())]
        return redirect(url_for("login.code", next=wanted))
    begin_session(staff)
    _remind(staff)
    return redirect(wanted or url_for("home.start"))


def _remind(staff: Staff) -> None:
    """In the first days the second step is asked for, later it is needed."""
    with current_desk().database.read.begin() as db:
        needed = not current_desk().is_training and is_needed(db, staff)
    if needed and staff.totp is None:
        tell(_("Set up the second step of logging in, in the menu of your name: soon it is needed."))


@screen.route("/login/code", methods=["GET", "POST"])
def code() -> Response | str | tuple[str, int]:
    """The second step; the password was right a few minutes ago at most."""
    wanted = safe_next(request.values.get("next"))
    staff_id, key, at = session.get("half") or (0, "", 0)
    if time() - at > HALF_SECONDS:
        return redirect(url_for("login.log_in", next=wanted))
    if request.method == "GET":
        return render_template("login/code.html", next=wanted)
    desk = current_desk()
    with desk.database.write.begin() as db:
        staff = db.get(Staff, staff_id)
        right = staff is not None and staff.active and staff.session_key == key
        right = right and check_code(db, desk.keyring, staff_id, request.form.get("code", ""))
    if staff is None or not right:
        return render_template("login/code.html", next=wanted, wrong=True), 422
    begin_session(staff)
    return redirect(wanted or url_for("home.start"))


@screen.route("/login/forgot", methods=["GET", "POST"])
def forgot() -> Response | str | tuple[str, int]:
    """The same answer and the same work for an address that is known and for one that is not."""
    if request.method == "GET":
        return render_template("login/forgot.html")
    visitor = request.remote_addr or ""
    if ASKED.is_over(visitor):
        abort(429)
    ASKED.miss(visitor)
    with current_desk().database.write.begin() as db:
        ask_for_password(db, request.form.get("email", ""))
    return render_template("login/forgot.html", sent=True)


@screen.route("/second-step", methods=["GET", "POST"])
def second_step() -> Response | str | tuple[str, int]:
    """Setting up an authenticator: the secret waits in the signed session until a code proves it."""
    staff = current_staff()
    if staff is None:
        abort(401)
    if staff.totp is not None:
        return render_template("login/second.html", ready=True)
    secret = session.setdefault("totp", new_secret())
    if request.method == "GET":
        return render_template("login/second.html", secret=secret, address=address_of(secret, staff.email))
    try:
        with current_desk().database.write.begin() as db:
            codes = set_up(db, current_desk().keyring, staff.id, secret, request.form.get("code", ""))
    except Refused as error:
        page = render_template(
            "login/second.html", secret=secret, address=address_of(secret, staff.email), problem=explain(error)
        )
        return page, 422
    session.pop("totp", None)
    return render_template("login/second.html", codes=codes)


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
    sid: int | None = device.id if device is not None else session.get("sid")
    session.clear()
    session["locale"] = locale
    response = redirect(url_for("login.log_in"))
    if sid is not None:
        with current_desk().database.write.begin() as db:
            end_session(db, current_actor(), sid)
    if device is not None:
        drop_cookie(response, current_desk())
    return response


@screen.route("/password", methods=["GET", "POST"])
def password() -> Response | str | tuple[str, int]:
    staff = current_staff()
    if staff is None:
        abort(401)
    with current_desk().database.read.begin() as db:
        keys = keys_of(db, current_actor(), staff.id)
    if request.method == "GET":
        return render_template("login/password.html", keys=keys)
    new, keys_too = request.form.get("new", ""), request.form.get("keys_too") == "1"
    try:
        if new != request.form.get("again", ""):
            raise Refused("password.differ")
        with current_desk().database.write.begin() as db:
            changed = change_password(db, staff.id, request.form.get("old", ""), new, keys_too=keys_too)
    except Refused as error:
        return render_template("login/password.html", problem=explain(error), keys=keys), 422
    begin_session(changed)
    tell(_("The password is changed. Other sessions have ended."))
    if keys:
        tell(_("API keys are revoked too.") if keys_too else _("API keys go on working."))
    return redirect(url_for("home.start"))


def is_secure(public_url: str | None) -> bool:
    """Whether people reach the desk by https."""
    return urlsplit(public_url or "").scheme == "https"
