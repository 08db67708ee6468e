"""«Исходящие»: what is not yet proven to stand on the platform, and what a person may say about it."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from services import outbox, replies
from services.outgoing import gone_after_retry, outgoing_rows
from web.language import _
from web.marks import typed_link
from web.outbox_words import ACTIONS
from web.security import current_actor, current_desk, is_htmx, rang
from web.toasts import tell

screen = Blueprint("outbox", __name__, url_prefix="/outgoing")


@screen.get("")
def index() -> str:
    return _page("outbox/list.html" if is_htmx() else "outbox/index.html")


def _page(template: str) -> str:
    with current_desk().database.read.begin() as session:
        rows = outgoing_rows(session, current_actor())
        gone = gone_after_retry(session, current_actor())
    return render_template(template, rows=rows, gone=gone, ACTIONS=ACTIONS)


def _done(text: str) -> Response | str:
    """The list as it is now, in place of the one that was pressed in."""
    rang(outbox=True)
    tell(text)
    return _page("outbox/list.html") if is_htmx() else redirect(url_for("outbox.index"))


@screen.post("/<int:act_id>/retry")
def retry(act_id: int) -> Response | str:
    with current_desk().database.write.begin() as session:
        outbox.retry_act(session, current_actor(), act_id)
    return _done(_("Being sent again"))


@screen.post("/<int:act_id>/now")
def send_now(act_id: int) -> Response | str:
    with current_desk().database.write.begin() as session:
        outbox.send_now(session, current_actor(), act_id)
    return _done(_("Being sent"))


@screen.post("/<int:act_id>/cancel")
def cancel(act_id: int) -> Response | str:
    with current_desk().database.write.begin() as session:
        reply = replies.take_back(session, current_actor(), act_id)
    return _done(_("Not sent. The text is back in the draft.") if reply else _("Not sent."))


@screen.post("/<int:act_id>/confirm")
def confirm(act_id: int) -> Response | str:
    link = typed_link(request.form.get("url"))
    with current_desk().database.write.begin() as session:
        outbox.confirm_act(session, current_actor(), act_id, link)
    return _done(_("Marked as published"))
