"""«Звонки»: who called and who is to be called back, and the card that comes up while it rings."""

from datetime import UTC, datetime

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from services.crm import calls
from services.crm.cards import line_of
from services.errors import Refused
from web.forms import go
from web.language import _
from web.security import current_actor, current_desk, rang
from web.toasts import tell

screen = Blueprint("calls", __name__, url_prefix="/clients/calls")


def _after() -> tuple[datetime, int] | None:
    at, _sign, number = request.args.get("after", "").partition("|")
    if not at:
        return None
    try:
        return datetime.fromtimestamp(float(at), UTC), int(number)
    except (ValueError, OverflowError, OSError):
        raise Refused("page.key") from None


@screen.get("")
def index() -> str:
    only = request.args.get("only") if request.args.get("only") in ("missed", "new") else None
    with current_desk().database.read.begin() as session:
        page = calls.list_calls(session, current_actor(), only=only, after=_after())
    return render_template("clients/calls.html", page=page, only=only)


@screen.post("")
def add() -> Response:
    form = request.form
    with current_desk().database.write.begin() as session:
        call = calls.add_call(
            session, current_actor(), number=form.get("number", ""), direction=form.get("direction", "in"),
            result=form.get("result", "answered"), topic=form.get("topic", ""), note=form.get("note", ""),
            notice_given=form.get("notice_given") == "1",
        )  # fmt: skip
    rang()
    tell(_("The call is written down"))
    return go(url_for("calls.show", call_id=call.id))


@screen.get("/<int:call_id>")
def show(call_id: int) -> str:
    with current_desk().database.read.begin() as session:
        actor = current_actor()
        row = calls.get_call(session, actor, call_id)
        line = line_of(session, actor, row.client) if row.client is not None else None
    return render_template("clients/call.html", row=row, call=row.call, line=line)


@screen.get("/ringing")
def ringing() -> str:
    """What comes up in the corner while it rings; empty when nothing does."""
    with current_desk().database.read.begin() as session:
        actor = current_actor()
        row = calls.ringing(session, actor)
        line = line_of(session, actor, row.client) if row is not None and row.client is not None else None
    return render_template("clients/ringing.html", row=row, line=line)


@screen.post("/<int:call_id>/card")
def make_card(call_id: int) -> Response:
    form = request.form
    with current_desk().database.write.begin() as session:
        client = calls.make_card(
            session, current_actor(), call_id, name=form.get("name", ""), topic=form.get("topic", "")
        )
    rang()
    tell(_("The card is made: %(name)s", name=client.name))
    return go(url_for("clients.show", client_id=client.id))


@screen.post("/<int:call_id>/settle")
def settle(call_id: int) -> Response:
    form = request.form
    with current_desk().database.write.begin() as session:
        calls.settle_call(
            session, current_actor(), call_id, outcome=form.get("outcome", ""), topic=form.get("topic", ""),
            note=form.get("note", ""), notice_given=form.get("notice_given") == "1",
        )  # fmt: skip
    rang()
    tell(_("Saved"))
    return go(url_for("calls.index"))
