"""«Настройки»: one page that leads to all that the department decides."""

from dataclasses import dataclass

from flask import Blueprint, current_app, render_template

from web.language import Lazy, _l
from web.security import may

screen = Blueprint("settings", __name__, url_prefix="/settings")


@dataclass(frozen=True, slots=True)
class Door:
    """One screen of settings, for whom its right belongs to."""

    endpoint: str
    title: Lazy
    hint: Lazy
    icon: str
    act: str


DOORS = (
    Door("terms.index", _l("Deadlines"), _l("hours, departments, days off, quiet hours"), "hourglass",
         "settings.edit"),
    Door("duties.index", _l("Who answers for what"), _l("who leads and who is asked, by place and theme"),
         "list-details", "duty.edit"),
    Door("absences.index", _l("Who is away"), _l("leave, deputies, working hours"), "calendar", "absence.edit"),
    Door("rota.index", _l("Duty days"), _l("whose duty a day is"), "calendar-event", "duty.edit"),
    Door("staff.index", _l("Staff"), _l("people, roles, where they are logged in"), "users", "staff.view"),
    Door("rules.index", _l("Rules"), _l("what the desk does by itself with what comes"), "bolt", "settings.edit"),
    Door("incidents.troubles", _l("What makes an incident"),
         _l("how many alike, within how long, whom it is put to"), "flame", "settings.edit"),
    Door("checks.index", _l("Check of replies"), _l("what stops a reply and what only hints"), "checklist",
         "settings.edit"),
    Door("agreement.index", _l("Agreement"), _l("who agrees to replies, and after how long a deputy"), "checks",
         "settings.edit"),
    Door("reviews.criteria", _l("Criteria of reviews"), _l("by what the head judges answers"), "list-check",
         "review.mark"),
    Door("satisfaction.settings", _l("Marks of authors"), _l("the question under private answers, off at first"),
         "star", "settings.edit"),
    Door("search.words", _l("Words of search"), _l("words of the same meaning"), "search", "settings.edit"),
    Door("facts.index", _l("Facts"), _l("prices, dates and links that replies carry"), "book-2", "fact.edit"),
    Door("mailbox.index", _l("Who sends notices"), _l("which mailbox and bots write to colleagues"), "mail",
         "settings.edit"),
    Door("sources.index", _l("Places"), _l("what is watched"), "antenna", "source.view"),
    Door("journal.index", _l("Journal of acts"), _l("who changed what, sealed against changes"), "history",
         "journal.view"),
    Door("tokens.index", _l("API and web hooks"), _l("keys for programs, addresses that are told"), "webhook",
         "settings.edit"),
    Door("state.index", _l("State"), _l("processes, queues, backup, versions"), "heart", "settings.edit"),
    Door("transfer.index", _l("Export and import"), _l("all settings as one file"), "adjustments", "settings.edit"),
)  # fmt: skip
"""In the order of the page; a door without its screen is not shown."""


@screen.get("")
def index() -> str:
    doors = [door for door in DOORS if door.endpoint in current_app.view_functions and may(door.act)]
    return render_template("settings/index.html", doors=doors)
