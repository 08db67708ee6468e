"""What people press on the desk of a broadcast; each answers with the column as it stands after it."""

from flask import request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from services.broadcasts import airing, incidents, questions, schedule, tapes
from services.broadcasts.stream import read_second, second_now
from services.errors import Refused
from web.broadcasts.desk import render_column
from web.broadcasts.forms import screen
from web.forms import go
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk, is_htmx, rang
from web.toasts import tell

MOST_TEXT = 4000


def _shown(broadcast_id: int) -> str | AnyResponse:
    """The column where the page asks for it, the whole desk for a plain form."""
    return render_column(broadcast_id) if is_htmx() else go(url_for("broadcasts.desk", broadcast_id=broadcast_id))


@screen.post("/question/<int:question_id>/<act>")
def press(question_id: int, act: str) -> str | AnyResponse:
    """``act``: aloud · chat · ask · hide · merge · dismiss · back · hold · release."""
    form, actor = request.form, current_actor()
    with current_desk().database.write.begin() as session:
        if act == "aloud":
            row = questions.get_question(session, actor, question_id)
            at = form.get("at", "").strip()
            broadcast = schedule.get_broadcast(session, actor, row.broadcast_id)
            second = read_second(at) if at else second_now(session, broadcast)
            questions.answer_aloud(session, actor, question_id, second)
        elif act == "chat":
            questions.answer_in_chat(session, actor, question_id, form.get("text", "")[:MOST_TEXT])
        elif act == "ask":
            unit = form.get("department_id", 0, type=whole)
            questions.ask(session, actor, question_id, unit, form.get("text", "")[:MOST_TEXT])
        elif act == "merge":
            questions.merge(session, actor, question_id, form.get("into", 0, type=whole))
        elif act == "dismiss":
            questions.dismiss(session, actor, question_id, form.get("reason", ""))
        else:
            _press_plain(session, act, question_id)
        broadcast_id = questions.get_question(session, actor, question_id).broadcast_id
    rang(outbox=act in ("chat", "hide"))
    return _shown(broadcast_id)


def _press_plain(session: Session, act: str, question_id: int) -> None:
    plain = {
        "hide": questions.hide, "back": questions.put_back, "hold": questions.hold, "release": questions.release,
    }  # fmt: skip
    if act not in plain:
        raise Refused("question.state")
    plain[act](session, current_actor(), question_id)


@screen.post("/message/<int:message_id>/lift")
def lift(message_id: int) -> str | AnyResponse:
    with current_desk().database.write.begin() as session:
        broadcast_id = questions.lift(session, current_actor(), message_id).broadcast_id
    rang()
    return _shown(broadcast_id)


@screen.post("/<int:broadcast_id>/air")
def switch(broadcast_id: int) -> str | AnyResponse:
    with current_desk().database.write.begin() as session:
        airing.switch(session, current_actor(), broadcast_id, request.form.get("to", ""))
    rang()
    current_desk().defer("broadcasts")
    return _shown(broadcast_id)


@screen.post("/<int:broadcast_id>/check/<code>")
def check(broadcast_id: int, code: str) -> str | AnyResponse:
    passed = request.form.get("passed") == "1"
    with current_desk().database.write.begin() as session:
        schedule.tick(session, current_actor(), broadcast_id, code, passed)
    rang()
    return _shown(broadcast_id)


@screen.post("/<int:broadcast_id>/trouble/<kind>")
def trouble(broadcast_id: int, kind: str) -> str | AnyResponse:
    with current_desk().database.write.begin() as session:
        incidents.report_trouble(session, current_actor(), broadcast_id, kind)
    rang()
    tell(_("The technical department has been told."))
    return _shown(broadcast_id)


@screen.post("/incident/<int:incident_id>/<to>")
def incident(incident_id: int, to: str) -> str | AnyResponse:
    with current_desk().database.write.begin() as session:
        cause = request.form.get("cause", "")[:500]
        broadcast_id = incidents.change_incident(session, current_actor(), incident_id, to, cause).broadcast_id
    rang()
    return _shown(broadcast_id)


@screen.post("/<int:broadcast_id>/tape")
def add_tape(broadcast_id: int) -> AnyResponse:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Refused("tape.empty")
    with current_desk().database.write.begin() as session:
        tape = tapes.add_tape(session, current_actor(), broadcast_id, file.filename, file.read())
        count = tape.count
    rang()
    tell(_("Messages in the recording: %(count)s. Press «Play».", count=count))
    return go(url_for("broadcasts.desk", broadcast_id=broadcast_id))


@screen.post("/tape/<int:tape_id>/play")
def play(tape_id: int) -> str | AnyResponse:
    with current_desk().database.write.begin() as session:
        speed = request.form.get("speed", 1, type=whole)
        broadcast_id = tapes.play(session, current_actor(), tape_id, speed).broadcast_id
    rang()
    current_desk().defer("air")
    return _shown(broadcast_id)


@screen.post("/tape/<int:tape_id>/pause")
def pause(tape_id: int) -> str | AnyResponse:
    with current_desk().database.write.begin() as session:
        broadcast_id = tapes.pause(session, current_actor(), tape_id).broadcast_id
    rang()
    return _shown(broadcast_id)
