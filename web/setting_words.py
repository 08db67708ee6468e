"""Settings in words: what each value says line by line, what differs between two, what a change does."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Department, Source, Staff
from services import (
    bots,
    criteria,
    facts,
    kinds,
    lint,
    mailbox,
    responsibility,
    rota,
    rules,
    satisfaction,
    saved_replies,
    search,
    terms,
    visits,
)
from services.agreement import NAME as AGREEMENT
from services.agreement import read_agreement
from services.crm import retention
from services.documents import organisation
from services.incidents import troubles
from services.presets import AGREEMENT as PRESET_ROWS
from services.presets import LINES as TERM_GROUPS
from services.settings.many import family_of
from services.settings.people import ABSENCES, STAFF
from services.settings.reckoning import Effect
from web import theme_words, words
from web.broadcast_words import lasted
from web.contract_words import FIELDS, GROUPS
from web.crm.words import RETENTION
from web.language import Lazy, _, _l, ngettext
from web.numbers import hours
from web.setting_many import EFFECTS as MANY_EFFECTS
from web.setting_many import LINES as MANY_LINES
from web.setting_many import Lines, Names

CALENDARS: Mapping[str, Lazy] = {
    "desk": _l("in working hours"),
    "duty": _l("in duty hours"),
    "always": _l("around the clock, days off too"),
}
NOTHING = "—"
ORDERED = (kinds.NAME, rules.NAME, criteria.NAME)
"""Tables in which the order of the lines means something."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of a setting: what it said and what it says."""

    title: str
    before: str
    after: str


def names_of(session: Session) -> Names:
    units = list(session.scalars(select(Department)))
    return Names(
        {row[0]: row[1] for row in session.execute(select(Staff.id, Staff.name))},
        {row[0]: row[1] for row in session.execute(select(Source.id, Source.title))},
        {unit.id: words.department_name(unit) for unit in units},
        {unit.code: words.department_name(unit) for unit in units},
        terms.policy_of(session).preset,
    )


def differences(name: str, before: Any, after: Any, names: Names) -> list[Difference]:
    """What changed, line by line, in the order of the newer value."""
    lines = {**LINES, **MANY_LINES}[family_of(name)[0]]
    was, now = lines(before, names), lines(after, names)
    found = [
        Difference(title, was.get(title, NOTHING), now.get(title, NOTHING))
        for title in dict.fromkeys([*now, *was])
        if was.get(title) != now.get(title)
    ]
    old, new = [one for one in was if one in now], [one for one in now if one in was]
    if name in ORDERED and old != new:
        found.append(Difference(_("Order"), " → ".join(old), " → ".join(new)))
    return found


def _listed(values: Iterable[object]) -> str:
    return ", ".join(str(one) for one in values) or NOTHING


def _yes(said: object) -> str:
    return _("Yes") if said else _("No")


def _apart(pairs: Iterable[tuple[str, str]]) -> Lines:
    """Lines of the same title are told apart by their number."""
    found: Lines = {}
    for title, text in pairs:
        number = 2
        key = title
        while key in found:
            key, number = f"{title} ({number})", number + 1
        found[key] = text
    return found


def _terms(value: Any, names: Names) -> Lines:
    policy = terms.build_policy(value or {})
    titles = {code: f"{words.TERM_LINES[line]} ({code})" for line, codes in TERM_GROUPS.items() for code in codes}
    found = {_("Terms"): str(words.PRESETS[policy.preset])}
    for code, one in policy.classes.items():
        title = titles.get(code, code)
        if one.first is not None:
            said = _("%(hours)s h", hours=hours(one.first.minutes))
            found[_("%(what)s: first response", what=title)] = f"{said} {CALENDARS[one.first.calendar]}"
        if one.resolution is not None:
            said = _("%(hours)s h", hours=hours(one.resolution.minutes))
            found[_("%(what)s: resolution", what=title)] = said
    for code, unit in policy.units.items():
        looks = ", ".join(f"{one:%H:%M}" for one in unit.hours)
        title = _("%(what)s: answer", what=names.codes.get(code, code))
        found[title] = _("%(hours)s h", hours=hours(unit.minutes)) + (f" ({looks})" if looks else "")
    for on, kind in sorted(policy.changes.items()):
        found[f"{on:%d.%m.%Y}"] = str(words.DAYS[kind])
    found[_("Nobody is disturbed from")] = f"{policy.quiet[0]:%H:%M}–{policy.quiet[1]:%H:%M}"
    desk = policy.calendars["desk"]
    found[_("Working hours of the desk")] = f"{desk.opens:%H:%M}–{desk.closes:%H:%M}, {desk.zone}"
    return found


def _kind_rows(value: Any, names: Names) -> Lines:
    from classifier.kinds import rows as house_rows

    return _apart(_kind_row(row, names) for row in (house_rows() if value is None else value["rows"]))


def _kind_row(row: Mapping[str, Any], names: Names) -> tuple[str, str]:
    when = [str(words.LABELS.get(one, one)) for one in row.get("labels", ())]
    when += [str(theme_words.THEMES.get(one, one)) for one in (*row.get("themes", ()), *row.get("any_theme", ()))]
    if row.get("signal"):
        when.append(str(theme_words.SIGNAL_NAMES.get(row["signal"], row["signal"])))
    if row.get("visibility"):
        when.append(_("in public") if row["visibility"] == "public" else _("in private"))
    if row.get("words"):
        when.append(f"«{row['words']}»")
    then = [str(theme_words.KINDS[row["kind"]])]
    if row.get("department"):
        then.append(names.codes.get(row["department"], str(row["department"])))
    if "priority" in row:
        then.append(str(theme_words.PRIORITIES[row["priority"]]))
    return ", ".join(when) or _("Everything else"), ", ".join(then)


def _agreement(value: Any, names: Names) -> Lines:
    found = read_agreement({"rows": PRESET_ROWS[names.preset], **(value or {})})
    rows = {}
    for row in found.rows:
        said = [str(theme_words.KINDS[row.kind])] if row.kind else []
        said += [str(theme_words.THEMES.get(row.theme, row.theme))] if row.theme else []
        if row.visibility:
            said.append(_("in public") if row.visibility == "public" else _("in private"))
        said += [_("High and critical")] if row.urgent else []
        rows[", ".join(said)] = _("the reply waits for agreement")
    deputies = _listed(names.person(one) for one in sorted(found.deputies))
    return {**rows, _("Deputies"): deputies, _("It passes to the deputy after, minutes"): str(found.minutes)}


def _week(value: Any, names: Names) -> Lines:
    week = (value or {}).get("week", {})
    return {str(words.WEEKDAYS[int(on)]): names.person(one) for on, one in week.items()}


def _days(value: Any, names: Names) -> Lines:
    rows = [(date.fromisoformat(row["day"]), row["staff_id"]) for row in value or ()]
    return {
        f"{on:%d.%m.%Y}": names.person(staff_id) if staff_id is not None else _("nobody") for on, staff_id in rows
    }


def _facts(value: Any, names: Names) -> Lines:
    return _apart((row["title"], _fact(row, names)) for row in value or ())


def _fact(row: Mapping[str, Any], names: Names) -> str:
    said = [row["value"], row["code"]]
    said += [names.person(row["owner_id"])] if row["owner_id"] else []
    if row["valid_to"]:
        said.append(_("Holds until %(day)s", day=f"{date.fromisoformat(row['valid_to']):%d.%m.%Y}"))
    return " · ".join(said)


def _troubles(value: Any, names: Names) -> Lines:
    found = {}
    for row in troubles.read_troubles(value):
        title = str(words.THEMES[row.theme]) if row.theme else _("Near copies of one text")
        said = _(
            "%(labels)s: %(enough)s within %(minutes)s min from %(authors)s people",
            labels=_listed(words.LABELS[one] for one in row.labels), enough=row.enough, minutes=row.minutes,
            authors=row.authors,
        )  # fmt: skip
        unit = names.codes.get(row.department, row.department) if row.department else _("whom the theme leads to")
        found[title] = f"{said}; {unit}" if row.active else _("turned off")
    return found


def _criteria(value: Any, _names: Names) -> Lines:
    rows, aside = criteria.read_criteria(value), _("laid aside")
    return {f"№ {row.number}": row.title if row.active else f"{row.title} ({aside})" for row in rows}


def _asking(value: Any, _names: Names) -> Lines:
    said = value or {}
    return {
        _("in letters: five links, one for each mark"): _yes(said.get("mail")),
        _("in private messages: one link"): _yes(said.get("messages")),
        _("What is asked"): said.get("text") or satisfaction.TEXT,
    }


def _habits(value: Any, _names: Names) -> Lines:
    said = value or {}
    titles = {
        "own": _("The school's own contacts"), "banned_hosts": _("Forbidden sites"),
        "competitors": _("Competitors"), "latin": _("Foreign words that may stand"),
    }  # fmt: skip
    defaults = lint.Habits()
    found = {title: _listed(sorted(said.get(name, getattr(defaults, name)))) for name, title in titles.items()}
    off = set(said.get("off", ()))
    return found | {str(words.LINT[name]): _("turned off") if name in off else _("in use") for name in words.LINT}


def _synonyms(value: Any, _names: Names) -> Lines:
    groups = search.DEFAULT_SYNONYMS if value is None else value["groups"]
    return _apart((str(group[0]), ", ".join(group)) for group in groups)


def _retention(value: Any, _names: Names) -> Lines:
    said = value or {}
    days = {name: said.get("days", {}).get(name, rule.days) for name, rule in retention.RULES.items()}
    found = {str(RETENTION[name]): ngettext("%(num)s day", "%(num)s days", count) for name, count in days.items()}
    return {**found, _("Carry it out every night"): _yes(said.get("on"))}


def _organisation(value: Any, _names: Names) -> Lines:
    return {
        f"{GROUPS.get(group, _('School'))}: {FIELDS.get(field, field)}": str(text)
        for group, said in (value or {}).items()
        for field, text in said.items()
    }


def _mailbox(value: Any, names: Names) -> Lines:
    said = value or {}
    if "source_id" in said:
        return {_("From which mailbox"): names.places.get(said["source_id"], f"№ {said['source_id']}")}
    fields = {
        "address": _("Address"), "from_name": _("Name of the sender"), "smtp_host": _("SMTP server"),
        "smtp_port": _("Port"), "smtp_security": _("Encryption"), "username": _("Login"),
    }  # fmt: skip
    return {title: str(said["smtp"][name]) for name, title in fields.items() if said.get("smtp", {}).get(name)}


def _bots(value: Any, names: Names) -> Lines:
    return {
        str(words.platform_name(platform)): f"{names.places.get(bot['source_id'], NOTHING)} (@{bot['name']})"
        for platform, bot in (value or {}).items()
    }


def _rules(value: Any, names: Names) -> Lines:
    rows = sorted(value or (), key=lambda row: row["position"])
    return _apart((row["title"], _rule(row, names)) for row in rows)


def _rule(row: Mapping[str, Any], names: Names) -> str:
    when, then = row["conditions"], row["acts"]
    said = [f"«{one}»" for one in when.get("words", ())]
    said += [names.places.get(when["place"], f"№ {when['place']}")] if when.get("place") else []
    if when.get("visibility"):
        said.append(_("in public") if when["visibility"] == "public" else _("in private"))
    said += [str(words.LABELS[when["label"]])] if when.get("label") else []
    said += [str(words.THEMES[when["theme"]])] if when.get("theme") else []
    done = []
    if "staff_id" in then:
        done.append(_("whoever has least") if then["staff_id"] == 0 else names.person(then["staff_id"]))
    if "department_id" in then:
        done.append(names.units.get(then["department_id"], NOTHING))
    if "tell" in then:
        done.append(_("is told: %(name)s", name=names.person(then["tell"])))
    text = f"{', '.join(said)} → {', '.join(done) or NOTHING}"
    return text if row["active"] else f"{text} ({_('turned off')})"


def _duties(value: Any, names: Names) -> Lines:
    found = {}
    for row in value or ():
        place = names.places.get(row["place"], f"№ {row['place']}") if row["place"] else _("Any place")
        said = [names.person(row["staff_id"])] if row["staff_id"] else []
        if row["department_id"]:
            unit = names.units.get(row["department_id"], NOTHING)
            said.append(f"{unit}: {names.person(row['asked_id'])}" if row["asked_id"] else unit)
        found[f"{place} · {words.THEMES.get(row['theme'], row['theme'])}"] = ", ".join(said)
    return found


def _staff(value: Any, names: Names) -> Lines:
    return _apart((row["name"], _one_of_staff(row, names)) for row in value or ())


def _one_of_staff(row: Mapping[str, Any], names: Names) -> str:
    said = [
        f"{words.ROLES[role]}: {names.units.get(unit, NOTHING)}" if unit else str(words.ROLES[role])
        for role, unit in row["roles"]
    ]
    said += [_("Trainee")] if row["trainee"] else []
    if row["hours"]:
        days = ", ".join(str(words.WEEKDAYS[on]) for on in row["hours"]["days"])
        said.append(f"{days} {row['hours']['from']}–{row['hours']['to']}")
    if row["deputy_id"]:
        said.append(_("Stands in: %(name)s", name=names.person(row["deputy_id"])))
    said += [] if row["active"] else [_("switched off")]
    return " · ".join(said) or NOTHING


def _absences(value: Any, names: Names) -> Lines:
    return _apart((names.person(row["staff_id"]), _absence(row, names)) for row in value or ())


def _absence(row: Mapping[str, Any], names: Names) -> str:
    days = [date.fromisoformat(row[name]) for name in ("from_day", "to_day")]
    said = [f"{words.ABSENCES[row['reason']]}, {days[0]:%d.%m.%Y} – {days[1]:%d.%m.%Y}"]
    if row["deputy_id"]:
        said.append(_("Stands in: %(name)s", name=names.person(row["deputy_id"])))
    said += [_listed(words.ROLES[role] for role in row["roles"])] if row["roles"] else []
    said += [_("cases go over on the first day")] if row["hand_over"] else []
    return " · ".join(said)


def _saved(value: Any, _names: Names) -> Lines:
    return _apart((row["title"], row["text"]) for row in value or ())


def _visits(value: Any, names: Names) -> Lines:
    return _apart((row["title"], _visit(row, names)) for row in value or ())


def _visit(row: Mapping[str, Any], names: Names) -> str:
    time = lasted(row["every_minutes"] * 60)
    said = [_("every %(time)s, %(opens)s–%(closes)s", time=time, opens=row["opens"], closes=row["closes"])]
    said += [row["url"]] if row["url"] else []
    said += [names.person(row["staff_id"])] if row["staff_id"] else []
    if row["source_id"]:
        place = names.places.get(row["source_id"], f"№ {row['source_id']}")
        said.append(_("the connector counts: %(name)s", name=place))
    said += [] if row["active"] else [_("checked no more")]
    return " · ".join(said)


LINES: Mapping[str, Callable[[Any, Names], Lines]] = {
    terms.NAME: _terms,
    kinds.NAME: _kind_rows,
    AGREEMENT: _agreement,
    rota.NAME: _week,
    rota.DAYS: _days,
    facts.NAME: _facts,
    troubles.NAME: _troubles,
    criteria.NAME: _criteria,
    satisfaction.NAME: _asking,
    lint.NAME: _habits,
    search.SYNONYMS: _synonyms,
    retention.NAME: _retention,
    organisation.NAME: _organisation,
    mailbox.NAME: _mailbox,
    bots.NAME: _bots,
    rules.NAME: _rules,
    responsibility.NAME: _duties,
    STAFF: _staff,
    ABSENCES: _absences,
    saved_replies.NAME: _saved,
    visits.NAME: _visits,
}
"""Setting → the lines that a value of it says; they are compared by their titles."""


def _tonight(effect: Effect) -> str:
    title = RETENTION[effect.code.partition(".")[2]]
    return _("%(what)s: %(count)s would go tonight", what=title, count=effect.count)


def _late(effect: Effect) -> str:
    return ngettext("%(num)s deadline is late at once", "%(num)s deadlines are late at once", effect.count)


EFFECTS: Mapping[str, Callable[[Effect], str]] = {
    "terms.earlier": lambda e: ngettext(
        "%(num)s deadline would be earlier", "%(num)s deadlines would be earlier", e.count
    ),
    "terms.later": lambda e: ngettext(
        "%(num)s deadline would be later", "%(num)s deadlines would be later", e.count
    ),
    "terms.late": _late,
    "terms.saved": lambda e: ngettext(
        "%(num)s deadline is no longer late", "%(num)s deadlines are no longer late", e.count
    ),
    "kinds.kind": lambda e: ngettext(
        "%(num)s open case would be of another kind", "%(num)s open cases would be of another kind", e.count
    ),
    "kinds.class": lambda e: ngettext(
        "%(num)s open case would have other terms", "%(num)s open cases would have other terms", e.count
    ),
    "agreement.waits": lambda e: ngettext(
        "Replies in %(num)s more open case would wait, in %(all)s altogether",
        "Replies in %(num)s more open cases would wait, in %(all)s altogether", e.count, **e.data,
    ),
    "agreement.free": lambda e: ngettext(
        "Replies in %(num)s open case would no longer wait", "Replies in %(num)s open cases would no longer wait",
        e.count,
    ),
    "rules.gained": lambda e: ngettext(
        "Of the newest %(tried)s cases a rule would catch %(num)s more",
        "Of the newest %(tried)s cases a rule would catch %(num)s more", e.count, tried=e.tried,
    ),
    "rules.lost": lambda e: ngettext(
        "Of the newest %(tried)s cases no rule would catch %(num)s any more",
        "Of the newest %(tried)s cases no rule would catch %(num)s any more", e.count, tried=e.tried,
    ),
    "rules.moved": lambda e: ngettext(
        "Of the newest %(tried)s cases another rule would decide about %(num)s",
        "Of the newest %(tried)s cases another rule would decide about %(num)s", e.count, tried=e.tried,
    ),
    "duties.named": lambda e: ngettext(
        "Of the newest %(tried)s cases %(num)s that nobody led by name would have somebody",
        "Of the newest %(tried)s cases %(num)s that nobody led by name would have somebody", e.count, tried=e.tried,
    ),
    "duties.hands": lambda e: ngettext(
        "Of the newest %(tried)s cases somebody else would lead %(num)s",
        "Of the newest %(tried)s cases somebody else would lead %(num)s", e.count, tried=e.tried,
    ),
    "duties.nobody": lambda e: ngettext(
        "Of the newest %(tried)s cases nobody by name would lead %(num)s",
        "Of the newest %(tried)s cases nobody by name would lead %(num)s", e.count, tried=e.tried,
    ),
    "duties.asked": lambda e: ngettext(
        "Of the newest %(tried)s cases somebody else would be asked about %(num)s",
        "Of the newest %(tried)s cases somebody else would be asked about %(num)s", e.count, tried=e.tried,
    ),
    "duties.places": lambda e: _("Nobody would lead what comes on: %(names)s", names=", ".join(e.data["names"])),
    "rota.free": lambda e: ngettext(
        "On %(num)s day of the next four weeks nobody would have the duty",
        "On %(num)s days of the next four weeks nobody would have the duty", e.count,
    ),
    **dict.fromkeys((f"retention.{name}" for name in RETENTION), _tonight),
    **MANY_EFFECTS,
}  # fmt: skip
"""Code of services.settings.effects → what is said; all that concerns open work."""


def say_effect(effect: Effect) -> str:
    """The words, with how many were looked at where that is only a part."""
    said = EFFECTS[effect.code](effect)
    if effect.tried < effect.total:
        said += " " + _("(the first %(tried)s of %(total)s were looked at)", tried=effect.tried, total=effect.total)
    return said
