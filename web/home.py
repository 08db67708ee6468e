"""The first address, the language switch, and the state of the classifier in the header."""

from flask import Blueprint, Response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from services.accounts import set_locale
from services.errors import Forbidden
from web.addresses import safe_next
from web.navigation import first_screen, menu_of
from web.notices import bell_count
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
def menu() -> str | Response:
    """Rows of the header and the bell as they are now; ``here`` is the screen that asks, ``seen`` what it shows."""
    rows = menu_of(current_actor())
    if request.args.get("seen") == rows.told(bell_count()):
        return Response(status=204)
    return render_template("parts/menu_and_bell.html", here=request.args.get("here"), menu=rows)


@screen.get("/labeller")
def labeller() -> str:
    return render_template("parts/labeller.html")
