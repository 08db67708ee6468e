"""«Поиск»: the whole history by words, with filters in words; and the table of synonyms."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from services.search import SYNONYMS, Found, cases_by_number, find, set_synonyms, synonyms
from services.settings.history import last_change
from services.sources import list_sources
from web.security import current_actor, current_desk, is_htmx
from web.setting_saves import Answer, save_setting

screen = Blueprint("search", __name__, url_prefix="/search")


@screen.get("")
def index() -> Response | str:
    """Hits of ``q``; a whole number of a case leads to it at once."""
    typed, best = request.args.get("q", "").strip(), request.args.get("by") == "best"
    after, exactly = request.args.get("after"), request.args.get("exactly") == "1"
    desk = current_desk()
    with desk.database.read.begin() as session:
        numbered = cases_by_number(session, current_actor(), typed) if not after else []
        if len(numbered) == 1 and numbered[0].case.number == typed.upper():
            return redirect(url_for("inbox.show", case_id=numbered[0].case.id))
        found = find(session, current_actor(), typed, zone=desk.config.desk.time_zone, after=after, best=best,
                     exactly=exactly)  # fmt: skip
        sources = {source.id: source for source in list_sources(session, current_actor())}
    page = "search/groups.html" if is_htmx() and after else "search/index.html"
    return render_template(page, typed=typed, best=best, exactly=exactly, found=found, numbered=numbered,
                           sources=sources, shown=_query_of(found, typed))  # fmt: skip


def _query_of(found: Found, typed: str) -> str:
    """What the shown hits answer: the words typed, or the corrected ones."""
    return found.guess if found.is_guessed and found.guess else typed


@screen.get("/synonyms")
def words() -> str:
    with current_desk().database.read.begin() as session:
        last = last_change(session, SYNONYMS)
        lines = "\n".join(", ".join(group) for group in synonyms(session))
    return render_template("search/synonyms.html", last=last, lines=lines)


@screen.post("/synonyms")
def save_words() -> Answer:
    lines = request.form.get("lines", "")
    return save_setting(SYNONYMS, lambda session: set_synonyms(session, current_actor(), lines))
