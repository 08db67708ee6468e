"""«История» of a setting: who changed what and when, and the way back to any version."""

from dataclasses import dataclass

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from models import SettingVersion
from services.recount import ask_recount
from services.settings.effects import effects_of
from services.settings.history import PAGE, changes_in, expect, get_version, versions_of
from services.settings.known import Tools, look, may_return, read_setting, take_back
from services.settings.many import family_of
from services.terms import NAME as TERMS
from web.forms import go
from web.language import _
from web.numbers import whole
from web.security import current_actor, current_desk, rang
from web.setting_saves import Answer, confirm_page, say_saved
from web.setting_screens import note_of, screen_of, title_of
from web.setting_words import Difference, differences, names_of
from web.toasts import tell

screen = Blueprint("setting_history", __name__, url_prefix="/settings/history")


@dataclass(frozen=True, slots=True)
class Entry:
    """One version with what it changed; none for the oldest that is kept."""

    version: SettingVersion
    who: str | None
    rows: list[Difference]


def _tools() -> Tools:
    desk = current_desk()
    return Tools(desk.keyring, desk.wire.guard)


@screen.get("/<name>")
def index(name: str) -> str:
    below = request.args.get("below", type=whole)
    with current_desk().database.read.begin() as session:
        last = look(session, current_actor(), name)
        returns = may_return(session, current_actor(), name)
        now = read_setting(session, name)
        found, names = versions_of(session, name, below), names_of(session)
        before = {row.number: row for row, _who in found}
        if found and found[-1][0].number > 0:
            oldest = get_version(session, name, found[-1][0].number - 1)
            before[oldest.number] = oldest
        entries = [
            Entry(row, who, differences(name, before[row.number - 1].value, row.value, names) if row.number else [])
            for row, who in found
        ]
    of_many = family_of(name)[1] is not None
    return render_template(
        "settings/history.html", name=name, title=title_of(name, now), back=screen_of(name), entries=entries,
        last=last, returns=returns, of_many=of_many, note=note_of(name) if of_many else None,
        more=entries[-1].version.number if len(entries) == PAGE and entries[-1].version.number else None,
    )  # fmt: skip


@screen.get("/<name>/<int:number>/back")
def ask_back(name: str, number: int) -> str:
    """What the return would change and do."""
    with current_desk().database.read.begin() as session:
        last = look(session, current_actor(), name)
        version = get_version(session, name, number)
        now = read_setting(session, name)
        effects = effects_of(session, name, now, version.value)
        return confirm_page(
            session, name, now, version.value, effects, seen=last.number, version=version, open_too=name == TERMS
        )


@screen.post("/<name>/<int:number>/back")
def back(name: str, number: int) -> Answer:
    open_too = request.form.get("open_too") == "1"
    with current_desk().database.write.begin() as session:
        look(session, current_actor(), name)
        seen = request.form.get("seen", type=whole)
        if seen is not None:
            expect(session, name, seen)
        take_back(session, current_actor(), name, number, _tools())
        if open_too and name == TERMS:
            ask_recount(session, current_actor())
        done = changes_in(session)
    rang()
    say_saved(name, done, open_too="1" if open_too else None)
    return go(screen_of(name))


@screen.post("/<name>/<int:number>/undo")
def undo(name: str, number: int) -> Response:
    """Takes version ``number`` back, while nobody has changed the setting since."""
    with current_desk().database.write.begin() as session:
        look(session, current_actor(), name)
        expect(session, name, number)
        take_back(session, current_actor(), name, number - 1, _tools())
        if request.args.get("open_too") == "1" and name == TERMS:
            ask_recount(session, current_actor())
    rang()
    tell(_("Taken back: it is as it was."))
    return go(screen_of(name))
