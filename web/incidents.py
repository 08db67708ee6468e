"""«Инциденты»: the list, the page of one with its cases, its end, and the closing answer to everybody in it."""

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from services.bulks import failures_of, get_bulk
from services.errors import NotFound
from services.inbox import all_ids
from services.incidents.closing import CLOSING, answer_incident, drafts_of
from services.incidents.register import (
    MOST_SHOWN,
    add_case,
    case_by_number,
    counts_of,
    end_incident,
    incident_of,
    incidents_of,
    open_by_hand,
    rename_incident,
    take_out,
    told_people,
    view_incident,
)
from services.incidents.troubles import LABELS, NAME, Trouble, save_troubles, troubles_of
from services.responsibility import all_themes
from services.routing import departments
from services.settings.history import last_change
from web.bulks import DONE
from web.filters import ids_of, read_filters
from web.forms import go
from web.language import ngettext
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.setting_saves import Answer, save_setting
from web.toasts import tell
from web.words import THEMES

screen = Blueprint("incidents", __name__, url_prefix="/incidents")


@screen.get("")
def index() -> str:
    which = "over" if request.args.get("which") == "over" else "open"
    with current_desk().database.read.begin() as session:
        lines, counts = incidents_of(session, current_actor(), which), counts_of(session)
        units = departments(session)
    return render_template(
        "incidents/index.html", lines=lines, counts=counts, which=which, units=units, themes=all_themes(),
        THEMES=THEMES,
    )  # fmt: skip


@screen.get("/<int:incident_id>")
def show(incident_id: int) -> str:
    with current_desk().database.read.begin() as session:
        view = view_incident(session, current_actor(), incident_id)
        bulk = failures = None
        if view.incident.bulk_id is not None:
            try:
                bulk = get_bulk(session, current_actor(), view.incident.bulk_id)
                failures = failures_of(session, bulk)
            except NotFound:
                pass  # somebody else tells the people: the progress is theirs
    return render_template(
        "incidents/show.html", view=view, bulk=bulk, failures=failures or [], said=DONE, THEMES=THEMES
    )


@screen.get("/of/<int:case_id>")
def of_case(case_id: int) -> Response:
    """To the incident in which a case stands; a case that was taken out opens itself."""
    with current_desk().database.read.begin() as session:
        incident = incident_of(session, case_id)
    if incident is None:
        return redirect(url_for("inbox.show", case_id=case_id))
    return redirect(url_for("incidents.show", incident_id=incident.id))


def _chosen(form: MultiDict[str, str]) -> list[int]:
    """Cases by number, by the choice in a list, or the one of the page."""
    actor = current_actor()
    with current_desk().database.read.begin() as session:
        if form.get("all") == "1":
            return all_ids(session, actor, read_filters(request.args), MOST_SHOWN)
        if form.get("numbers"):
            numbers = form["numbers"].replace(",", " ").split()
            return [case_by_number(session, actor, number).id for number in numbers[:MOST_SHOWN]]
    return ids_of(form.get("ids", ""))


@screen.post("")
def add() -> Response:
    """Opened by hand, of one case or of many."""
    form, ids = request.form, _chosen(request.form)
    theme = form.get("theme") if form.get("theme") != "-" else None
    with current_desk().database.write.begin() as session:
        incident = open_by_hand(
            session, current_actor(), ids, title=form.get("title", ""), theme=theme,
            department_id=form.get("department_id", type=whole),
        )  # fmt: skip
    return _done(incident.id)


@screen.post("/<int:incident_id>/add")
def put(incident_id: int) -> Response:
    ids = _chosen(request.form)
    with current_desk().database.write.begin() as session:
        for case_id in ids:
            add_case(session, current_actor(), incident_id, case_id)
    return _done(incident_id)


@screen.post("/<int:incident_id>/out/<int:case_id>")
def out(incident_id: int, case_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        take_out(session, current_actor(), incident_id, case_id)
    return _done(incident_id)


@screen.post("/<int:incident_id>/name")
def name(incident_id: int) -> Response:
    with current_desk().database.write.begin() as session:
        rename_incident(session, current_actor(), incident_id, request.form.get("title", ""))
    return _done(incident_id)


@screen.post("/<int:incident_id>/end")
def end(incident_id: int) -> Response:
    """Ended: what is told to everybody in it comes next."""
    with current_desk().database.write.begin() as session:
        count = end_incident(session, current_actor(), incident_id).count
    rang()
    return go(url_for("incidents.closing" if count else "incidents.show", incident_id=incident_id))


@screen.post("/<int:incident_id>/told")
def told(incident_id: int) -> Response:
    """«Сообщили людям»: the next word is due in an hour."""
    with current_desk().database.write.begin() as session:
        told_people(session, current_actor(), incident_id)
    return _done(incident_id)


@screen.get("/<int:incident_id>/answer")
def closing(incident_id: int) -> str:
    """The text as each would get it; with ``text`` another one is tried."""
    text = request.args.get("text", "").strip()[:5000]
    with current_desk().database.read.begin() as session:
        view = view_incident(session, current_actor(), incident_id)
        text = text or view.incident.closing or CLOSING
        drafts = drafts_of(session, current_actor(), incident_id, text)
    return render_template("incidents/closing.html", view=view, text=text, drafts=drafts)


@screen.post("/<int:incident_id>/answer")
def answer(incident_id: int) -> Response:
    form = request.form
    chosen = [number for number in form.getlist("case", type=whole) if number]
    texts = {number: form.get(f"text-{number}", "") for number in chosen}
    with current_desk().database.write.begin() as session:
        answer_incident(session, current_actor(), incident_id, form.get("closing", ""), texts, chosen)
    current_desk().defer("bulk")
    tell(ngettext("%(num)s answer is on its way", "%(num)s answers are on their way", len(chosen)))
    return _done(incident_id)


@screen.get("/settings")
def troubles() -> str:
    with current_desk().database.read.begin() as session:
        last = last_change(session, NAME)
        rows, units = troubles_of(session), departments(session)
    return render_template(
        "incidents/troubles.html", last=last, rows=rows, units=units, LABELS=LABELS, THEMES=THEMES
    )


@screen.post("/settings")
def save() -> Answer:
    form = request.form

    def change(session: Session) -> None:
        rows = [
            Trouble(
                one.theme, tuple(label for label in LABELS if form.get(f"{label}-{one.theme}")),
                form.get(f"enough-{one.theme}", 0, type=whole), form.get(f"minutes-{one.theme}", 0, type=whole),
                form.get(f"authors-{one.theme}", 0, type=whole), form.get(f"unit-{one.theme}") or None,
                bool(form.get(f"active-{one.theme}")),
            )
            for one in troubles_of(session)
        ]  # fmt: skip
        save_troubles(session, current_actor(), rows)

    return save_setting(NAME, change)


def _done(incident_id: int) -> Response:
    rang()
    return go(url_for("incidents.show", incident_id=incident_id))
