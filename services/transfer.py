"""What the department decides as one YAML, out and in: terms, «Кто за что отвечает», rules, criteria of answers,
marks of authors, bots that tell the staff; never a secret."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import Department, Responsibility, Rule, Source, Staff
from services.bots import MESSENGERS, check_bots
from services.bots import NAME as BOTS
from services.criteria import criteria_of, save_criteria
from services.errors import Refused
from services.events import record
from services.recount import change_terms
from services.responsibility import replace_cells
from services.rights import Actor, require
from services.rules import NAME as RULES
from services.rules import list_rules, save_rule, snapshot, switch_rule
from services.satisfaction import asking_of, save_asking
from services.settings.history import keep, keeping, value_of
from services.terms import check_terms, stored_terms

VERSION = 1
MOST_BYTES = 1_000_000
DEEPEST = 50
PARTS = ("terms", "duties", "rules", "criteria", "marks", "bots")
_SHAPES = {"terms": dict, "duties": list, "rules": list, "criteria": list, "marks": dict, "bots": list}


@dataclass(frozen=True, slots=True)
class Change:
    """One part that would change: how many entries there are now and would be then."""

    part: str
    now: int
    then: int


@dataclass(frozen=True, slots=True)
class _Names:
    """Rows by what a file calls them: another desk has other ids."""

    people: Mapping[str, int]
    units: Mapping[str, int]
    places: Mapping[str, int]

    def person(self, name: object) -> int | None:
        return self._of(self.people, name)

    def unit(self, name: object) -> int | None:
        return self._of(self.units, name)

    def place(self, name: object) -> int:
        return self._of(self.places, name) or 0

    def _of(self, known: Mapping[str, int], name: object) -> int | None:
        if name in (None, ""):
            return None
        if str(name) not in known:
            raise Refused("transfer.name", word=str(name)[:60])
        return known[str(name)]


def _names(session: Session) -> _Names:
    return _Names(
        {one.email: one.id for one in session.scalars(select(Staff))},
        {one.code: one.id for one in session.scalars(select(Department))},
        {one.declared_as or one.title: one.id for one in session.scalars(select(Source))},
    )


def export_settings(session: Session, actor: Actor) -> str:
    """The whole as a text to keep or to carry to another desk."""
    require(actor, "settings.edit")
    return yaml.safe_dump({"otklik": VERSION, **_present(session)}, allow_unicode=True, sort_keys=False)


def _present(session: Session) -> dict[str, Any]:
    names = _names(session)
    people, units, places = (
        {key: name for name, key in known.items()} for known in (names.people, names.units, names.places)
    )
    duties = [
        {
            "place": places.get(row.place, ""), "theme": row.theme, "leads": people.get(row.staff_id or 0, ""),
            "department": units.get(row.department_id or 0, ""), "asked": people.get(row.asked_id or 0, ""),
        }
        for row in session.scalars(select(Responsibility).order_by(Responsibility.place, Responsibility.theme))
    ]  # fmt: skip
    rules = []
    for rule in list_rules(session):
        conditions, acts = dict(rule.conditions), dict(rule.acts)
        if "place" in conditions:
            conditions["place"] = places.get(conditions["place"], "")
        leader = acts.get("staff_id")
        rules.append({
            "title": rule.title, "active": rule.active, "when": conditions,
            "leads": "*" if leader == 0 else people.get(leader or 0, ""),
            "department": units.get(acts.get("department_id", 0), ""), "tell": people.get(acts.get("tell", 0), ""),
        })  # fmt: skip
    asking, bots = asking_of(session), value_of(session, BOTS) or {}
    return {
        "terms": stored_terms(session), "duties": duties, "rules": rules,
        "criteria": [{"title": one.title, "active": one.active} for one in criteria_of(session)],
        "marks": {"mail": asking.mail, "messages": asking.messages, "text": asking.text},
        "bots": [
            {"platform": platform, "place": places[bots[platform]["source_id"]], "name": bots[platform]["name"]}
            for platform in MESSENGERS
            if platform in bots and bots[platform]["source_id"] in places
        ],
    }  # fmt: skip


def read_settings(text: str) -> dict[str, Any]:
    """The parts of a file; raises Refused for what is none. Anchors are refused: a few lines of them would unfold
    into more than any memory holds."""
    if len(text.encode()) > MOST_BYTES or _depth(text) > DEEPEST:
        raise Refused("transfer.form")
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise Refused("transfer.form")
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        raise Refused("transfer.form") from None
    if not isinstance(found, dict) or found.get("otklik") != VERSION:
        raise Refused("transfer.form")
    parts = {name: found[name] for name in PARTS if name in found}
    if any(not isinstance(part, _SHAPES[name]) for name, part in parts.items()):
        raise Refused("transfer.form")
    rows = [row for part in parts.values() if isinstance(part, list) for row in part]
    if not all(isinstance(row, dict) for row in rows) or len(rows) > 5000:
        raise Refused("transfer.form")
    return parts


def _depth(text: str) -> int:
    """How many brackets stand open at once, or lists begin in one line: the parser needs the square of it."""
    depth = deepest = 0
    for sign in text:
        depth += (sign in "[{") - (sign in "]}")
        deepest = max(deepest, depth)
    return max(deepest, *(line.count("- ") for line in text.splitlines()), 0)


def changes_of(session: Session, parts: Mapping[str, Any]) -> list[Change]:
    """Which parts differ from what there is."""
    present = _present(session)
    return [
        Change(name, len(present[name]), len(parts[name]))
        for name in PARTS
        if name in parts and parts[name] != present[name]
    ]


def import_settings(session: Session, actor: Actor, text: str) -> list[Change]:
    """Puts the parts of a file in place of what there is, all or nothing; parts it does not name stay."""
    require(actor, "settings.edit")
    parts = read_settings(text)
    changed = changes_of(session, parts)
    names = _names(session)
    try:
        for change in changed:
            _IMPORTS[change.part](session, actor, names, parts[change.part])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Refused("transfer.form") from None
    record(session, "setting.imported", actor, parts=[change.part for change in changed])
    return changed


def _terms(session: Session, actor: Actor, _names: _Names, values: dict[str, Any]) -> None:
    check_terms(values)
    change_terms(session, actor, values, open_too=False)


def _duties(session: Session, actor: Actor, names: _Names, rows: list[dict[str, Any]]) -> None:
    cells = [
        {
            "place": names.place(row.get("place")), "theme": str(row.get("theme") or ""),
            "staff_id": names.person(row.get("leads")), "department_id": names.unit(row.get("department")),
            "asked_id": names.person(row.get("asked")),
        }
        for row in rows
    ]  # fmt: skip
    keys = [(one["place"], one["theme"]) for one in cells]
    if len(set(keys)) != len(keys):
        raise Refused("transfer.form")
    replace_cells(session, actor, [one for one in cells if one["staff_id"] or one["department_id"]])


def _rules(session: Session, actor: Actor, names: _Names, rows: list[dict[str, Any]]) -> None:
    with keeping(session, actor, RULES, snapshot):
        _put_rules(session, actor, names, rows)


def _put_rules(session: Session, actor: Actor, names: _Names, rows: list[dict[str, Any]]) -> None:
    session.execute(delete(Rule))
    session.expire_all()
    for row in rows:
        conditions = dict(row["when"])
        conditions["place"] = names.place(conditions.get("place")) or None
        leads = row.get("leads")
        acts = {
            "staff_id": 0 if leads == "*" else names.person(leads), "tell": names.person(row.get("tell")),
            "department_id": names.unit(row.get("department")),
        }  # fmt: skip
        rule = save_rule(session, actor, None, title=str(row["title"]), conditions=conditions, acts=acts)
        if not row.get("active", True):
            switch_rule(session, actor, rule.id, False)


def _criteria(session: Session, actor: Actor, _names: _Names, rows: list[dict[str, Any]]) -> None:
    """A criterion is the same by its title: its marks stay its own; what the file does not name is laid aside."""
    numbers = {one.title: one.number for one in reversed(criteria_of(session))}
    wanted = [(str(row["title"]), row.get("active", True) is True) for row in rows]
    save_criteria(session, actor, [(numbers.pop(title, None), title, active) for title, active in wanted])


def _marks(session: Session, actor: Actor, _names: _Names, values: dict[str, Any]) -> None:
    """The address stays the desk's own."""
    save_asking(
        session, actor, mail=values.get("mail") is True, messages=values.get("messages") is True,
        text=str(values["text"]), address=asking_of(session).address,
    )  # fmt: skip


def _bots(session: Session, actor: Actor, names: _Names, rows: list[dict[str, Any]]) -> None:
    value = {
        str(row["platform"]): {"source_id": names.place(row["place"]), "name": str(row["name"])} for row in rows
    }
    check_bots(session, value)
    keep(session, actor, BOTS, value)


_IMPORTS: dict[str, Callable[[Session, Actor, _Names, Any], None]] = {
    "terms": _terms,
    "duties": _duties,
    "rules": _rules,
    "criteria": _criteria,
    "marks": _marks,
    "bots": _bots,
}
