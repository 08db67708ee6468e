"""How long things may take: the department's terms, calendars and quiet hours, a preset with its own changes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Case, Setting
from services.airtime import AFTER
from services.calendars import KINDS, Calendar
from services.errors import Refused
from services.presets import CALENDARS, CLASS_OF, LINES, QUIET, SLA
from services.rights import Actor, require
from services.settings.history import keep

NAME = "sla"
DEFAULT = "small"
MOST_MINUTES = 60 * 24 * 60
UNIT_MINUTES = 540
"""What a department has that no preset names."""


@dataclass(frozen=True)
class Term:
    """``minutes`` of working time by one of the calendars of services.presets."""

    minutes: int
    calendar: str = "desk"

    @property
    def span(self) -> timedelta:
        return timedelta(minutes=self.minutes)


@dataclass(frozen=True)
class SlaClass:
    """None: the class knows no such term."""

    first: Term | None
    resolution: Term | None


@dataclass(frozen=True)
class Unit:
    """What a department has for an answer; ``hours``: when it looks, the term then ends at the next such hour.

    ``accept``: minutes until it has opened the question; None: nobody counts them. ``special``: class → minutes for
    an answer where they are others.
    """

    minutes: int
    hours: tuple[time, ...] = ()
    accept: int | None = None
    special: Mapping[str, int] = field(default_factory=dict)

    def answer(self, sla_class: str) -> int:
        return self.special.get(sla_class, self.minutes)


@dataclass(frozen=True)
class Policy:
    """The terms in force."""

    preset: str
    classes: Mapping[str, SlaClass]
    units: Mapping[str, Unit]
    calendars: Mapping[str, Calendar]
    quiet: tuple[time, time]
    changes: Mapping[date, str]

    def unit(self, code: str) -> Unit:
        return self.units.get(code, Unit(UNIT_MINUTES))

    def after_quiet(self, at: datetime, quiet: tuple[time, time] | None = None) -> datetime:
        """``at``, or the end of the quiet hours it falls into; ``quiet``: others than the desk's."""
        begin, end = quiet or self.quiet
        there = at.astimezone(ZoneInfo(self.calendars["desk"].zone))
        now = there.time()
        is_quiet = begin <= now < end if begin <= end else now >= begin or now < end
        if not is_quiet:
            return at
        day = there.date() + timedelta(days=1 if now >= end else 0)
        return datetime.combine(day, end, there.tzinfo)


def policy_of(session: Session) -> Policy:
    """The terms as the settings have them; the preset «Небольшая школа» where nothing is set."""
    return build_policy(stored_terms(session))


def build_policy(values: Mapping[str, Any]) -> Policy:
    """The policy that ``values`` of the setting mean; one object for equal values, so that calendars keep what they
    have reckoned."""
    return _built(json.dumps(values, sort_keys=True))


@lru_cache(maxsize=16)
def _built(text: str) -> Policy:
    values = json.loads(text)
    preset = values.get("preset", DEFAULT)
    own = values.get("classes", {})
    known = {**SLA["regulation"]["classes"], **SLA[preset]["classes"], **own}
    units = {**SLA[preset]["departments"], **values.get("departments", {})}
    accept = {**SLA[preset].get("accept", {}), **values.get("accept", {})}
    changes = {date.fromisoformat(day): kind for day, kind in values.get("changes", {}).items()}
    zone = values.get("zone", "Europe/Moscow")
    begin, end = values.get("quiet", QUIET)
    hours = dict(zip(("opens", "closes"), values.get("hours", ()), strict=False))
    return Policy(
        preset=preset,
        classes={name: _class(*terms) for name, terms in known.items()},
        units={
            code: Unit(int(m), tuple(read_hour(h) for h in hours), accept.get(code), _special(preset, code))
            for code, (m, hours) in units.items()
        },
        calendars={
            name: _calendar({**form, **(hours if name == "desk" else {})}, zone, changes)
            for name, form in CALENDARS.items()
        },
        quiet=(read_hour(begin), read_hour(end)),
        changes=changes,
    )


def _special(preset: str, code: str) -> dict[str, int]:
    """Class → minutes for an answer of this department, where they are its own."""
    return {name: terms[code] for name, terms in SLA[preset].get("special", {}).items() if code in terms}


def _class(first: int | None, calendar: str, resolution: int | None) -> SlaClass:
    return SlaClass(
        Term(first, calendar) if first is not None else None,
        Term(resolution) if resolution is not None else None,
    )


def _calendar(form: Mapping[str, Any], zone: str, changes: Mapping[date, str]) -> Calendar:
    closes = time.max if form["closes"] == "24:00" else read_hour(form["closes"])
    return Calendar(read_hour(form["opens"]), closes, bool(form.get("every_day")), zone, changes)


def read_hour(text: str) -> time:
    """«9:00» or «17:30»; raises Refused for anything else."""
    try:
        hour, minute = text.strip().split(":")
        return time(int(hour), int(minute))
    except ValueError:
        raise Refused("terms.hour", text=text[:20]) from None


MASS = "TECH0"
"""A failure for everybody at once (domain.md §6.6); a preset without it treats it like any other technical case."""


LIVE = "LIVE"
"""The chat of a broadcast while it is on air; a department has half of the desk's ten minutes."""
LIVE_SHARE = 0.5
_ASKED_LIVE = ("QPUB", "QPRV", "LEAD")


def class_of(policy: Policy, case: Case, airtime: str | None = None) -> str:
    """The class whose terms a case has; a label that nobody is sure of counts like any other.

    ``airtime`` as of services.airtime: on air LIVE takes the place of questions and applications, and a question
    that outlives the broadcast is a private one (domain.md §6.6–6.7).
    """
    name = _by_kind(policy, case)
    if name not in _ASKED_LIVE or airtime is None:
        return name
    if airtime == AFTER:
        return name if name == "LEAD" else "QPRV"
    return LIVE


def _by_kind(policy: Policy, case: Case) -> str:
    question = ("QPUB", "QPRV")
    found = CLASS_OF.get(case.kind or case.label or "", question)
    if found in SLA[policy.preset].get("plain", ()):
        found = question
    if found == "TECH" and case.priority == 0 and MASS in policy.classes:
        return MASS
    return found if isinstance(found, str) else found[case.visibility == "private"]


def lines_of(policy: Policy) -> dict[str, float]:
    """The six lines → hours until the first response."""
    first = {line: policy.classes[names[0]].first for line, names in LINES.items()}
    return {line: term.minutes / 60 for line, term in first.items() if term is not None}


def stored_terms(session: Session) -> dict[str, Any]:
    """The setting as it is kept: a preset's name and what differs from it."""
    row = session.scalar(select(Setting).where(Setting.name == NAME))
    return dict(row.value) if row else {}


def check_terms(values: Mapping[str, Any]) -> None:
    """Raises Refused for what cannot be kept: a preset or day there is not, a term that is none or too long."""
    if values.get("preset", DEFAULT) not in SLA:
        raise Refused("terms.preset")
    for first, _calendar_name, resolution in values.get("classes", {}).values():
        for minutes in (first, resolution):
            if minutes is not None and not 1 <= minutes <= MOST_MINUTES:
                raise Refused("terms.minutes", most=MOST_MINUTES // 60)
    for minutes, hours in values.get("departments", {}).values():
        if not 1 <= minutes <= MOST_MINUTES:
            raise Refused("terms.minutes", most=MOST_MINUTES // 60)
        for hour in hours:
            read_hour(hour)
    for minutes in values.get("accept", {}).values():
        if minutes is not None and not 1 <= minutes <= MOST_MINUTES:
            raise Refused("terms.minutes", most=MOST_MINUTES // 60)
    for day, kind in values.get("changes", {}).items():
        try:
            date.fromisoformat(day)
        except ValueError:
            raise Refused("terms.day", text=str(day)[:20]) from None
        if kind not in KINDS:
            raise Refused("terms.day", text=str(day)[:20])
    for hour in values.get("quiet", QUIET):
        read_hour(hour)
    opens, closes = (read_hour(hour) for hour in values.get("hours", ("00:00", "23:59")))
    if opens >= closes:
        raise Refused("terms.hours")


def save_terms(session: Session, actor: Actor, values: Mapping[str, Any]) -> None:
    """Keeps the terms; they hold for what comes from now on, see ``sla.run_recount`` for what is open."""
    require(actor, "settings.edit")
    check_terms(values)
    keep(session, actor, NAME, values)
