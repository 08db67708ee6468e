"""The palette behind Ctrl+K: what is typed there is also looked for among cases."""

from flask import Blueprint, render_template, request

from services.search import cases_by_number, find
from web.actions import actions_of
from web.security import current_actor, current_desk

screen = Blueprint("palette", __name__, url_prefix="/palette")
MOST_CASES = 6


@screen.app_context_processor
def _names() -> dict[str, object]:
    return {"actions_of": actions_of}


@screen.get("")
def cases() -> str:
    """Cases with the number or the words of ``q``, as options of the list."""
    typed = request.args.get("q", "").strip()
    desk = current_desk()
    with desk.database.read.begin() as session:
        rows = cases_by_number(session, current_actor(), typed)
        if len(typed) > 1:
            found = find(session, current_actor(), typed, zone=desk.config.desk.time_zone, exactly=True)
            rows += [group.row for group in found.groups if group.row is not None]
    unique = {row.case.id: row for row in rows}
    return render_template("parts/palette_cases.html", rows=list(unique.values())[:MOST_CASES])
