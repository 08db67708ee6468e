"""The report of one broadcast: as a page, as a PDF, and handed in."""

from flask import Response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from models import Staff, utc_now
from services.broadcasts import figures, incidents, schedule
from web.broadcasts.forms import screen
from web.broadcasts.paper import draw_report
from web.forms import go
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.toasts import tell


@screen.get("/<int:broadcast_id>/report")
def report(broadcast_id: int) -> str:
    with current_desk().database.read.begin() as session:
        row = schedule.get_broadcast(session, current_actor(), broadcast_id)
        people = {one.id: one.name for one in session.query(Staff)}
        shown = {
            "figures": figures.shown_figures(session, row), "asked": figures.asked_of(session, row.id),
            "incidents": incidents.incidents_of(session, row.id), "checks": schedule.checks_of(session, row.id),
            "late": figures.is_due(row, utc_now()), "people": people,
        }  # fmt: skip
    return render_template("broadcasts/report.html", broadcast=row, **shown)


@screen.post("/<int:broadcast_id>/report")
def save_report(broadcast_id: int) -> AnyResponse:
    form, actor = request.form, current_actor()
    viewers = form.get("viewers", type=whole)
    with current_desk().database.write.begin() as session:
        if form.get("do") == "hand_in":
            version = form.get("version", 0, type=whole)
            figures.hand_in(session, actor, broadcast_id, form.get("note", ""), viewers, version)
            word = _("The report is handed in; its figures stay as they are.")
        else:
            figures.save_words(session, actor, broadcast_id, form.get("note", ""), viewers)
            word = _("Saved.")
    rang()
    tell(word)
    return go(url_for("broadcasts.report", broadcast_id=broadcast_id))


@screen.get("/<int:broadcast_id>/report.pdf")
def report_pdf(broadcast_id: int) -> Response:
    with current_desk().database.read.begin() as session:
        row = schedule.get_broadcast(session, current_actor(), broadcast_id)
        people = {one.id: one.name for one in session.query(Staff)}
        given = (
            figures.shown_figures(session, row), figures.asked_of(session, row.id),
            incidents.incidents_of(session, row.id), schedule.checks_of(session, row.id), people,
        )  # fmt: skip
    response = Response(draw_report(row, *given), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="broadcast-{broadcast_id}.pdf"'
    return response
