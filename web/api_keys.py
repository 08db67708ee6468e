"""«Ключи API»: a person's own keys for programs: made and shown once, last used, taken away."""

from flask import Blueprint, Response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from models import utc_now
from services.api_keys import DAYS, LONGEST_NAME, keys_of, make_key, revoke_key, scopes_for
from services.errors import DeskError
from services.people import get_person
from services.rights import DESK
from web.api_words import SCOPES
from web.forms import go
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk
from web.toasts import tell
from web.words import explain, status_of

screen = Blueprint("api_keys", __name__, url_prefix="/api-keys")


@screen.get("")
def index() -> str:
    return _page(current_actor().staff_id or 0)


@screen.get("/of/<int:staff_id>")
def of_person(staff_id: int) -> str:
    return _page(staff_id)


def _page(staff_id: int, problem: str = "", secret: str = "", made_id: int = 0) -> str:
    with current_desk().database.read.begin() as session:
        rows = keys_of(session, current_actor(), staff_id)
        person = get_person(session, DESK, staff_id)
    return render_template(
        "api_keys/index.html", rows=rows, person=person, problem=problem, secret=secret, made_id=made_id,
        mine=staff_id == current_actor().staff_id, scopes=scopes_for(current_actor()), names=SCOPES, days=DAYS,
        address=(current_desk().address or request.host_url).rstrip("/"), given=request.form, longest=LONGEST_NAME,
        now=utc_now(),
    )  # fmt: skip


@screen.post("")
def make() -> tuple[Response | str, int] | str:
    """The key stands in this one answer: no address leads to it, and a page loaded anew does not have it."""
    form, actor = request.form, current_actor()
    days = form.get("days", 0, type=whole)
    try:
        with current_desk().database.write.begin() as session:
            row, secret = make_key(session, actor, form.get("name", ""), form.getlist("scope"), days)
    except DeskError as error:
        return _page(actor.staff_id or 0, problem=explain(error)), status_of(error)
    return _page(actor.staff_id or 0, secret=secret, made_id=row.id)


@screen.post("/<int:key_id>/revoke")
def revoke(key_id: int) -> AnyResponse:
    with current_desk().database.write.begin() as session:
        row = revoke_key(session, current_actor(), key_id)
    tell(_("The key is revoked: it opens nothing any more."))
    mine = row.staff_id == current_actor().staff_id
    return go(url_for("api_keys.index") if mine else url_for("api_keys.of_person", staff_id=row.staff_id))
