"""Following a case from its head, and leaving it."""

from flask import Blueprint
from werkzeug.wrappers import Response

from services.following import follow, unfollow
from web.cases import done
from web.language import _
from web.security import current_actor, current_desk, rang
from web.toasts import tell

screen = Blueprint("following", __name__, url_prefix="/inbox/<int:case_id>/follow")


@screen.post("")
def begin(case_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        follow(session, current_actor(), case_id)
    rang()
    tell(_("You will be told of what happens here"))
    return done(case_id)


@screen.post("/end")
def end(case_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        unfollow(session, current_actor(), case_id)
    rang()
    return done(case_id)
