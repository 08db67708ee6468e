"""Every setting that has versions: whose right it is, how it is read as a version, how a version is put back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from collectors.wire import Guard
from services import (
    absences,
    api_keys,
    bots,
    criteria,
    facts,
    kinds,
    lint,
    mailbox,
    places,
    responsibility,
    roster,
    rota,
    rules,
    satisfaction,
    saved_replies,
    search,
    terms,
    visits,
    webhooks,
)
from services.agreement import NAME as AGREEMENT
from services.agreement import check_agreement
from services.crm import retention
from services.documents import organisation
from services.errors import NotFound, Refused
from services.incidents import troubles
from services.rights import Actor, require
from services.secrets import Keyring
from services.settings.history import Last, bringing_back, get_version, keep, last_change, value_of
from services.settings.many import HOOK, KEY, PLACE, family_of
from services.settings.people import ABSENCES, STAFF, absence_rows, staff_rows
from services.settings.places import place_row
from services.settings.programs import hook_row, key_row
from services.targets import covered

Put = Callable[[Session, Actor, Any], None]


@dataclass(frozen=True, slots=True)
class Known:
    """``act`` is asked for looking and for changing; ``put`` checks a version's value by what holds today, naming
    what is broken, and keeps it; ``read`` is how the present state would stand in a version."""

    act: str
    put: Put
    read: Callable[[Session], Any]


def _row(name: str, act: str, check: Callable[[Session, Any], None]) -> Known:
    """A setting whose value is one row; None brings back what came with the desk."""

    def put(session: Session, actor: Actor, value: Any) -> None:
        if value is not None:
            check(session, value)
        keep(session, actor, name, value)

    return Known(act, put, lambda session: value_of(session, name))


def _put_kinds(session: Session, actor: Actor, value: Any) -> None:
    kinds.save_table(session, actor, None if value is None else value["rows"])


def _put_week(session: Session, actor: Actor, value: Any) -> None:
    if value is None:
        with covered(session):
            keep(session, actor, rota.NAME, None)
        return
    rota.set_week(session, actor, {int(day): staff_id for day, staff_id in value.get("week", {}).items()})


def _put_criteria(session: Session, actor: Actor, value: Any) -> None:
    """Criteria made since are laid aside: marks were given by them."""
    rows = criteria.read_criteria(value)
    criteria.save_criteria(session, actor, [(one.number, one.title, one.active) for one in rows])


def _put_asking(session: Session, actor: Actor, value: Any) -> None:
    if value is None:
        keep(session, actor, satisfaction.NAME, None)
        return
    satisfaction.save_asking(
        session, actor, mail=value["mail"], messages=value["messages"], text=value["text"],
        address=satisfaction.asking_of(session).address or value["address"],
    )  # fmt: skip


def _put_mail(session: Session, actor: Actor, value: Any) -> None:
    """The password of another server was never kept in a version: it must be typed anew."""
    now = value_of(session, mailbox.NAME) or {}
    if value is not None and "source_id" in value:
        mailbox.choose_mailbox(session, actor, value["source_id"])
        return
    if value is not None and "smtp" in value:
        same = all(now.get("smtp", {}).get(name) == value["smtp"].get(name) for name in mailbox.LOGIN)
        if "smtp" not in now or not same:
            raise Refused("setting.secret")
        value = {**value, "secrets": now.get("secrets", "")}
    keep(session, actor, mailbox.NAME, value)


def _check_organisation(_session: Session, value: Any) -> None:
    organisation.check_fields(
        {f"{group}.{name}": one for group, said in value.items() for name, one in said.items()}
    )


def _check_retention(_session: Session, value: Any) -> None:
    retention.check_days(value["days"])


KNOWN: Mapping[str, Known] = {
    terms.NAME: _row(terms.NAME, "settings.edit", lambda _session, value: terms.check_terms(value)),
    kinds.NAME: Known("settings.edit", _put_kinds, lambda session: value_of(session, kinds.NAME)),
    AGREEMENT: _row(AGREEMENT, "settings.edit", check_agreement),
    rota.NAME: Known("duty.edit", _put_week, lambda session: value_of(session, rota.NAME)),
    rota.DAYS: Known("duty.edit", rota.replace_days, rota.snapshot),
    facts.NAME: Known("fact.edit", facts.replace_facts, facts.snapshot),
    troubles.NAME: _row(
        troubles.NAME, "settings.edit",
        lambda session, value: troubles.check_troubles(session, troubles.read_troubles(value)),
    ),
    criteria.NAME: Known("review.mark", _put_criteria, lambda session: value_of(session, criteria.NAME)),
    satisfaction.NAME: Known("settings.edit", _put_asking, lambda session: value_of(session, satisfaction.NAME)),
    lint.NAME: _row(lint.NAME, "settings.edit", lambda _session, value: lint.check_habits(value)),
    search.SYNONYMS: _row(search.SYNONYMS, "settings.edit", lambda _session, _value: None),
    retention.NAME: _row(retention.NAME, "privacy.act", _check_retention),
    organisation.NAME: _row(organisation.NAME, "template.approve", _check_organisation),
    mailbox.NAME: Known("settings.edit", _put_mail, lambda session: mailbox.stored_mail(session) or None),
    bots.NAME: _row(bots.NAME, "settings.edit", bots.check_bots),
    rules.NAME: Known("settings.edit", rules.replace_rules, rules.snapshot),
    STAFF: Known("staff.edit", roster.replace_staff, staff_rows),
    ABSENCES: Known("absence.edit", absences.replace_absences, absence_rows),
    visits.NAME: Known("visit.edit", visits.replace_places, visits.snapshot),
    saved_replies.NAME: Known("saved.edit", saved_replies.replace_saved, saved_replies.snapshot),
    responsibility.NAME: Known("duty.edit", responsibility.replace_cells, responsibility.snapshot),
}  # fmt: skip
"""Name → setting. What the desk remembers for itself under other names has no versions (services.leases …)."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What the door lends for putting a version back: the keys of secrets, the addresses that may be called."""

    keyring: Keyring
    guard: Guard


@dataclass(frozen=True, slots=True)
class Family:
    """Settings of which there are many, as Known, each told by its number."""

    permit: Callable[[Session, Actor, int], object]
    """Raises for whoever may not look at its history."""
    put: Callable[[Session, Actor, int, Any, Tools], None]
    read: Callable[[Session, int], Any]
    returns: Callable[[Session, Actor, int], bool] = lambda _session, _actor, _number: True
    """Whether any version of it can still be brought back by the actor."""


FAMILIES: Mapping[str, Family] = {
    PLACE: Family(
        lambda _session, actor, _number: require(actor, "source.edit"),
        lambda session, actor, number, value, tools: places.put_place(session, actor, tools.keyring, number, value),
        place_row,
    ),
    KEY: Family(
        api_keys.get_key,
        lambda session, actor, number, value, _tools: api_keys.put_key(session, actor, number, value),
        key_row,
        api_keys.is_mine_and_alive,
    ),
    HOOK: Family(
        lambda _session, actor, _number: require(actor, "settings.edit"),
        lambda session, actor, number, value, tools: webhooks.put_hook(session, actor, tools.guard, number, value),
        hook_row,
    ),
}
"""Family → how each of it is read and put back."""


def permit(session: Session, actor: Actor, name: str) -> None:
    """Raises NotFound for a setting that there is not, Forbidden for whoever may not change it."""
    family, number = family_of(name)
    if number is not None and family in FAMILIES:
        FAMILIES[family].permit(session, actor, number)
        if FAMILIES[family].read(session, number) is None:
            raise NotFound("setting.unknown", name=name)
        return
    if name not in KNOWN:
        raise NotFound("setting.unknown", name=name)
    require(actor, KNOWN[name].act)


def read_setting(session: Session, name: str) -> Any:
    """How the setting would stand in a version now."""
    family, number = family_of(name)
    return FAMILIES[family].read(session, number) if number is not None else KNOWN[name].read(session)


def look(session: Session, actor: Actor, name: str) -> Last:
    """The newest version of a setting that the actor may change; raises NotFound or Forbidden."""
    permit(session, actor, name)
    return last_change(session, name)


def may_return(session: Session, actor: Actor, name: str) -> bool:
    """Whether versions are to be offered for bringing back."""
    family, number = family_of(name)
    return number is None or FAMILIES[family].returns(session, actor, number)


def take_back(session: Session, actor: Actor, name: str, number: int, tools: Tools | None = None) -> None:
    """Puts version ``number`` in place of what there is, as a version of its own; raises Refused naming what in it
    points to nothing any more, ValueError where one of many is to be put back without ``tools``."""
    permit(session, actor, name)
    value, (family, one) = get_version(session, name, number).value, family_of(name)
    with bringing_back(session, number):
        if one is None:
            KNOWN[name].put(session, actor, value)
        elif tools is None:
            raise ValueError(name)
        else:
            FAMILIES[family].put(session, actor, one, value, tools)
