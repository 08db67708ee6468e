"""Where each setting is edited and what it is called there."""

from collections.abc import Mapping
from typing import Any

from flask import url_for

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
from services.crm import retention
from services.documents import organisation
from services.incidents import troubles
from services.settings.many import family_of
from services.settings.people import ABSENCES, STAFF
from web.language import Lazy, _l
from web.setting_many import FAMILIES
from web.setting_many import NOTES as MANY_NOTES
from web.setting_many import SCREENS as MANY_SCREENS

SCREENS: Mapping[str, tuple[Lazy, str]] = {
    terms.NAME: (_l("Deadlines"), "terms.index"),
    kinds.NAME: (_l("Table of kinds"), "quality.kinds"),
    AGREEMENT: (_l("Agreement to replies"), "agreement.index"),
    rota.NAME: (_l("Duty days"), "rota.index"),
    rota.DAYS: (_l("Days that differ"), "rota.index"),
    facts.NAME: (_l("Facts"), "facts.index"),
    troubles.NAME: (_l("What makes an incident"), "incidents.troubles"),
    criteria.NAME: (_l("Criteria of reviews"), "reviews.criteria"),
    satisfaction.NAME: (_l("Marks of authors"), "satisfaction.settings"),
    lint.NAME: (_l("Check of replies"), "checks.index"),
    search.SYNONYMS: (_l("Words of the same meaning"), "search.words"),
    retention.NAME: (_l("How long data are kept"), "privacy.index"),
    organisation.NAME: (_l("Requisites"), "contracts.organisation"),
    mailbox.NAME: (_l("Mail for notices"), "mailbox.index"),
    bots.NAME: (_l("Bots for notices"), "mailbox.index"),
    rules.NAME: (_l("Rules"), "rules.index"),
    responsibility.NAME: (_l("Who answers for what"), "duties.index"),
    STAFF: (_l("Staff"), "staff.index"),
    ABSENCES: (_l("Who is away"), "absences.index"),
    visits.NAME: (_l("Checks of places"), "visits.index"),
    saved_replies.NAME: (_l("Saved replies"), "saved.index"),
}
"""Setting → its title and the screen on which it is edited."""
NOTES: Mapping[str, Lazy] = {
    kinds.NAME: _l("What is judged already keeps its kind; the table holds for what is judged from now on."),
    AGREEMENT: _l("Replies that wait already go on waiting; the table holds for what is written from now on."),
    rules.NAME: _l("Open cases stay with whoever leads them; rules hold for what comes from now on."),
    responsibility.NAME: _l("Open cases stay with whoever leads them; the table holds for what comes from now on."),
    STAFF: _l("Whoever was added since stays as they are; passwords and logins are no part of it."),
    visits.NAME: _l("What was added since is checked no more; who looked and when stays."),
    ABSENCES: _l("What is over stays, and cases that went to a deputy stay there."),
}
"""How far a change reaches, where that is not plain."""


def title_of(name: str, value: Mapping[str, Any] | None = None) -> str:
    """What a setting is called, of one of many with its own name where a version is at hand."""
    family, number = family_of(name)
    if number is None:
        return str(SCREENS[name][0])
    own = value.get("title") or value.get("name") if value is not None else None
    return f"{FAMILIES[family]}: {own}" if own else f"{FAMILIES[family]} № {number}"


def screen_of(name: str) -> str:
    """The address of the screen on which a setting is edited."""
    family, number = family_of(name)
    return url_for(SCREENS[name][1] if number is None else MANY_SCREENS[family])


def note_of(name: str) -> Lazy | None:
    """How far a change of a setting reaches, where that is not plain."""
    return {**NOTES, **MANY_NOTES}.get(family_of(name)[0])


def is_setting(name: object) -> bool:
    """Whether there is a history under this name."""
    return isinstance(name, str) and (name in SCREENS or (family_of(name)[0] in FAMILIES and ":" in name))
