"""A place, a key and a web hook in words: what a version of each says line by line, what a change does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collectors import CHANNELS, channel_class
from services.connections import Field, fields_of
from services.settings.many import HOOK, KEY, PLACE, family_of
from services.settings.reckoning import Effect
from web.api_words import EVENTS, SCOPES
from web.dates import when
from web.language import Lazy, _, _l, ngettext
from web.place_words import DEPTHS, choice_name

FAMILIES: Mapping[str, Lazy] = {PLACE: _l("Place"), KEY: _l("Key of the API"), HOOK: _l("Outgoing web hook")}
SCREENS: Mapping[str, str] = {PLACE: "sources.index", KEY: "api_keys.index", HOOK: "tokens.index"}
"""Family → the screen on which they stand."""
NOTES: Mapping[str, Lazy] = {
    PLACE: _l(
        "Keys and passwords stay those of today: versions do not keep them. What has come from the place stays, "
        "and so does what is waiting to be sent."
    ),
    KEY: _l(
        "Name and scopes can be brought back while the key lives. A revoked key stays revoked: the desk does not "
        "know it, only its print."
    ),
    HOOK: _l(
        "Name, address and events can be brought back, a secret cannot: versions do not keep it. A deleted address "
        "comes back switched off and waits for a new secret."
    ),
}
STATES: Mapping[str, Lazy] = {
    "on": _l("being read"),
    "paused": _l("paused"),
    "manual": _l("by hand: people bring the texts"),
    "removed": _l("removed from the list"),
}
Lines = dict[str, str]


@dataclass(frozen=True, slots=True)
class Names:
    """What ids and codes are called today; who or what is gone goes by number."""

    people: Mapping[int, str]
    places: Mapping[int, str]
    units: Mapping[int, str]
    codes: Mapping[str, str]
    preset: str

    def person(self, staff_id: int | None) -> str:
        return self.people.get(staff_id or 0, f"№ {staff_id}")


def _place(value: Any, _names: Names) -> Lines:
    if value is None:
        return {}
    found = {_("Name of the place"): str(value["title"])} if "title" in value else {}
    fields = {one.name: one for one in fields_of(value["platform"])}
    for name, said in value.get("settings", {}).items():
        if name in fields and said not in (None, "", []):
            found[_(fields[name].title)] = _setting(fields[name], said)
    for name, at in value.get("secrets", {}).items():
        title = _(fields[name].title) if name in fields else name
        found[title] = _("entered %(time)s", time=when(datetime.fromisoformat(at))) if at else _("entered")
    can = channel_class(value["platform"]).can
    by_people = value["state"] == "on" and can.grade == "manual"
    found[_("State")] = str(STATES["manual" if by_people else value["state"]])
    if can.grade == "reread":
        found[_("How much history to take")] = str(DEPTHS[value["depth"]])
    if value["rests"]:
        found[_("Reading of history")] = _("rests")
    return found


def _setting(field: Field, said: Any) -> str:
    if field.kind == "flag":
        return _("Yes") if said else _("No")
    if field.kind == "choice":
        return choice_name(str(said))
    return ", ".join(map(str, said)) if isinstance(said, list) else str(said)


def _key(value: Any, names: Names) -> Lines:
    if value is None:
        return {}
    until = f"{datetime.fromisoformat(value['until']):%d.%m.%Y}"
    return {
        _("Owner of the key"): names.person(value["staff_id"]), _("What it is for"): str(value["name"]),
        _("What it may do"): ", ".join(str(SCOPES.get(one, one)) for one in value["scopes"]),
        _("Lives until"): until, _("State"): _("revoked") if value["revoked"] else _("opens the desk"),
    }  # fmt: skip


HOOK_WORDS: Mapping[str, Lazy] = {
    "on": _l("is told"), "off": _l("is told nothing"), "dropped": _l("address deleted")
}  # fmt: skip


def _hook(value: Any, _names: Names) -> Lines:
    if value is None:
        return {}
    at = value["secret"]
    return {
        _("What it is called"): str(value["name"]), _("Which address is told"): str(value["url"]),
        _("Of what"): ", ".join(str(EVENTS.get(one, one)) for one in value["events"]),
        _("Secret of the signature"): _("made %(time)s", time=when(datetime.fromisoformat(at))) if at else "—",
        _("State"): str(HOOK_WORDS[value["state"]]),
    }  # fmt: skip


LINES: Mapping[str, Callable[[Any, Names], Lines]] = {PLACE: _place, KEY: _key, HOOK: _hook}
"""Family → the lines that a version says."""

EFFECTS: Mapping[str, Callable[[Effect], str]] = {
    "place.cases": lambda e: ngettext(
        "%(num)s open case stands on this place", "%(num)s open cases stand on this place", e.count
    ),
    "place.unread": lambda e: ngettext(
        "%(num)s message that has come is not understood yet",
        "%(num)s messages that have come are not understood yet", e.count,
    ),
    "place.unsent": lambda e: ngettext(
        "%(num)s reply that is not sent yet would wait", "%(num)s replies that are not sent yet would wait", e.count
    ),
    "place.by_hand": lambda e: ngettext(
        "%(num)s reply that is not sent yet would not go: you would publish it yourself",
        "%(num)s replies that are not sent yet would not go: you would publish them yourself", e.count,
    ),
    "key.ends": lambda e: _(
        "A program of %(who)s uses the key «%(key)s», last %(time)s: it would be refused at once. A revoked key "
        "cannot be brought back.", who=e.data["who"], key=e.data["key"], time=when(e.data["at"]),
    ),
    "key.loses": lambda e: _(
        "A program of %(who)s uses the key, last %(time)s. It could no longer: %(scopes)s", who=e.data["who"],
        time=when(e.data["at"]), scopes=", ".join(str(SCOPES.get(one, one)) for one in e.data["scopes"]),
    ),
    "hook.waits": lambda e: ngettext(
        "%(num)s event that waits to be told would never be", "%(num)s events that wait to be told would never be",
        e.count,
    ),
    "hook.moves": lambda e: ngettext(
        "%(num)s event that waits to be told would go to the new address",
        "%(num)s events that wait to be told would go to the new address", e.count,
    ),
    "place.bot": lambda e: ngettext(
        "%(num)s colleague would get no notices from its bot any more",
        "%(num)s colleagues would get no notices from its bot any more", e.count,
    ),
}  # fmt: skip
"""Code of services.settings.many_effects → what is said."""


def secrets_of(name: str) -> Mapping[str, Lazy | str]:
    """Fields of secrets in the form of a setting → their titles: a page never draws one back, it asks once more."""
    if family_of(name)[0] != PLACE:
        return {"password": _l("Password")}
    fields = (field for platform in CHANNELS for field in fields_of(platform) if field.kind == "secret")
    return {field.name: _(field.title) for field in fields}
