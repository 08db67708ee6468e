"""«Что спрашивают»: topics that came up, and what people say of prices, competitors and new courses."""

from flask import Blueprint, render_template, request

from models import utc_now
from services.reports.asked import MOST_READ, asked
from web.report_filters import asked_cut, choices, period_of
from web.security import current_actor, current_desk

screen = Blueprint("asked", __name__, url_prefix="/reports/asked")


@screen.get("")
def index() -> str:
    cut = asked_cut()
    with current_desk().database.read.begin() as session:
        found = asked(session, current_actor(), cut, utc_now())
        offered = choices(session)
    return render_template(
        "reports/asked.html", found=found, cut=cut, period=period_of(request.args), choices=offered, most=MOST_READ
    )
