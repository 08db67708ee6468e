"""«Отчёты»: the report on answers first, and from every figure to the cases that yield it."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request, url_for

from models import utc_now
from services.criteria import criteria_of
from services.reports.answers import answers_report
from services.reports.cohorts import OF_NOW
from services.reports.cut import NONE, UNSURE
from services.reports.lists import list_page
from services.reports.upkeep import is_rebuilding
from services.workload import loads
from web import report_figures, report_words
from web.charts import answers_chart
from web.marks import safe_link
from web.numbers import whole
from web.report_crumbs import crumb
from web.report_filters import asked_cut, cell_address, choices, filter_words, list_address, period_of, query_of
from web.review_words import list_title
from web.security import current_actor, current_desk

screen = Blueprint("reports", __name__, url_prefix="/reports")


@screen.app_context_processor
def _names() -> dict[str, object]:
    return {
        "said": report_words, "cut_query": query_of, "figures": report_figures, "place_address": place_address,
        "list_address": list_address, "cell_address": cell_address,
    }  # fmt: skip


PAGES: Mapping[str, tuple[str, str, str]] = {
    "contract": ("contracts.page", "contract_id", "contract.view"), "case": ("inbox.show", "case_id", "case.view"),
    "deal": ("deals.show", "deal_id", "deal.view"), "call": ("calls.show", "call_id", "client.view"),
    "client": ("clients.show", "client_id", "client.view"),
    "incident": ("incidents.show", "incident_id", "case.view"),
    "broadcast": ("broadcasts.report", "broadcast_id", "broadcast.view"),
    "checks": ("visits.index", "", "visit.view"),
}  # fmt: skip
"""What stands behind a row → its page, what it is asked for by, and who may."""


def place_address(place: tuple[str, int]) -> str:
    """The page behind a row; "" for whoever may not see it."""
    endpoint, name, right = PAGES[place[0]]
    if not current_actor().may(right):
        return ""
    given: dict[str, Any] = {name: place[1]} if name else {}
    return url_for(endpoint, **given)


@screen.get("")
def index() -> str:
    cut = asked_cut()
    now = utc_now()
    with current_desk().database.read.begin() as session:
        report = answers_report(session, current_actor(), cut, now)
        chart = answers_chart(report)
        return render_template(
            "reports/index.html", report=report, cut=cut, period=period_of(request.args), choices=choices(session),
            rebuilding=is_rebuilding(session), chart=chart, NONE=NONE, UNSURE=UNSURE,
        )  # fmt: skip


@screen.get("/cases/<name>")
def cases(name: str) -> str:
    """The cases behind a figure, a page at a time."""
    cut, age = asked_cut(), request.args.get("age", type=whole)
    with current_desk().database.read.begin() as session:
        page = list_page(session, current_actor(), name, cut, utc_now(), age=age, after=request.args.get("after"))
        offered, criteria = choices(session), criteria_of(session)
        acts = name in OF_NOW and current_actor().may("case.assign")
        people = loads(session) if acts else []
    return render_template(
        "reports/cases.html", page=page, name=name, cut=cut, age=age, safe_link=safe_link, of_now=name in OF_NOW,
        filters=filter_words(cut, offered), period=period_of(request.args),
        title=list_title(name, report_words.LISTS[name], criteria), acts=acts, people=people,
        crumb=crumb(None, cut),
    )  # fmt: skip
