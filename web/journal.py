"""«Журнал действий»: who changed what in people, rights and settings, and whether the chain of seals holds."""

from flask import Blueprint, render_template, request

from services.journal import check_chain, entries
from services.settings.history import first_broken
from web.numbers import whole
from web.security import current_actor, current_desk
from web.setting_words import SCREENS

screen = Blueprint("journal", __name__, url_prefix="/settings/journal")


@screen.get("")
def index() -> str:
    before = request.args.get("before", type=whole)
    with current_desk().database.read.begin() as session:
        rows = entries(session, current_actor(), before)
        asked = request.args.get("check") == "1"
        check = check_chain(session) if asked else None
        broken = first_broken(session) if asked else None
    return render_template(
        "journal/index.html", rows=rows, check=check, broken=broken, before=before, SCREENS=SCREENS
    )
