"""A place, a key and a web hook in words: what a version of each says line by line, what a change does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collectors import CHANNELS
from services.connections import Field, fields_of
from services.settings.many import PLACE, family_of
from services.settings.reckoning import Effect
from web.dates import when
from web.language import Lazy, _, _l, ngettext
from web.place_words import DEPTHS, choice_name

FAMILIES: Mapping[str, Lazy] = {PLACE: _l("Place")}
SCREENS: Mapping[str, str] = {PLACE: "sources.index"}
"""Family → the screen on which they stand."""
NOTES: Mapping[str, Lazy] = {
    PLACE: _l(
        "Keys and passwords stay those of today: versions do not keep them. What has come from the place stays, "
        "and so does what is waiting to be sent."
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
    found[_("State")] = str(STATES[value["state"]])
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


LINES: Mapping[str, Callable[[Any, Names], Lines]] = {PLACE: _place}
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
