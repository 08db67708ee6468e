"""Saving a setting on any screen: what it does comes first, a newer version is shown, the way back is at hand."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from models import Case
from services.errors import Stale
from services.settings.effects import effects_of, has_effects
from services.settings.history import Changed, changes_in, expect, get_version, last_change
from services.settings.known import read_setting
from services.settings.many import family_of
from services.settings.reckoning import Effect
from web.filters import write_groups
from web.forms import go
from web.language import _
from web.numbers import whole
from web.security import current_desk, rang
from web.setting_many import secrets_of
from web.setting_screens import note_of, screen_of, title_of
from web.setting_words import differences, names_of, say_effect
from web.toasts import tell

Change = Callable[[Session], object]
Part = Callable[[Any], Any]
SECONDS = 12
"""So long the toast offers the way back; the history offers it for ever."""
KEPT_OUT = frozenset({"csrf_token", "sure", "seen"})
Answer = Response | str | tuple[str, int]


class _Tried(Exception):
    """Ends a transaction that was only to be looked at."""

    def __init__(self, changes: list[Changed]) -> None:
        self.changes = changes


def save_setting(
    name: str,
    change: Change,
    *,
    part: Part | None = None,
    shown: bool = False,
    beside: bool = False,
    to: str | None = None,
    words: str = "",
    final: bool = False,
    **more: Any,
) -> Answer:
    """Does ``change``, unless it touches open work and nobody has said «sure» yet: then what it would do is shown.

    ``part``: of a table only this must be as it was seen. ``shown``: the screen itself has shown what it does;
    ``beside``: what was saved may be no part of the setting; ``to``: the screen that comes after; ``words``: what
    is said there; ``final``: no way back is offered at once; ``more`` goes into the address that takes it back.
    Refusals go on to the screen.
    """
    try:
        if not shown and "sure" not in request.form and has_effects(name):
            tried = _try(name, change, part)
            page = _first(name, tried) if tried is not None else None
            if page is not None:
                return page
        with current_desk().database.write.begin() as session:
            _expect(session, name, part)
            change(session)
            session.flush()
            done = changes_in(session)
    except Stale as error:
        if error.code != "setting.stale":
            raise
        return _stale(name, error), 409
    rang()
    say_saved(name, done, beside, words=words, final=final, **more)
    return go(to or screen_of(name))


def say_saved(
    name: str, done: Sequence[Changed], beside: bool = False, *, words: str = "", final: bool = False, **more: Any
) -> None:
    """«Сохранено» with the way back, where something was changed at all."""
    change = next((one for one in done if one.name == name), None)
    if change is None:
        tell(words or (_("Saved.") if beside else _("Saved: nothing has changed.")))
        return
    if final:
        tell(words or _("Saved."))
        return
    undo = url_for("setting_history.undo", name=name, number=change.number, **more)
    label = _("Bring it back, %(left)s s", left="{left}")
    tell(words or _("Saved."), "undo", undo=undo, seconds=SECONDS, label=label)


def _expect(session: Session, name: str, part: Part | None) -> None:
    seen = request.form.get("seen", type=whole)
    if seen is None:
        return
    try:
        expect(session, name, seen)
    except Stale:
        if part is None or part(get_version(session, name, seen).value) != part(read_setting(session, name)):
            raise


def _try(name: str, change: Change, part: Part | None) -> Changed | None:
    """What the change would make of the setting; nothing is kept, and the write lock is held no longer."""
    try:
        with current_desk().database.write.begin() as session:
            _expect(session, name, part)
            change(session)
            session.flush()
            raise _Tried(changes_in(session))
    except _Tried as tried:
        return next((one for one in tried.changes if one.name == name), None)


def _first(name: str, tried: Changed) -> str | None:
    """The page that shows what the change does to open work; None where it does nothing."""
    with current_desk().database.read.begin() as session:
        effects = effects_of(session, name, tried.before, tried.after)
        if not effects:
            return None
        return confirm_page(session, name, tried.before, tried.after, effects, seen=tried.number - 1)


def confirm_page(
    session: Session, name: str, before: Any, after: Any, effects: Sequence[Effect], **more: Any
) -> str:
    """Lines that change, what it does to open work, and the form once more, ready to be sent for good."""
    rows = differences(name, before, after, names_of(session))
    is_told = "version" in more or family_of(name)[1] is None  # of one of many it is about bringing back
    return render_template(
        "settings/confirm.html", title=title_of(name, after or before), back=screen_of(name), rows=rows,
        effects=told(session, effects), action=request.full_path.rstrip("?"), fields=sent_fields(name),
        anew=typed_anew(name), note=note_of(name) if is_told else None, **more,
    )  # fmt: skip


def told(session: Session, effects: Sequence[Effect]) -> list[dict[str, Any]]:
    """Effects as the page says them: words, a filter of the inbox, or the numbers of the first cases."""
    ids = {one for effect in effects for one in effect.cases}
    numbers = {row[0]: row[1] for row in session.execute(select(Case.id, Case.number).where(Case.id.in_(ids)))}
    return [
        {
            "text": say_effect(one), "any": write_groups(one.groups),
            "cases": [(case, numbers.get(case)) for case in one.cases], "more": one.count - len(one.cases),
        }
        for one in effects
    ]  # fmt: skip


def sent_fields(name: str) -> list[tuple[str, str]]:
    """The form as it was sent, to be sent again; without secrets."""
    left_out = KEPT_OUT | secrets_of(name).keys()
    return [(key, value) for key, value in request.form.items(multi=True) if key not in left_out]


def typed_anew(name: str) -> list[tuple[str, str]]:
    """Fields of secrets in which something was typed, each with its title."""
    return sorted((key, str(title)) for key, title in secrets_of(name).items() if request.form.get(key))


def _stale(name: str, error: Stale) -> str:
    """What was changed since the screen was opened, with the form ready to be laid over it."""
    with current_desk().database.read.begin() as session:
        last = last_change(session, name)
        now = get_version(session, name, last.number).value
        names = names_of(session)
        rows = differences(name, get_version(session, name, error.data["seen"]).value, now, names)
    return render_template(
        "settings/stale.html", title=title_of(name, now), back=screen_of(name), rows=rows, last=last, name=name,
        action=request.full_path.rstrip("?"), fields=sent_fields(name), anew=typed_anew(name),
    )  # fmt: skip
