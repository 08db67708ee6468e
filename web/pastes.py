"""By hand: a text pasted from a place that no program may read, and an answer that was put there by a person."""

from dataclasses import asdict

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from collectors.manual import Pasted, read_paste
from services.by_hand import Published, bring_message, is_by_hand, mark_published, places_by_hand
from services.errors import DeskError
from services.replies import AFTERWARDS
from web.cases import done
from web.dates import local_input, typed_time
from web.forms import go, overrides
from web.language import _
from web.numbers import whole
from web.place_words import why_not
from web.security import current_actor, current_desk, is_htmx, rang
from web.toasts import tell
from web.words import explain, status_of

screen = Blueprint("pastes", __name__)


@screen.app_context_processor
def _names() -> dict[str, object]:
    return {"local_input": local_input, "is_by_hand": is_by_hand, "why_not": why_not}


@screen.get("/places/paste")
def form() -> str:
    """An empty form; what a phone shares stands in it already."""
    shared = "\n".join(filter(None, (request.args.get(name, "") for name in ("title", "text", "url"))))
    return _show(asdict(read_paste(shared)) if shared else {}, request.args.get("source", type=whole))


@screen.post("/places/paste/read")
def read() -> str:
    """The fields that one paste fills in; a person looks at them before anything is kept."""
    return _show(asdict(read_paste(request.form.get("pasted", ""))), request.form.get("source", type=whole))


@screen.post("/places/paste")
def add() -> AnyResponse | tuple[str, int]:
    desk, source_id = current_desk(), request.form.get("source", type=whole) or 0
    pasted = _sent()
    try:
        with desk.database.write.begin() as session:
            message = bring_message(session, current_actor(), source_id, pasted)
            case_id = message.case_id
    except DeskError as error:
        return _show(asdict(pasted), source_id, explain(error)), status_of(error)
    rang()
    desk.defer("label")
    tell(_("Brought in. It stands in the inbox."))
    return go(url_for("inbox.show", case_id=case_id) if case_id else url_for("inbox.index"))


def _sent() -> Pasted:
    given = request.form
    at = typed_time(given["at"]) if given.get("at") else None
    return Pasted(
        given.get("text", ""), given.get("author", ""), given.get("url", ""), at, private=bool(given.get("private"))
    )  # fmt: skip


def _show(values: dict[str, object], source_id: int | None, problem: str = "") -> str:
    with current_desk().database.read.begin() as session:
        places = places_by_hand(session, current_actor())
    template = "pastes/form.html" if is_htmx() else "pastes/index.html"
    return render_template(template, places=places, given=values, chosen=source_id, problem=problem)


@screen.post("/inbox/<int:case_id>/published")
def published(case_id: int) -> AnyResponse:
    """«Отмечено как опубликовано», with the link to where it stands."""
    given = request.form
    then = given.get("then", "solve")
    said = Published(
        url=given.get("url", ""), then=then if then in AFTERWARDS else "solve", overrides=overrides(),
        version=given.get("version", type=whole), message_id=given.get("message_id", type=whole),
    )  # fmt: skip
    with current_desk().database.write.begin() as session:
        mark_published(session, current_actor(), case_id, given.get("text", ""), given["form_key"], said)
    rang()
    tell(_("Marked as published."))
    return done(case_id, sent=True)
