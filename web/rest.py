"""«Остальное» and spam: messages without a case, to read, to lift or to correct."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from services.cases import lift_message
from services.counters import counters
from services.inbox import PAGE, Entry, rest_page
from services.labelling import correct_label
from services.reading import mark_read
from services.sources import list_sources
from web.filters import read_filters
from web.inbox import is_arriving
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk, is_htmx, rang
from web.toasts import tell, trigger
from web.words import LABELS

screen = Blueprint("rest", __name__, url_prefix="/rest")


def _work() -> str:
    return "spam" if request.values.get("work") == "spam" else "rest"


@screen.get("")
def index() -> str:
    before = request.args.get("before", type=whole)
    with current_desk().database.read.begin() as session:
        entries = rest_page(session, current_actor(), _work(), before)
        numbers = counters(session, current_actor(), arriving=is_arriving()) if before is None else {}
        sources = {source.id: source for source in list_sources(session, current_actor())}
    template = "inbox/rest_rows.html" if is_htmx() and before is not None else "inbox/rest.html"
    return render_template(template, entries=entries, numbers=numbers, work=_work(), more=_more(entries),
                           filters=read_filters({}), sources=sources)  # fmt: skip


def _more(entries: list[Entry]) -> int | None:
    return entries[-1].message.id if len(entries) == PAGE else None


@screen.post("/read")
def read() -> AnyResponse:
    """One message, or all that stand on the page."""
    ids = [int(value) for value in request.form.getlist("message_id") if value.isdecimal() and len(value) < 19]
    with current_desk().database.write.begin() as session:
        mark_read(session, current_actor(), ids)
    rang()
    return _done(read=ids)


@screen.post("/<int:message_id>/lift")
def lift(message_id: int) -> AnyResponse:
    with current_desk().database.write.begin() as session:
        case = lift_message(session, current_actor(), message_id)
    rang()
    tell(_("Case %(number)s is opened", number=case.number))
    return _done(gone=message_id, case=url_for("inbox.show", case_id=case.id))


@screen.post("/<int:message_id>/label")
def label(message_id: int) -> AnyResponse:
    chosen = request.form.get("label", "")
    with current_desk().database.write.begin() as session:
        correct_label(session, current_actor(), message_id, chosen)
    rang()
    tell(_("Kind: %(kind)s. Remembered for training.", kind=LABELS[chosen]))
    return _done(labelled=message_id)


def _done(**detail: object) -> AnyResponse:
    if not is_htmx():
        return redirect(url_for("rest.index", work=_work()))
    trigger("rest", **detail)
    return Response(status=204)
