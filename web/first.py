"""The first start of a work desk: whoever opens it first becomes its head, once."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from services.accounts import is_empty
from services.errors import DeskError, Refused
from services.people import create_first
from web.language import _
from web.login import begin_session
from web.security import current_desk
from web.toasts import tell
from web.words import explain, status_of

screen = Blueprint("first", __name__, url_prefix="/first")


@screen.get("")
def form() -> Response | str:
    return render_template("first/form.html") if _is_empty() else redirect(url_for("login.log_in"))


def _is_empty() -> bool:
    with current_desk().database.read.begin() as session:
        return is_empty(session)


@screen.post("")
def make() -> Response | tuple[str, int]:
    given = request.form
    try:
        password = given.get("password", "")
        if password != given.get("again", ""):
            raise Refused("password.differ")
        with current_desk().database.write.begin() as session:
            staff = create_first(
                session, name=given.get("name", ""), email=given.get("email", ""), password=password
            )
    except DeskError as error:
        if error.code == "first.taken":
            tell(explain(error), "problem")
            return redirect(url_for("login.log_in"))
        return render_template("first/form.html", problem=explain(error)), status_of(error)
    begin_session(staff)
    tell(_("The desk is yours."))
    return redirect(url_for("begin.questions"))
