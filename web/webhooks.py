"""Web hooks in the settings: an address with its events, its secret shown once, the log of what it was told."""

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from services import webhooks
from services.errors import DeskError
from services.settings.history import last_change
from services.settings.many import HOOK, name_of
from services.webhooks import KINDS, MOST_NAME, MOST_URL, PAGE
from web.api_words import CALL_STATES, EVENTS, HOOK_STATES, TROUBLES
from web.forms import go
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk
from web.setting_saves import Answer, save_setting
from web.toasts import tell
from web.words import explain, status_of

screen = Blueprint("webhooks", __name__, url_prefix="/settings/api/hooks")


@screen.get("/new")
def new() -> str:
    return _page(0)


@screen.post("/new")
def add() -> str | tuple[str, int]:
    desk, form = current_desk(), request.form
    try:
        with desk.database.write.begin() as session:
            hook, secret = webhooks.add_hook(
                session, current_actor(), desk.keyring, desk.wire.guard, form.get("name", ""), form.get("url", ""),
                form.getlist("event"),
            )  # fmt: skip
    except DeskError as error:
        return _page(0, problem=explain(error)), status_of(error)
    return _page(hook.id, secret=secret)


@screen.get("/<int:webhook_id>")
def show(webhook_id: int) -> str:
    return _page(webhook_id)


def _page(webhook_id: int, problem: str = "", secret: str = "") -> str:
    before = request.args.get("before", type=whole)
    with current_desk().database.read.begin() as session:
        hook = webhooks.get_hook(session, current_actor(), webhook_id) if webhook_id else None
        calls = webhooks.calls_of(session, current_actor(), webhook_id, before) if webhook_id else []
        last = last_change(session, name_of(HOOK, webhook_id)) if webhook_id else None
    return render_template(
        "webhooks/form.html", hook=hook, calls=calls, problem=problem, secret=secret, kinds=KINDS, EVENTS=EVENTS,
        HOOKS=HOOK_STATES, CALLS=CALL_STATES, TROUBLES=TROUBLES, given=request.form, longest=MOST_NAME,
        most_url=MOST_URL, page=PAGE, last=last, seen=request.form.get("seen") or (last.number if last else 0),
    )  # fmt: skip


@screen.post("/<int:webhook_id>")
def save(webhook_id: int) -> Answer:
    desk, form = current_desk(), request.form
    try:
        return save_setting(
            name_of(HOOK, webhook_id),
            lambda session: webhooks.edit_hook(
                session, current_actor(), desk.wire.guard, webhook_id, form.get("name", ""), form.get("url", ""),
                form.getlist("event"),
            ),
            to=url_for("webhooks.show", webhook_id=webhook_id),
        )  # fmt: skip
    except DeskError as error:
        if status_of(error) == 404:
            raise
        return _page(webhook_id, problem=explain(error)), status_of(error)


@screen.post("/<int:webhook_id>/secret")
def renew(webhook_id: int) -> str:
    """Shown in this one answer."""
    desk = current_desk()
    with desk.database.write.begin() as session:
        _hook, secret = webhooks.renew_secret(session, current_actor(), desk.keyring, webhook_id)
    return _page(webhook_id, secret=secret)


@screen.post("/<int:webhook_id>/<any(on, off):word>")
def switch(webhook_id: int, word: str) -> Answer:
    return save_setting(
        name_of(HOOK, webhook_id),
        lambda session: webhooks.switch_hook(session, current_actor(), webhook_id, word == "on"),
        to=url_for("webhooks.show", webhook_id=webhook_id),
        words=_("It is told from now on.") if word == "on" else _("It is told nothing any more."),
    )


@screen.post("/<int:webhook_id>/drop")
def drop(webhook_id: int) -> Answer:
    return save_setting(
        name_of(HOOK, webhook_id), lambda session: webhooks.drop_hook(session, current_actor(), webhook_id),
        final=True,
        words=_("The address is deleted. Its history brings it back, with a new secret."),
    )  # fmt: skip


@screen.post("/<int:webhook_id>/test")
def test(webhook_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        webhooks.send_test(session, current_actor(), webhook_id)
    current_desk().defer("webhooks")
    tell(_("The test is on its way: look at the log in a moment."))
    return _back(webhook_id)


@screen.post("/calls/<int:call_id>/again")
def again(call_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        call = webhooks.send_again(session, current_actor(), call_id)
    current_desk().defer("webhooks")
    tell(_("It is sent again."))
    return _back(call.webhook_id)


def _back(webhook_id: int) -> Response:
    return go(url_for("webhooks.show", webhook_id=webhook_id))
