"""Letters with figures: the five lines of the morning, a week or a month for the director, a kept view."""

from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from models import ReportView, utc_now
from services.reports.answers import Line, whole_line
from services.reports.cohorts import count
from services.reports.cut import Cut
from services.reports.morning import Morning, morning
from services.reports.periods import cut_of, days_of
from services.reports.views import ANSWERS
from services.rights import DESK, actor_of

if TYPE_CHECKING:
    from services.letters import Page

Found = tuple[str, list[str]]
FIVE = (
    "/reports/cases/late_now", "/reports/cases/due_today", "/reports/cases/ask_overdue", "/outgoing", "/places",
)  # fmt: skip
"""Where each line of the morning leads."""


def report_letter(page: "Page") -> Found | None:
    """By what was ordered; None where its view is no more."""
    data = page.row.data
    on = date.fromisoformat(data["day"])
    if data["what"] == "morning":
        return _morning(page, on)
    if data["what"] in ("week", "month"):
        return _director(page, data["what"], on)
    view = page.session.get(ReportView, data["view"])
    return _view(page, view, on) if view is not None else None


def _morning(page: "Page", on: date) -> Found:
    found = morning(page.session, DESK, Cut(on, on, page.zone), utc_now())
    silent = ", ".join(place.title for place in found.silent)
    texts = (
        page.say("morning_late", count=found.late), page.say("morning_today", count=found.due_today),
        page.say("morning_owed", count=found.overdue),
        page.say("morning_sent", count=found.unproven, troubled=found.troubled),
        page.say("morning_places", read=found.places - len(found.silent), all=found.places),
    )  # fmt: skip
    day = urlencode({"from": on.isoformat(), "to": on.isoformat()})
    body = [
        f"{text}\n{page.address}{path}?{day}" if page.address else text
        for text, path in zip(texts, FIVE, strict=True)
    ]
    if silent:
        body.append(page.say("morning_silent", places=silent))
    if found.requests_late:
        link = [f"{page.address}/inquiries?show=late"] if page.address else []
        body.append("\n".join([page.say("morning_requests", count=found.requests_late), *link]))
    body += _contracts(page, found)
    return page.say("morning_subject", day=_day(page, on), late=found.late), [*body, *_link(page, "/morning", {})]


def _contracts(page: "Page", found: Morning) -> list[str]:
    """What is late by contracts, with the oldest that the school owes; nothing where nothing is, or for a reader
    who sees no contracts."""
    if not any(found.contracts.values()) or not actor_of(page.staff).may("contract.view"):
        return []
    said = page.say(
        "morning_contracts", school=found.contracts.get("school", 0), clients=found.contracts.get("client", 0)
    )
    rows = [
        page.say(
            "morning_contract", number=one.contract.number or one.contract.id,
            day=_day(page, one.obligation.due_on),
            what=page.words.get(f"owed_{one.obligation.subject}", one.obligation.subject),
        )
        for one in found.owed
    ]  # fmt: skip
    link = [f"{page.address}/contracts/money#obligations"] if page.address else []
    return ["\n".join([said, *rows, *link])]


def _director(page: "Page", what: str, on: date) -> Found:
    first, last = days_of("last_month", on) if what == "month" else (on - timedelta(days=7), on - timedelta(days=1))
    cut = Cut(first, last, page.zone)
    lines = [
        *_figures(page, cut),
        page.say("report_legal", count=count(page.session, "legal_late", cut, utc_now())),
    ]
    query = {"from": first.isoformat(), "to": last.isoformat()}
    subject = page.say(f"{what}_subject", first=_day(page, first), last=_day(page, last))
    return subject, ["\n".join(lines), *_link(page, "/reports/summary", query)]


def _view(page: "Page", view: ReportView, on: date) -> Found:
    cut = cut_of(view.query, on, page.zone)
    path = "/reports" if view.code == ANSWERS else f"/reports/all/{view.code}"
    period = page.say("report_period", first=_day(page, cut.first), last=_day(page, cut.last))
    figures = ["\n".join(_figures(page, cut))] if view.code == ANSWERS else []
    query = {**view.query, "from": cut.first.isoformat(), "to": cut.last.isoformat()}
    query.pop("period", None)
    return page.say("report_subject", name=view.name), [period, *figures, *_link(page, path, query)]


def _figures(page: "Page", cut: Cut) -> list[str]:
    """The same figures as the page has, with those of the period before in brackets."""
    now = utc_now()
    line, before = whole_line(page.session, cut, now), whole_line(page.session, cut.before(), now)
    return [
        page.say("report_came", now=line.came, before=before.came),
        page.say("report_answered", now=line.answered, before=before.answered, waiting=line.waiting),
        page.say("report_usual", now=_minutes(page, line.first.median), most=_minutes(page, line.first.p90),
                 before=_minutes(page, before.first.median)),
        page.say("report_in_time", now=_share(line), before=_share(before), late=line.in_time.late),
    ]  # fmt: skip


def _share(line: Line) -> str:
    return "—" if line.in_time.value is None else f"{round(line.in_time.value * 100)} %"


def _minutes(page: "Page", value: Fraction | int | None) -> str:
    if value is None:
        return "—"
    hours, rest = divmod(int(value + Fraction(1, 2)), 60)
    return page.say("hours", hours=hours, minutes=rest) if hours else page.say("minutes", minutes=rest)


def _day(page: "Page", on: date) -> str:
    return page.day(on)


def _link(page: "Page", path: str, query: dict[str, str]) -> list[str]:
    if not page.address:
        return []
    return [page.say("report_link", link=f"{page.address}{path}{'?' + urlencode(query) if query else ''}")]
