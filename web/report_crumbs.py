"""Where the list behind a figure leads back to: the page it was opened from, else the report whose figure it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import current_app, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from services.reports.cut import Cut
from services.reports.tables import REPORTS
from web.addresses import safe_next
from web.language import _
from web.report_filters import query_of
from web.report_words import TITLES

PAGES: Mapping[str, Callable[[], str]] = {
    "reports.index": lambda: _("Report on answers"),
    "report_months.page": lambda: _("Summary for the director"),
    "asked.index": lambda: _("What people ask"),
    "wishes.index": lambda: _("Wishes"),
    "morning.index": lambda: _("Morning"),
}
"""Pages whose figures open lists, beside those of «Все отчёты»."""


@dataclass(frozen=True, slots=True)
class Crumb:
    """``kept``: what a further page of the list is asked for with, so that it leads back to the same."""

    address: str
    title: str
    kept: Mapping[str, str]


def crumb(report: str | None, cut: Cut) -> Crumb:
    """``report``: whose the figure is, of «Все отчёты»; None: of «Отчёт об ответах»."""
    for address in (request.args.get("back"), _referrer()):
        title = _titled(address) if address else ""
        if address and title:
            return Crumb(address, title, {"back": address})
    query: dict[str, Any] = {**query_of(cut)}
    if report is None:
        return Crumb(url_for("reports.index", **query), _("Report on answers"), {})
    return Crumb(url_for("report_tables.show", code=report, **query), str(TITLES[report]), {})


def _referrer() -> str | None:
    parts = urlsplit(request.referrer or "")
    return parts.path + (f"?{parts.query}" if parts.query else "") if parts.netloc == request.host else None


def _titled(address: str) -> str:
    """What the page there is called; "" where it is no page of reports."""
    if safe_next(address) is None:
        return ""
    adapter = current_app.create_url_adapter(request)
    try:
        endpoint, given = adapter.match(urlsplit(address).path, method="GET") if adapter else ("", {})
    except (HTTPException, RequestRedirect):
        return ""
    if endpoint == "report_tables.show" and given["code"] in REPORTS:
        return str(TITLES[given["code"]])
    return PAGES[endpoint]() if endpoint in PAGES else ""
