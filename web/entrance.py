"""The way in by a link of a letter: looking changes nothing, the press trades its code for a device cookie."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from models import OneTimeLink
from services.accounts import check_password, choose_password
from services.entrance import LINK_DAYS, ask_again, find_link, is_good, open_device, spend_link
from services.errors import DeskError, Refused
from web.device_cookie import set_cookie
from web.language import _
from web.security import current_desk, current_device, rang
from web.throttle import Throttle
from web.toasts import tell
from web.words import explain, status_of

screen = Blueprint("entrance", __name__, url_prefix="/a")
GUESSES = Throttle(30, 600)


def _link(code: str) -> OneTimeLink:
    """The link of the address; 404 for what is none, 429 for who guesses."""
    visitor = request.remote_addr or ""
    if GUESSES.is_over(visitor):
        abort(429)
    with current_desk().database.read.begin() as session:
        link = find_link(session, code)
    if link is None or link.purpose not in LINK_DAYS:
        GUESSES.miss(visitor)
        abort(404)
    return link


@screen.get("/<code>")
def show(code: str) -> Response | str:
    """Says nothing of anybody: mail programs and their guards open links too."""
    link = _link(code)
    device = current_device()
    if link.purpose == "device" and device is not None and device.staff_id == link.staff_id:
        return redirect(_questions(link))
    return render_template("entrance/show.html", code=code, good=is_good(link), purpose=link.purpose)


@screen.post("/<code>")
def enter(code: str) -> Response | tuple[str, int]:
    link = _link(code)
    agent = request.headers.get("User-Agent", "")
    try:
        with current_desk().database.write.begin() as session:
            token, link = open_device(session, code, agent)
    except DeskError as error:
        page = render_template(
            "entrance/show.html", code=code, good=False, purpose=link.purpose, problem=explain(error)
        )
        return page, status_of(error)
    response = redirect(_questions(link))
    set_cookie(response, current_desk(), token)
    return response


@screen.post("/<code>/password")
def choose(code: str) -> Response | tuple[str, int]:
    """An invitation or a forgotten password: chosen here, and then given at the door like any other."""
    link, form = _link(code), request.form
    try:
        if form.get("new", "") != form.get("again", ""):
            raise Refused("password.differ")
        check_password(form.get("new", ""))
        with current_desk().database.write.begin() as session:
            spend_link(session, code, link.purpose if link.purpose in ("invite", "reset") else "invite")
            choose_password(session, link.staff_id, form.get("new", ""))
    except DeskError as error:
        page = render_template(
            "entrance/show.html", code=code, good=is_good(link), purpose=link.purpose, problem=explain(error)
        )
        return page, status_of(error)
    tell(_("The password is chosen: log in with it."))
    if link.purpose == "reset":
        tell(_("Sessions and API keys that there were before have ended."))
    return redirect(url_for("login.log_in"))


def _questions(link: OneTimeLink) -> str:
    return url_for("department.show", route_id=link.route_id) if link.route_id else url_for("department.index")


@screen.post("/<code>/again")
def again(code: str) -> str | tuple[str, int]:
    """To the same address, whoever presses; the page does not say which."""
    _link(code)
    try:
        with current_desk().database.write.begin() as session:
            ask_again(session, code)
    except DeskError as error:
        page = render_template(
            "entrance/show.html", code=code, good=False, purpose="device", problem=explain(error)
        )
        return page, status_of(error)
    rang()
    return render_template("entrance/sent.html")
