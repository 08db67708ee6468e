"""The page behind the link under an answer: looking at it records nothing, one press does; and its setting."""

from flask import Blueprint, abort, render_template, request

from models import Satisfaction
from services.errors import DeskError, NotFound
from services.satisfaction import (
    CHANGEABLE,
    LONGEST_COMMENT,
    LONGEST_LINE,
    MARKS,
    NAME,
    asking_of,
    find_asked,
    give_mark,
    is_open,
    line_of,
    save_asking,
)
from services.settings.history import last_change
from web import review_words
from web.numbers import whole
from web.security import current_actor, current_desk, current_staff, rang
from web.setting_saves import Answer, save_setting
from web.throttle import Throttle
from web.words import explain, status_of

screen = Blueprint("satisfaction", __name__)
GUESSES = Throttle(30, 600)


def _asked(token: str) -> Satisfaction:
    """The row of the address; 404 for what was never given out, 429 for who guesses."""
    visitor = request.remote_addr or ""
    if GUESSES.is_over(visitor):
        abort(429)
    try:
        with current_desk().database.read.begin() as session:
            return find_asked(session, token)
    except NotFound:
        GUESSES.miss(visitor)
        abort(404)


@screen.get("/o/<token>")
@screen.get("/o/<token>/<int:mark>")
def show(token: str, mark: int | None = None) -> str:
    """Programs that look into letters open links too: a mark in the address is only chosen, never given."""
    row = _asked(token)
    return _page(token, row, mark if mark in MARKS else row.mark)


@screen.post("/o/<token>")
def give(token: str) -> str | tuple[str, int]:
    row, form = _asked(token), request.form
    if _is_ours():
        abort(403)
    mark = form.get("mark", type=whole)
    try:
        with current_desk().database.write.begin() as session:
            row = give_mark(session, token, mark, form.get("comment", ""))
    except DeskError as error:
        return _page(token, row, mark, problem=explain(error)), status_of(error)
    rang()
    return _page(token, row, row.mark, done=True)


def _page(token: str, row: Satisfaction, chosen: int | None, *, done: bool = False, problem: str = "") -> str:
    return render_template(
        "satisfaction/show.html", token=token, row=row, chosen=chosen, done=done, problem=problem, MARKS=MARKS,
        is_open=is_open(row), ours=_is_ours(), until=(row.marked_at + CHANGEABLE) if row.marked_at else None,
        said=review_words.MARKS, most=LONGEST_COMMENT,
    )  # fmt: skip


def _is_ours() -> bool:
    """Nobody of the school marks in an author's place; in the training school everything may be tried."""
    return current_staff() is not None and not current_desk().is_training


@screen.get("/settings/satisfaction")
def settings() -> str:
    with current_desk().database.read.begin() as session:
        last, asking = last_change(session, NAME), asking_of(session)
    address = current_desk().address
    shown = {kind: line_of(asking, kind, "…").strip() for kind in ("telegram", "mail")} if address else {}
    return render_template(
        "satisfaction/settings.html", last=last, asking=asking, address=address, shown=shown, most=LONGEST_LINE
    )  # fmt: skip


@screen.post("/settings/satisfaction")
def save() -> Answer:
    form, address = request.form, current_desk().address
    return save_setting(NAME, lambda session: save_asking(
        session, current_actor(), mail="mail" in form, messages="messages" in form, text=form.get("text", ""),
        address=address,
    ))  # fmt: skip
