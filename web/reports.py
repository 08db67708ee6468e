"""«Отчёты»: the report on answers first, and from every figure to the cases that yield it."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request

from classifier import LABELS
from models import utc_now
from services.accounts import list_staff
from services.reports.answers import answers_report
from services.reports.cohorts import OF_NOW
from services.reports.cut import NONE, UNSURE, Cut
from services.reports.lists import list_page
from services.reports.upkeep import is_rebuilding
from services.rights import DESK
from services.routing import departments
from services.sources import list_sources
from web import report_words
from web.dates import today
from web.language import _
from web.marks import safe_link
from web.numbers import whole
from web.report_filters import period_of, query_of, read_cut
from web.security import current_actor, current_desk
from web.words import department_name, label_name, platform_name

screen = Blueprint("reports", __name__, url_prefix="/reports")


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer: (value, words) each."""

    platforms: list[tuple[str, str]]
    sources: list[tuple[int, str]]
    kinds: list[tuple[str, str]]
    departments: list[tuple[int, str]]
    people: list[tuple[int, str]]


@screen.app_context_processor
def _names() -> dict[str, object]:
    return {"said": report_words, "cut_query": query_of}


@screen.get("")
def index() -> str:
    cut = asked_cut()
    with current_desk().database.read.begin() as session:
        report = answers_report(session, current_actor(), cut, utc_now())
        return render_template(
            "reports/index.html", report=report, cut=cut, period=period_of(request.args), choices=choices(session),
            rebuilding=is_rebuilding(session), NONE=NONE, UNSURE=UNSURE,
        )  # fmt: skip


@screen.get("/cases/<name>")
def cases(name: str) -> str:
    """The cases behind a figure, a page at a time."""
    cut, age = asked_cut(), request.args.get("age", type=whole)
    with current_desk().database.read.begin() as session:
        page = list_page(session, current_actor(), name, cut, utc_now(), age=age, after=request.args.get("after"))
        offered = choices(session)
    return render_template(
        "reports/cases.html", page=page, name=name, cut=cut, age=age, safe_link=safe_link, of_now=name in OF_NOW,
        filters=filter_words(cut, offered), period=period_of(request.args),
    )  # fmt: skip


def asked_cut() -> Cut:
    """What the address bar asks for."""
    return read_cut(request.args, today(), current_desk().config.desk.time_zone)


def choices(session: Any) -> Choices:
    places = list_sources(session, DESK)
    return Choices(
        platforms=[(name, platform_name(name)) for name in sorted({place.platform for place in places})],
        sources=[(place.id, place.title) for place in places],
        kinds=[*((name, label_name(name)) for name in LABELS), (UNSURE, label_name(None))],
        departments=[
            (NONE, _("without a department")), *((unit.id, department_name(unit)) for unit in departments(session))
        ],
        people=[(NONE, _("nobody")), *((person.id, person.name) for person in list_staff(session))],
    )  # fmt: skip


def filter_words(cut: Cut, offered: Choices) -> list[tuple[str, str]]:
    """(field of the cut, words) for every filter that is on."""
    named: list[tuple[str, Any, list[Any]]] = [
        ("platform", cut.platform, offered.platforms), ("source_id", cut.source_id, offered.sources),
        ("kind", cut.kind, offered.kinds), ("department_id", cut.department_id, offered.departments),
        ("staff_id", cut.staff_id, offered.people),
    ]  # fmt: skip
    return [(name, dict(options).get(value, str(value))) for name, value, options in named if value is not None]
