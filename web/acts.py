"""What people say about one sending: take it back, send it at once, again, or «it is already there»."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from models import Act
from services import outbox, replies
from web.cases import done
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.toasts import tell

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
    with current_desk().database.write.begin() as session:
        act = outbox.confirm_act(session, current_actor(), act_id, None)
    return _finish(act)
