"""«Сроки»: six lines of hours, all classes under «подробно», departments, days; what a change does comes first."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request
from sqlalchemy.orm import Session

from services.errors import Refused
from services.presets import CALENDARS, LINES, QUIET, SLA
from services.recount import Effect, change_terms, effect_of, progress_of
from services.routing import departments
from services.settings.effects import SHOWN
from services.settings.history import Last, last_change
from services.settings.reckoning import Effect as Counted
from services.terms import MOST_MINUTES, NAME, build_policy, lines_of, stored_terms
from web.numbers import hours, whole
from web.security import current_actor, current_desk
from web.setting_saves import Answer, save_setting, told
from web.setting_words import Difference, differences, names_of
from web.words import DAYS

screen = Blueprint("terms", __name__, url_prefix="/settings/terms")


@screen.get("")
def index() -> str:
    with current_desk().database.read.begin() as session:
        last = last_change(session, NAME)
        return _page(session, stored_terms(session), last)


@screen.post("/preview")
def preview() -> str:
    """What the change would do to what is open; nothing is kept yet."""
    with current_desk().database.read.begin() as session:
        last, stored = last_change(session, NAME), stored_terms(session)
        values = read_terms(request.form, stored)
        rows = differences(NAME, stored, values, names_of(session))
        seen = replace(last, number=request.form.get("seen", last.number, type=whole))
        return _page(session, values, seen, effect_of(session, values), rows)


@screen.post("")
def save() -> Answer:
    open_too = request.form.get("open_too") == "1"

    def change(session: Session) -> None:
        values = read_terms(request.form, stored_terms(session))
        change_terms(session, current_actor(), values, open_too=open_too)

    return save_setting(NAME, change, shown=True, open_too="1" if open_too else None)


def _page(
    session: Session,
    values: Mapping[str, Any],
    last: Last,
    effect: Effect | None = None,
    rows: Sequence[Difference] = (),
) -> str:
    policy = build_policy(values)
    return render_template(
        "terms/index.html", policy=policy, lines=lines_of(policy), units=departments(session), effect=effect,
        last=last, rows=rows, late=_late(session, effect),
        progress=progress_of(session), CALENDARS=CALENDARS, days=_days(policy.changes), hours=hours,
    )  # fmt: skip


def _late(session: Session, effect: Effect | None) -> list[dict[str, Any]]:
    """The first cases that would be late at once."""
    if effect is None or not effect.newly_late:
        return []
    shown = effect.late_cases[:SHOWN]
    return told(session, [Counted("terms.late", effect.newly_late, effect.tried, effect.total, shown)])


def read_terms(form: Mapping[str, str], stored: Mapping[str, Any]) -> dict[str, Any]:
    """The setting that the form means; only what differs from the preset is kept, and of two fields that say the
    same the one that was changed counts. Raises Refused for what is no term, day or hour."""
    preset = form.get("preset", "")
    if preset not in SLA:
        raise Refused("terms.preset")
    kept: dict[str, Any] = {key: value for key, value in stored.items() if key in ("zone", "hours")}
    kept |= {"preset": preset, "quiet": [form.get("quiet_from", QUIET[0]), form.get("quiet_to", QUIET[1])]}
    kept["changes"] = _read_days(form.get("changes", ""))
    if preset == build_policy(stored).preset:
        kept["classes"] = _read_classes(form, stored)
        kept["departments"] = _read_units(form, preset)
        kept["accept"] = _read_accept(form, preset)
    return kept


def _read_classes(form: Mapping[str, str], stored: Mapping[str, Any]) -> dict[str, list[Any]]:
    policy = build_policy(stored)
    shown = lines_of(policy)
    by_line: dict[str, int] = {}
    for line, names in LINES.items():
        minutes = _minutes(form.get(f"line_{line}", ""))
        if minutes is not None and minutes != round(shown.get(line, 0) * 60):
            by_line |= dict.fromkeys(names, minutes)
    known = {**SLA["regulation"]["classes"], **SLA[policy.preset]["classes"]}
    changed = {}
    for name, terms in policy.classes.items():
        before = terms.first.minutes if terms.first else None
        first = _minutes(form.get(f"first_{name}", hours(before)))
        first = by_line.get(name, first) if first == before else first
        calendar = form.get(f"calendar_{name}", terms.first.calendar if terms.first else "desk")
        last = form.get(f"last_{name}", hours(terms.resolution.minutes if terms.resolution else None))
        value = [first, calendar if calendar in CALENDARS else "desk", _minutes(last)]
        if value != list(known[name]):
            changed[name] = value
    return changed


def _read_units(form: Mapping[str, str], preset: str) -> dict[str, list[Any]]:
    found = {}
    for name, typed in form.items():
        code = name.removeprefix("unit_")
        if name.startswith("unit_"):
            value = [_minutes(typed) or 0, re.findall(r"\d{1,2}:\d{2}", form.get(f"hours_{code}", ""))]
            usual = SLA[preset]["departments"].get(code)
            if usual is None or value != [usual[0], list(usual[1])]:
                found[code] = value
    return found


def _read_accept(form: Mapping[str, str], preset: str) -> dict[str, int | None]:
    """Department → minutes until it has opened a question; an empty field: nobody counts them."""
    usual = SLA[preset].get("accept", {})
    typed = {
        name.removeprefix("accept_"): _minutes(text) for name, text in form.items() if name.startswith("accept_")
    }
    return {code: minutes for code, minutes in typed.items() if minutes != usual.get(code)}


def _minutes(typed: str) -> int | None:
    """Hours as they are typed, in minutes; None for an empty field."""
    text = typed.strip().replace(",", ".")
    if not text:
        return None
    if not re.fullmatch(r"\d{1,6}(\.\d{1,4})?", text):
        raise Refused("terms.minutes", most=MOST_MINUTES // 60)
    return round(float(text) * 60)


def _read_days(typed: str) -> dict[str, str]:
    """Lines such as «31.12.2026 выходной», the word in either language or as a code."""
    found = {}
    named = {str(word).casefold(): kind for kind, word in DAYS.items()} | {kind: kind for kind in DAYS}
    for line in filter(None, (line.strip() for line in typed.splitlines())):
        day, _space, word = line.partition(" ")
        match = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", day)
        kind = named.get(word.strip().casefold() or "off")
        try:
            at = date(int(match[3]), int(match[2]), int(match[1])) if match else None
        except ValueError:
            at = None
        if at is None or kind is None:
            raise Refused("terms.day", text=line[:30])
        found[at.isoformat()] = kind
    return found


def _days(changes: Mapping[date, str]) -> str:
    return "\n".join(f"{day:%d.%m.%Y} {DAYS[kind]}" for day, kind in sorted(changes.items()))
