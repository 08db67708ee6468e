"""«Отчёты»: the report on answers first, and from every figure to the cases that yield it."""

from flask import Blueprint, render_template, request, url_for

from models import utc_now
from services.criteria import criteria_of
from services.reports.answers import answers_report
from services.reports.cohorts import OF_NOW
from services.reports.cut import NONE, UNSURE
from services.reports.lists import list_page
from services.reports.trend import trend
from services.reports.upkeep import is_rebuilding
from services.workload import loads
from web import report_figures, report_words
from web.charts import answers_chart
from web.marks import safe_link
from web.numbers import whole
from web.report_filters import asked_cut, choices, filter_words, period_of, query_of
from web.review_words import list_title
from web.security import current_actor, current_desk

screen = Blueprint("reports", __name__, url_prefix="/reports")


@screen.app_context_processor
def _names() -> dict[str, object]:
    return {
        "said": report_words, "cut_query": query_of, "figures": report_figures, "place_address": place_address,
    }  # fmt: skip


def place_address(place: tuple[str, int]) -> str:
    """The page behind a register's row."""
    kind, row_id = place
    if kind == "contract":
        return url_for("contracts.page", contract_id=row_id)
    return url_for("inbox.show", case_id=row_id)


@screen.get("")
def index() -> str:
    cut = asked_cut()
    now = utc_now()
    with current_desk().database.read.begin() as session:
        report = answers_report(session, current_actor(), cut, now)
        chart = answers_chart(report, trend(session, ("came", "answered"), cut, now))
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
    )  # fmt: skip
