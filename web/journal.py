"""«Журнал действий»: who changed what in people, rights and settings, and whether the chain of seals holds."""

from collections.abc import Mapping

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from services.accounts import list_staff
from services.journal import check_chain, entries, take_journal
from services.settings.history import first_broken
from web.journal_words import details, said
from web.language import Lazy, _l
from web.numbers import whole
from web.security import current_actor, current_desk
from web.setting_screens import is_setting, title_of

screen = Blueprint("journal", __name__, url_prefix="/settings/journal")


TITLES: Mapping[str, Lazy] = {
    "rights": _l("People, rights, settings"),
    "public": _l("Public acts"),
    "seen": _l("Who looked at closed data"),
    "exports": _l("Exports and documents"),
    "decisions": _l("Decisions"),
}


@screen.get("")
def index() -> str:
    before, group = request.args.get("before", type=whole), request.args.get("group", "rights")
    with current_desk().database.read.begin() as session:
        rows = entries(session, current_actor(), before, group)
        asked = request.args.get("check") == "1"
        check = check_chain(session) if asked else None
        broken = first_broken(session) if asked else None
        names = {one.id: one.name for one in list_staff(session, active=False)}
    return render_template(
        "journal/index.html", rows=rows, check=check, broken=broken, before=before, is_setting=is_setting,
        title_of=title_of, group=group, TITLES=TITLES, names=names, said=said, details=details,
    )  # fmt: skip


@screen.post("/take")
def take() -> Response:
    """The journal as a file: lines of JSON, with the seals when it is whole."""
    group = request.form.get("group") or None
    with current_desk().database.write.begin() as session:
        lines = take_journal(session, current_actor(), group)
    headers = {"Content-Disposition": f'attachment; filename="journal-{group or "all"}.jsonl"'}
    return Response("\n".join([*lines, ""]), headers=headers, mimetype="application/jsonl")
