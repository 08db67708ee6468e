"""The first address, the language switch, and the state of the classifier in the header."""

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from services.accounts import set_locale
from services.errors import Forbidden
from web.addresses import safe_next
from web.navigation import first_screen
from web.security import current_actor, current_desk, current_staff

screen = Blueprint("home", __name__)
LOCALES = ("ru", "en")


@screen.get("/")
def start() -> AnyResponse:
    endpoint = first_screen(current_actor())
    if endpoint is None:
        raise Forbidden("forbidden", act="screen")
    return redirect(url_for(endpoint))


@screen.post("/language/<any(ru, en):locale>")
def choose_language(locale: str) -> AnyResponse:
    session["locale"] = locale
    staff = current_staff()
    if staff is None:
        session["asked_locale"] = locale
    else:
        with current_desk().database.write.begin() as db:
            set_locale(db, staff.id, locale)
    return redirect(safe_next(request.form.get("next")) or url_for("home.start"))


@screen.get("/menu")
def menu() -> str:
    """The rows of the header with their numbers as they are now; ``here`` is the screen that asks."""
    return render_template("parts/menu.html", here=request.args.get("here"))


@screen.get("/labeller")
def labeller() -> str:
    return render_template("parts/labeller.html")
