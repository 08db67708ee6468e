"""«Мы уже отвечали» above the composer: asked for once the case is painted, so that nobody waits for it."""

from flask import Blueprint, render_template

from services.answered import past_answers
from web.security import current_actor, current_desk

screen = Blueprint("answered", __name__, url_prefix="/inbox/<int:case_id>/answered")


@screen.get("")
def index(case_id: int) -> str:
    with current_desk().database.read.begin() as session:
        found = past_answers(session, current_actor(), case_id)
    return render_template("inbox/answered.html", found=found, case_id=case_id)
