"""«Разбор ответов»: one drawn answer at a time for the head, who was read, the criteria; «Мои разборы» for each."""

from datetime import date

from flask import Blueprint, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from models import Review
from services import reviews
from services.criteria import MARKS, NAME, criteria_of, in_use, save_criteria
from services.errors import Refused
from services.satisfaction import of_case
from services.settings.history import last_change
from web.forms import go
from web.numbers import whole
from web.review_words import STATES
from web.security import current_actor, current_desk, rang
from web.setting_saves import Answer, save_setting

screen = Blueprint("reviews", __name__, url_prefix="/reviews")


@screen.get("")
def index() -> str:
    """The next answer to be read; ``after``: the one beyond that."""
    with current_desk().database.read.begin() as session:
        row = reviews.next_review(session, current_actor(), request.args.get("after", type=whole))
        return _page(session, row)


@screen.get("/<int:review_id>")
def show(review_id: int) -> str:
    with current_desk().database.read.begin() as session:
        return _page(session, reviews.get_review(session, current_actor(), review_id))


def _page(session: Session, row: Review | None) -> str:
    actor = current_actor()
    page = reviews.page_of(session, actor, row.id) if row is not None else None
    asked = of_case(session, page.case.id) if page is not None else None
    return render_template(
        "reviews/read.html", page=page, progress=reviews.progress(session, actor), criteria=in_use(session),
        all_criteria=criteria_of(session), MARKS=MARKS, STATES=STATES, asked=asked,
        weeks=reviews.weeks(session),
    )  # fmt: skip


@screen.post("/<int:review_id>")
def mark(review_id: int) -> Response:
    form = request.form
    with current_desk().database.write.begin() as session:
        marks = _marks(form, [one.number for one in in_use(session)])
        was = "read" if form.get("was") == "read" else "drawn"
        reviews.mark_answer(session, current_actor(), review_id, marks, form.get("note", ""), was=was)
    rang()
    return go(url_for("reviews.index", after=review_id))


def _marks(form: MultiDict[str, str], numbers: list[int]) -> dict[int, int | None]:
    """What was chosen; «не относится» comes as 0, and a criterion without a choice is left out."""
    given = {number: form.get(f"mark-{number}", type=whole) for number in numbers}
    return {number: value or None for number, value in given.items() if value is not None}


@screen.post("/<int:review_id>/skip")
def skip(review_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        reviews.skip_answer(session, current_actor(), review_id, request.form.get("reason", ""))
    rang()
    return go(url_for("reviews.index", after=review_id))


@screen.get("/week")
def week() -> str:
    """«Кто разобран»: the people of a week and each answer that was drawn."""
    with current_desk().database.read.begin() as session:
        known = reviews.weeks(session)
        chosen = _day(request.args.get("of", "")) or (known[0] if known else None)
        rows = reviews.reviews_of_week(session, current_actor(), chosen) if chosen else []
        pages = [reviews.page_of(session, current_actor(), row.id) for row in rows]
        lines = reviews.lines_of(session, rows)
    return render_template(
        "reviews/week.html", weeks=known, week=chosen, lines=lines, pages=pages, STATES=STATES
    )  # fmt: skip


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None


@screen.get("/mine")
def mine() -> str:
    with current_desk().database.read.begin() as session:
        rows = reviews.own_reviews(session, current_actor())
        pages = [reviews.page_of(session, current_actor(), row.id) for row in rows]
        lines, criteria = reviews.lines_of(session, rows), criteria_of(session)
    return render_template("reviews/mine.html", pages=pages, line=lines[0] if lines else None, criteria=criteria)


@screen.get("/criteria")
def criteria() -> str:
    with current_desk().database.read.begin() as session:
        last, rows = last_change(session, NAME), criteria_of(session)
    return render_template("reviews/criteria.html", last=last, rows=rows)


@screen.post("/criteria")
def save() -> Answer:
    form = request.form
    pairs = list(zip(form.getlist("number"), form.getlist("title"), strict=False))
    if not all(number.isdecimal() or not number for number, _title in pairs):
        raise Refused("criterion.title")
    rows = [
        (int(number) if number else None, title, not number or f"active-{number}" in form)
        for number, title in pairs
        if number or title.strip()
    ]
    return save_setting(NAME, lambda session: save_criteria(session, current_actor(), rows))
