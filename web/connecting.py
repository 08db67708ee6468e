"""«Подключить»: to the platform's own consent, and back with what it gave."""

from collections.abc import Mapping

from flask import Blueprint, Response, current_app, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from collectors.base import ChannelError
from collectors.wire import Wire
from services import access, connections
from services.errors import DeskError
from web.forms import go
from web.language import _
from web.numbers import whole
from web.place_words import field_names
from web.security import current_actor, current_desk, is_htmx, rang
from web.toasts import tell
from web.words import CHANNEL_ERRORS, explain

screen = Blueprint("connecting", __name__, url_prefix="/places")


def return_address() -> str:
    """Where a platform sends the browser back to: what is entered in the application's settings there."""
    outside = current_desk().config.web.public_url or request.host_url
    return outside.rstrip("/") + url_for("connecting.back")


def wire_to(platform: str) -> Wire:
    desk = current_desk()
    return Wire(desk.wire.guard, desk.config.network.proxies.get(platform), desk.wire.read_timeout)


@screen.app_context_processor
def _names() -> dict[str, object]:
    return {"return_address": return_address, "needs_of": access.needs_of, "ends_soon": access.ends_soon}


@screen.post("/connect/<platform>")
def begin(platform: str) -> AnyResponse:
    """What was typed is kept sealed; the browser goes to the platform."""
    desk, values = current_desk(), connections.read_form(platform, request.form)
    try:
        with desk.database.write.begin() as session:
            address = access.begin_access(
                session, current_actor(), desk.keyring, wire_to(platform), platform=platform, values=values,
                source_id=request.form.get("source_id", type=whole), title=request.form.get("title", "").strip(),
                redirect=return_address(), depth=request.form.get("depth", ""),
            )  # fmt: skip
    except DeskError as error:
        return _refused(explain(error) + _missing(error.data))
    except ChannelError as error:
        return _refused(str(CHANNEL_ERRORS.get(error.code, error.code)))
    if is_htmx():
        return Response(status=204, headers={"HX-Redirect": address})
    # A form may lead to this desk alone (form-action of the policy): without scripts a link goes further.
    return current_app.make_response(render_template("sources/leave.html", address=address))


def _missing(data: Mapping[str, object]) -> str:
    fields = data.get("fields")
    return f" {', '.join(field_names(fields))}" if isinstance(fields, list) else ""


def _refused(words: str) -> AnyResponse:
    tell(words, "problem")
    if is_htmx():
        return Response(status=422, headers={"HX-Reswap": "none"})
    return go(request.referrer or url_for("sources.choose"))


@screen.get("/connected")
def back() -> AnyResponse:
    """The platform's answer; a state that is not ours changes nothing."""
    desk, answer = current_desk(), request.args.to_dict()
    try:
        source_id = access.run_come_back(
            desk.database, desk.keyring, wire_to, current_actor(), answer.pop("state", ""), request.args.to_dict()
        )
    except ChannelError as error:
        tell(_("Not connected: %(why)s", why=CHANNEL_ERRORS.get(error.code, error.code)), "problem")
        return go(url_for("sources.index"))
    except DeskError as error:
        tell(explain(error), "problem")
        return go(url_for("sources.index"))
    rang()
    desk.defer("collect")
    tell(_("Connected. Reading begins at once."))
    return go(url_for("sources.edit", source_id=source_id, checked=1))
