"""What the composer asks while one writes: the linter's findings, saved replies, the holding reply."""

from flask import Blueprint, Response, jsonify, render_template, request

from models import Source
from services import saved_replies
from services.cases import get_case, message_answered
from services.crm.asked import client_of_case, given_by, promises_not_followed
from services.holding import holding_reply
from services.lint import Place, habits_of, lint
from web.numbers import whole
from web.security import current_actor, current_desk
from web.words import LINT

screen = Blueprint("composing", __name__, url_prefix="/inbox/<int:case_id>/compose")


@screen.post("/lint")
def findings(case_id: int) -> str:
    """What stands under the text: three rules with a field for the reason, the rest one grey line."""
    text = request.form.get("text", "")
    with current_desk().database.read.begin() as session:
        case = get_case(session, current_actor(), case_id)
        message = message_answered(session, case, request.form.get("message_id", type=whole))
        source = session.get_one(Source, message.source_id if message else case.source_id)
        is_public, asked = (message or case).visibility == "public", message.text if message else ""
        place = Place(is_public, source.platform, asked, given=given_by(session, case))
        found = lint(text, place, habits_of(session))
        client = client_of_case(session, case)
        promises = promises_not_followed(session, case, text) if current_actor().may("client.edit") else []
    said = {finding.rule: text[finding.start : finding.end] for finding in reversed(found)}
    return render_template(
        "inbox/lint.html", found=found, said=said, LINT=LINT, promises=promises, case_id=case_id, client=client
    )


@screen.get("/saved")
def pick(case_id: int) -> str:
    """The saved replies that fit the words typed."""
    with current_desk().database.read.begin() as session:
        rows = saved_replies.saved_replies(session, current_actor(), request.args.get("q", ""), limit=20)
    return render_template("inbox/saved.html", rows=rows, case_id=case_id)


@screen.post("/saved/<int:saved_id>")
def use(case_id: int, saved_id: int) -> Response:
    """The text filled for this case, and the names of what is not known."""
    with current_desk().database.write.begin() as session:
        filled = saved_replies.fill(session, current_actor(), saved_id, case_id)
        saved_replies.count_use(session, current_actor(), saved_id)
    return jsonify(text=filled.text, missing=filled.missing)


@screen.get("/holding")
def holding(case_id: int) -> Response:
    """«Взяли в работу, вернёмся до …», the day by the department's clock or the desk's own."""
    desk = current_desk()
    with desk.database.read.begin() as session:
        case = get_case(session, current_actor(), case_id)
        found = holding_reply(session, desk.config.desk.time_zone, case)
    return jsonify(text=found.text, until=found.until.isoformat())
