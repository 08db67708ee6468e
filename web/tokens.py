"""«API и веб-хуки»: what programs may do here and which addresses are told, for the administrator."""

from flask import Blueprint, render_template, request, url_for

from models import utc_now
from services.api_keys import all_keys
from services.webhooks import dropped_hooks, list_hooks
from web.api_words import CALL_STATES, HOOK_STATES, SCOPES
from web.security import current_actor, current_desk

screen = Blueprint("tokens", __name__, url_prefix="/settings/api")


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        keys = all_keys(session, current_actor())
        hooks = list_hooks(session, current_actor())
        dropped = dropped_hooks(session, current_actor())
    address = (current_desk().address or request.host_url).rstrip("/")
    return render_template(
        "tokens/index.html", keys=keys, names=SCOPES, document=address + url_for("api.document"), now=utc_now(),
        hooks=hooks, dropped=dropped, STATES=HOOK_STATES, CALLS=CALL_STATES,
    )  # fmt: skip
