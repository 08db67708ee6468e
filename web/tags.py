"""Marks on a case: put on and taken off from the case's head."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from services.tags import put_tag, take_tag
from web.cases import done
from web.security import current_actor, current_desk, rang

screen = Blueprint("tags", __name__, url_prefix="/inbox/<int:case_id>/tags")


@screen.post("")
def put(case_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        put_tag(session, current_actor(), case_id, request.form.get("name", ""))
    rang()
    return done(case_id)


@screen.post("/<int:tag_id>/remove")
def take(case_id: int, tag_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        take_tag(session, current_actor(), case_id, tag_id)
    rang()
    return done(case_id)
