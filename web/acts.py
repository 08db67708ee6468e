"""What people say about one sending: take it back, send it at once, again, or «it is already there»."""

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from models import Act
from services import approval, moderation, outbox, replies
from web.cases import done
from web.forms import overrides
from web.language import _
from web.marks import typed_link
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.toasts import tell
from web.words import ACT_KINDS

screen = Blueprint("acts", __name__, url_prefix="/acts/<int:act_id>")


def _finish(act: Act) -> Response:
    rang(outbox=True)
    return done(act.case_id or 0)


@screen.post("/take-back")
def take_back(act_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        reply = replies.take_back(session, current_actor(), act_id)
    rang(outbox=True)
    tell(_("Not sent. The text is back in the draft.") if reply else _("Not sent."))
    case_id = reply.case_id if reply else request.form.get("case_id", 0, type=whole)
    return done(case_id, restored=reply is not None)


@screen.post("/edit")
def edit(act_id: int) -> Response:
    """Our own reply gets another text where it stands."""
    return _change(act_id, request.form.get("text", ""), _("The reply is being edited"))


@screen.post("/remove")
def remove(act_id: int) -> Response:
    return _change(act_id, None, _("The reply is being removed from the platform"))


def _change(act_id: int, text: str | None, said: str) -> Response:
    seconds = current_desk().config.desk.undo_seconds
    with current_desk().database.write.begin() as session:
        act = replies.change_published(
            session,
            current_actor(),
            act_id,
            request.form["form_key"],
            text=text,
            undo_seconds=seconds,
            overrides=overrides(),
        )
    back, now = url_for("acts.take_back", act_id=act.id), url_for("acts.send_now", act_id=act.id)
    tell(said, "undo", undo=back, now=now, seconds=seconds) if seconds > 0 else tell(said)
    return _finish(act)


@screen.post("/moderate-back/<string:was>")
def moderate_back(act_id: int, was: str) -> Response:
    """The message is to stand as it ``was`` before this act."""
    with current_desk().database.write.begin() as session:
        act = moderation.moderate_back(session, current_actor(), act_id, was)
    again = _("%(act)s: being sent to the platform", act=ACT_KINDS[act.kind])
    tell(_("Taken back.") if act.id == act_id else again)
    return _finish(act)


@screen.post("/approve")
def approve(act_id: int) -> Response:
    form = request.form
    with current_desk().database.write.begin() as session:
        reply = approval.approve(
            session, current_actor(), act_id, form.get("text"), form.get("version", type=whole), overrides()
        )
    rang(outbox=True)
    tell(_("Agreed: the reply goes out"))
    return done(reply.case_id)


@screen.post("/reject")
def reject(act_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        reply = approval.reject(session, current_actor(), act_id, request.form.get("note", ""))
    rang()
    tell(_("Sent back with your note"))
    return done(reply.case_id)


@screen.post("/now")
def send_now(act_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        act = outbox.send_now(session, current_actor(), act_id)
    return _finish(act)


@screen.post("/retry")
def retry(act_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        act = outbox.retry_act(session, current_actor(), act_id)
    tell(_("Being sent again"))
    return _finish(act)


@screen.post("/confirm")
def confirm(act_id: int) -> Response:
    link = typed_link(request.form.get("url"))
    with current_desk().database.write.begin() as session:
        act = outbox.confirm_act(session, current_actor(), act_id, link)
    return _finish(act)
