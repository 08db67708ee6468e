"""One message of two matters, and two cases of one: words become a case of their own, cases are joined."""

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from services.errors import NotFound
from services.joining import find_case, join_cases
from services.labelling import try_text
from services.parting import join_again, split_off
from services.unjoining import joinings_of, part_cases
from web.cases import done
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.toasts import tell

screen = Blueprint("parting", __name__, url_prefix="/inbox/<int:case_id>")


@screen.post("/part")
def part(case_id: int) -> Response:
    desk, form = current_desk(), request.form
    text = form.get("text", "")
    verdict = try_text(desk.labeller.classifier, text)  # before the transaction: a model must not hold the database
    with desk.database.write.begin() as session:
        made = split_off(
            session, current_actor(), case_id, form.get("message_id", 0, type=whole), text, form["form_key"],
            verdict,
        )  # fmt: skip
        number, made_id = made.number, made.id
    rang()
    tell(_("Case %(number)s is made of these words.", number=number), "undo", seconds=8,
         undo=url_for("parting.join", case_id=made_id))  # fmt: skip
    return done(case_id, added=made_id)


@screen.post("/join")
def join(case_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        first = join_again(session, current_actor(), case_id)
        first_id = first.id
    rang()
    tell(_("Joined with the case of the whole message."))
    return done(first_id, restored=True)


@screen.post("/merge")
def merge(case_id: int) -> Response:
    """The case goes on in the one whose number was typed."""
    form, actor = request.form, current_actor()
    with current_desk().database.write.begin() as session:
        other = find_case(session, actor, form.get("number", ""))
        if other is None:
            raise NotFound("join.unknown")
        kept = join_cases(session, actor, case_id, other.id, form.get("version", type=whole))
        kept_id, number = kept.id, kept.number
        joining_id = joinings_of(session, case_id)[0][0].id
    rang()
    tell(_("Joined: all of it goes on in case %(number)s.", number=number), "undo", seconds=12,
         undo=url_for("parting.unmerge", case_id=kept_id, joining_id=joining_id))  # fmt: skip
    return done(kept_id, restored=True)


@screen.post("/merge/<int:joining_id>/undo")
def unmerge(case_id: int, joining_id: int) -> Response:
    """They are two cases again."""
    with current_desk().database.write.begin() as session:
        again = part_cases(session, current_actor(), case_id, joining_id)
        number = again.number
    rang()
    tell(_("Two cases again: %(number)s is one of its own.", number=number))
    return done(case_id, restored=True)
