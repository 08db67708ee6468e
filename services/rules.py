"""Rules: what the desk does by itself with a new case; conditions and acts are data, the first one decides."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import Case, Department, Message, Notice, Rule, Source, Staff
from services.absences import replying, stand_ins
from services.errors import NotFound, Refused
from services.events import record
from services.responsibility import all_themes, theme_of
from services.rights import DESK, Actor, actor_of, require
from services.settings.history import keeping
from services.targets import check_answers

NAME = "rules"
COLUMNS = ("position", "title", "active", "conditions", "acts")
LABELS = ("question", "complaint", "wish", "praise", "other", "spam")
VISIBILITIES = ("public", "private")
MOST_WORDS = 30
TRIED = 300
SPREAD = 0
"""The act «кому свободнее»: whoever is there and leads fewest open cases."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What a rule looks at."""

    text: str
    place: int
    visibility: str
    label: str | None
    theme: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule would have done with the newest cases: how many were looked at, which it would have caught."""

    tried: int
    caught: tuple[Case, ...]


def list_rules(session: Session) -> list[Rule]:
    """In the order in which they are asked."""
    return list(session.scalars(select(Rule).order_by(Rule.position, Rule.id)))


def snapshot(session: Session) -> list[dict[str, Any]]:
    """The rules as a version keeps them, in their order."""
    return [{name: getattr(rule, name) for name in ("id", *COLUMNS)} for rule in list_rules(session)]


def get_rule(session: Session, rule_id: int) -> Rule:
    rule = session.get(Rule, rule_id)
    if rule is None:
        raise NotFound("rule.unknown", id=rule_id)
    return rule


def holds(conditions: Mapping[str, Any], matter: Matter) -> bool:
    """Every condition that is named must hold; words are beginnings of words, one of them is enough."""
    if conditions.get("place") and conditions["place"] != matter.place:
        return False
    if conditions.get("visibility") and conditions["visibility"] != matter.visibility:
        return False
    if conditions.get("label") and conditions["label"] != matter.label:
        return False
    if conditions.get("theme") and conditions["theme"] != matter.theme:
        return False
    words = conditions.get("words") or []
    return not words or any(_stands_in(word, matter.text) for word in words)


def _stands_in(word: str, text: str) -> bool:
    """«возврат» stands in «Возврата нет»; what people type is never a pattern, so it cannot run wild."""
    return re.search(r"(?<!\w)" + re.escape(_fold(word)), _fold(text)) is not None


def _fold(text: str) -> str:
    return text.casefold().replace("ё", "е")


def first_that_holds(rules: Sequence[Rule], matter: Matter) -> Rule | None:
    """The rule that decides; None leaves it to «Кто за что отвечает»."""
    return next((rule for rule in rules if rule.active and holds(rule.conditions, matter)), None)


def matter_of(session: Session, case: Case) -> Matter:
    """A case as rules see it."""
    text = session.scalar(select(Message.text).where(Message.id == case.first_message_id)) or ""
    theme = case.theme if case.theme is not None else theme_of(text)
    return Matter(text, case.source_id, case.visibility, case.label, theme)


def try_rule(session: Session, conditions: Mapping[str, Any]) -> Trial:
    """The dry run over the newest cases; nothing changes."""
    newest = select(Case).where(Case.number.is_not(None)).order_by(Case.id.desc()).limit(TRIED)
    cases = list(session.scalars(newest))
    return Trial(len(cases), tuple(case for case in cases if holds(conditions, matter_of(session, case))))


def apply_rules(session: Session, cases: Sequence[Case]) -> None:
    """What the first rule that holds says is done with each new case; nobody is taken off a case."""
    rules = [rule for rule in list_rules(session) if rule.active]
    if not rules:
        return
    for case in cases:
        rule = first_that_holds(rules, matter_of(session, case))
        if rule is not None:
            _apply(session, rule, case)


def _apply(session: Session, rule: Rule, case: Case) -> None:
    session.execute(update(Rule).where(Rule.id == rule.id).values(hits=Rule.hits + 1))
    record(session, "rule.applied", DESK, case_id=case.id, object_id=rule.id)
    leader = rule.acts.get("staff_id")
    if leader is not None and case.assignee_id is None:
        chosen = _least_loaded(session) if leader == SPREAD else stand_ins(session).get(leader, leader)
        person = session.get(Staff, chosen) if chosen else None
        if person is not None and actor_of(person).may("case.reply"):
            case.assignee_id = person.id
            record(session, "case.assigned", DESK, case_id=case.id, object_id=person.id)
    unit = session.get(Department, rule.acts.get("department_id") or 0)
    if unit is not None:
        case.department = unit.code
    told = session.get(Staff, rule.acts.get("tell") or 0)
    if told is not None and told.active:
        session.add(Notice(staff_id=told.id, kind="rule", case_id=case.id))


def _least_loaded(session: Session) -> int | None:
    counted = select(Case.assignee_id, func.count()).where(Case.open_key.is_not(None)).group_by(Case.assignee_id)
    numbers = {row[0]: row[1] for row in session.execute(counted)}
    people = replying(session, session.scalars(select(Staff).where(Staff.active)))
    return min((one.id for one in people), key=lambda one: (numbers.get(one, 0), one), default=None)


def save_rule(
    session: Session,
    actor: Actor,
    rule_id: int | None,
    *,
    title: str,
    conditions: Mapping[str, Any],
    acts: Mapping[str, Any],
    form_key: str | None = None,
) -> Rule:
    """Makes or changes a rule; raises Refused for one without a condition, an act, or with what there is not.

    A new one that comes twice with the same ``form_key`` is one rule.
    """
    require(actor, "settings.edit")
    checked, wanted = check_rule(session, title, conditions, acts)
    with keeping(session, actor, NAME, snapshot):  # from here on whoever else sends it waits
        known = session.scalar(select(Rule).where(Rule.form_key == form_key)) if form_key and not rule_id else None
        if known is not None:
            return known
        rule = _put(session, rule_id)
        rule.form_key = rule.form_key or form_key or None
        rule.title, rule.conditions, rule.acts = title.strip()[:200], checked, wanted
        session.add(rule)
        session.flush()
    record(session, "rule.saved", actor, object_id=rule.id)
    return rule


def _put(session: Session, rule_id: int | None) -> Rule:
    if rule_id is None:
        last = session.scalar(select(func.max(Rule.position))) or 0
        return Rule(position=last + 1, active=True, hits=0)
    return get_rule(session, rule_id)


def replace_rules(session: Session, actor: Actor, rows: Sequence[Mapping[str, Any]]) -> None:
    """The rules become these of a snapshot: those that are there keep their number and count of hits. One that is
    on and names what there is no more is refused, one that is off is only kept."""
    require(actor, "settings.edit")
    for one in rows:
        if one["active"]:
            check_rule(session, one["title"], one["conditions"], one["acts"])
    with keeping(session, actor, NAME, snapshot):
        known = {rule.id: rule for rule in list_rules(session)}
        for gone in known.keys() - {one["id"] for one in rows}:
            session.delete(known[gone])
        for one in rows:
            rule = known.get(one["id"]) or Rule(id=one["id"], hits=0)
            for name in COLUMNS:
                setattr(rule, name, one[name])
            session.add(rule)


def check_rule(
    session: Session, title: str, conditions: Mapping[str, Any], acts: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(conditions, acts) as they are kept; raises Refused or NotFound naming what the rule cannot point to."""
    checked, wanted = check_conditions(session, conditions), _check_acts(session, acts)
    if not title.strip():
        raise Refused("name.empty")
    return checked, wanted


def check_conditions(session: Session, given: Mapping[str, Any]) -> dict[str, Any]:
    """Only what is known and named; raises Refused when nothing is left."""
    found: dict[str, Any] = {}
    if given.get("place"):
        if session.get(Source, given["place"]) is None:
            raise NotFound("source.unknown", id=given["place"])
        found["place"] = given["place"]
    for name, known in (("visibility", VISIBILITIES), ("label", LABELS), ("theme", all_themes())):
        if given.get(name):
            if given[name] not in known:
                raise Refused("rule.condition", name=name)
            found[name] = given[name]
    words = [str(word).strip() for word in given.get("words", ()) if len(str(word).strip()) > 1]
    if words:
        found["words"] = words[:MOST_WORDS]
    if not found:
        raise Refused("rule.empty")
    return found


def _check_acts(session: Session, given: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: given[name] for name in ("staff_id", "department_id", "tell") if given.get(name) is not None}
    if not found:
        raise Refused("rule.no_act")
    for name in ("staff_id", "tell"):
        if found.get(name):
            check_answers(session, found[name])
    if found.get("department_id") and session.get(Department, found["department_id"]) is None:
        raise NotFound("department.unknown", id=found["department_id"])
    return found


def switch_rule(session: Session, actor: Actor, rule_id: int, active: bool) -> Rule:
    require(actor, "settings.edit")
    rule = get_rule(session, rule_id)
    if active:
        check_rule(session, rule.title, rule.conditions, rule.acts)
    with keeping(session, actor, NAME, snapshot):
        rule.active = active
    record(session, "rule.switched", actor, object_id=rule.id, active=active)
    return rule


def move_rule(session: Session, actor: Actor, rule_id: int, up: bool) -> None:
    """One place earlier or later."""
    require(actor, "settings.edit")
    rules = list_rules(session)
    at = next((number for number, rule in enumerate(rules) if rule.id == rule_id), None)
    if at is None:
        raise NotFound("rule.unknown", id=rule_id)
    to = at - 1 if up else at + 1
    with keeping(session, actor, NAME, snapshot):
        if 0 <= to < len(rules):
            rules[at], rules[to] = rules[to], rules[at]
        for number, rule in enumerate(rules):
            rule.position = number
    record(session, "rule.moved", actor, object_id=rule_id, up=up)


def drop_rule(session: Session, actor: Actor, rule_id: int) -> None:
    require(actor, "settings.edit")
    with keeping(session, actor, NAME, snapshot):
        session.delete(get_rule(session, rule_id))
    record(session, "rule.dropped", actor, object_id=rule_id)


def named_by(rule: Rule, staff_id: int) -> bool:
    """Whether a rule gives something to the person or tells them."""
    return staff_id in (rule.acts.get("staff_id"), rule.acts.get("tell"))


def hand_rules(session: Session, actor: Actor, staff_id: int, to_id: int | None) -> None:
    """Rules name another; one that would do nothing then is switched off."""
    with keeping(session, actor, NAME, snapshot):
        for rule in list_rules(session):
            if named_by(rule, staff_id):
                acts = {name: (to_id if value == staff_id and name != "department_id" else value)
                        for name, value in rule.acts.items()}  # fmt: skip
                rule.acts = {name: value for name, value in acts.items() if value is not None}
                rule.active = rule.active and bool(rule.acts)
