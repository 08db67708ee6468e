"""What a change of a setting does to the work that is open, counted before it is kept: name → what is reckoned."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from classifier import kind_of
from models import Case, Message, Responsibility, Rule, Source, Staff, utc_now
from services.absences import local_day
from services.agreement import NAME as AGREEMENT
from services.agreement import Agreement, read_agreement
from services.crm.retention import NAME as RETENTION
from services.crm.retention import RULES as KEPT
from services.crm.retention import due_rows
from services.filters import MOST_GROUPS, Condition, fits, in_stage
from services.kinds import NAME as KINDS
from services.kinds import confirmed_signals, themes_of
from services.presets import AGREEMENT as PRESET_ROWS
from services.recount import effect_of
from services.responsibility import ANY_PLACE, duty_for, theme_of
from services.responsibility import NAME as DUTIES
from services.rights import DESK
from services.rota import NAME as ROTA
from services.rota import days_from
from services.rules import NAME as RULES
from services.rules import TRIED, Matter, first_that_holds
from services.settings.many import HOOK, KEY, PLACE, family_of
from services.settings.many_effects import hook_effects, key_effects, place_effects
from services.settings.reckoning import Effect
from services.terms import NAME as TERMS
from services.terms import class_of, policy_of

MOST = 1000
"""Open cases that are looked at one by one, those that moved last first; beyond that the numbers are of a part."""
SHOWN = 10
DAYS = 28


Reckon = Callable[[Session, Any, Any], list[Effect]]
"""(session, value before, value after) → what it does; reads only."""


def effects_of(session: Session, name: str, before: Any, after: Any) -> list[Effect]:
    """What is to be said of a change; effects that touch nothing are left out."""
    reckon = EFFECTS.get(family_of(name)[0])
    return [one for one in reckon(session, before, after) if one.count] if reckon is not None else []


def has_effects(name: str) -> bool:
    """Whether anything is ever said of a change of this setting."""
    return family_of(name)[0] in EFFECTS


def _terms(session: Session, _before: Any, after: Any) -> list[Effect]:
    found = effect_of(session, after or {})
    counts = {
        "earlier": found.earlier, "later": found.later, "late": found.newly_late, "saved": found.no_longer_late
    }  # fmt: skip
    return [
        Effect(f"terms.{code}", count, found.tried, found.total, found.late_cases[:SHOWN] if code == "late" else ())
        for code, count in counts.items()
    ]


def _kinds(session: Session, before: Any, after: Any) -> list[Effect]:
    rows = (Case.open_key.is_not(None), Case.label.is_not(None), Case.number.is_not(None))
    total = session.scalar(select(func.count()).select_from(Case).where(*rows)) or 0
    newest = select(Case, Message.text).join(Message, Message.id == Case.first_message_id).where(*rows)
    found = session.execute(newest.order_by(Case.last_message_at.desc(), Case.id.desc()).limit(MOST)).all()
    themes = themes_of(session, [case.first_message_id or 0 for case, _text in found])
    signals, policy = confirmed_signals(session, [case.id for case, _text in found]), policy_of(session)
    tables = [None if value is None else value["rows"] for value in (before, after)]
    kinds: list[int] = []
    classes: list[int] = []
    for case, text in found:
        said, raised = themes.get(case.first_message_id or 0, []), signals.get(case.id, set())
        then = [
            kind_of(case.label or "other", said, raised, table, text=text, visibility=case.visibility)
            for table in tables
        ]
        if then[0].name != then[1].name:
            kinds.append(case.id)
        if len({class_of(policy, _like(case, one.name, one.priority)) for one in then}) > 1:
            classes.append(case.id)
    return [
        Effect("kinds.kind", len(kinds), len(found), total, tuple(kinds[:SHOWN])),
        Effect("kinds.class", len(classes), len(found), total, tuple(classes[:SHOWN])),
    ]


def _like(case: Case, kind: str, priority: int) -> Case:
    """A case beside the session, of another kind."""
    return Case(kind=kind, priority=priority, label=case.label, visibility=case.visibility)


def _agreement(session: Session, before: Any, after: Any) -> list[Effect]:
    preset = {"rows": PRESET_ROWS[policy_of(session).preset]}
    was, then = (read_agreement({**preset, **(value or {})}) for value in (before, after))
    old, new = _groups(was), _groups(then)
    counts = [_waiting(session, groups) for groups in (old, new)]
    both = _waiting(session, old, new)
    total = session.scalar(select(func.count()).select_from(Case).where(in_stage(None, False))) or 0
    told = new if len(new) <= MOST_GROUPS else ()
    return [
        Effect("agreement.waits", counts[1] - both, total, total, groups=told, data={"all": counts[1]}),
        Effect("agreement.free", counts[0] - both, total, total),
    ]


def _groups(agreement: Agreement) -> tuple[tuple[Condition, ...], ...]:
    """The rows of the table as a filter of the inbox."""
    found = []
    for row in agreement.rows:
        named = {"kind": row.kind, "visibility": row.visibility, "theme": row.theme, "urgent": row.urgent and "1"}
        found.append(tuple(Condition(name, str(value)) for name, value in named.items() if value))
    return tuple(found)


def _waiting(session: Session, *tables: tuple[tuple[Condition, ...], ...]) -> int:
    """Open cases that a row of each of the tables holds for."""
    if not all(tables):
        return 0
    held = [or_(*(and_(*(fits(one, DESK) for one in group)) for group in groups)) for groups in tables]
    return session.scalar(select(func.count()).select_from(Case).where(in_stage(None, False), *held)) or 0


def _matters(session: Session) -> list[tuple[Case, Matter]]:
    """The newest cases as rules and the table see them."""
    query = (
        select(Case, Message.text)
        .outerjoin(Message, Message.id == Case.first_message_id)
        .where(Case.number.is_not(None))
        .order_by(Case.id.desc())
        .limit(TRIED)
    )
    return [
        (case, Matter(text or "", case.source_id, case.visibility, case.label,
                      case.theme if case.theme is not None else theme_of(text or "")))
        for case, text in session.execute(query)
    ]  # fmt: skip


def _rules(session: Session, before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> list[Effect]:
    was, then = ([Rule(**row) for row in sorted(rows, key=lambda one: one["position"])] for rows in (before, after))
    matters = _matters(session)
    gained, lost, moved = [], [], []
    for case, matter in matters:
        old, new = first_that_holds(was, matter), first_that_holds(then, matter)
        if old is None and new is not None:
            gained.append(case.id)
        elif old is not None and new is None:
            lost.append(case.id)
        elif old is not None and new is not None and (old.id, old.acts) != (new.id, new.acts):
            moved.append(case.id)
    return [
        Effect(f"rules.{code}", len(ids), len(matters), len(matters), tuple(ids[:SHOWN]))
        for code, ids in (("gained", gained), ("lost", lost), ("moved", moved))
    ]


def _duties(session: Session, before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> list[Effect]:
    tables = [{(row["place"], row["theme"]): Responsibility(**row) for row in rows} for rows in (before, after)]
    matters = _matters(session)
    ids: dict[str, list[int]] = {"named": [], "hands": [], "nobody": [], "asked": []}
    for case, matter in matters:
        was, then = (duty_for(cells, matter.place, matter.theme) for cells in tables)
        if was.staff_id != then.staff_id:
            how = "nobody" if then.staff_id is None else "named" if was.staff_id is None else "hands"
            ids[how].append(case.id)
        if (was.department_id, was.asked_id) != (then.department_id, then.asked_id):
            ids["asked"].append(case.id)
    found = [
        Effect(f"duties.{code}", len(some), len(matters), len(matters), tuple(some[:SHOWN]))
        for code, some in ids.items()
    ]
    return [*found, *_gaps(session, *tables)]


def _gaps(session: Session, was: Mapping[Any, Responsibility], then: Mapping[Any, Responsibility]) -> list[Effect]:
    """Places that nobody leads any more."""

    def led(cells: Mapping[Any, Responsibility], place: int) -> bool:
        whole = (cells.get((place, "")), cells.get((ANY_PLACE, "")))
        return any(one is not None and one.staff_id is not None for one in whole)

    places = list(
        session.execute(
            select(Source.id, Source.title).where(Source.state != "stopped", Source.removed_at.is_(None))
        )
    )
    lost = [title for place, title in places if led(was, place) and not led(then, place)]
    return [Effect("duties.places", len(lost), len(places), len(places), data={"names": lost[:SHOWN]})]


def _rota(session: Session, _before: Any, after: Any) -> list[Effect]:
    week = {int(on): int(one) for on, one in (after or {}).get("week", {}).items()}
    there = set(session.scalars(select(Staff.id).where(Staff.active)))
    free = [
        one for one in days_from(session, local_day(session), DAYS, week) if one.staff_id not in there or one.away
    ]
    return [Effect("rota.free", len(free), DAYS, DAYS)]


def _retention(session: Session, _before: Any, after: Any) -> list[Effect]:
    value, now = after or {}, utc_now()
    if not value.get("on"):
        return []
    days = {name: int(value.get("days", {}).get(name, rule.days)) for name, rule in KEPT.items()}
    counts = {name: due_rows(session, name, many, now) for name, many in days.items()}
    return [Effect(f"retention.{name}", count, count, count) for name, count in counts.items()]


EFFECTS: Mapping[str, Reckon] = {
    TERMS: _terms,
    KINDS: _kinds,
    AGREEMENT: _agreement,
    RULES: _rules,
    DUTIES: _duties,
    ROTA: _rota,
    RETENTION: _retention,
    PLACE: place_effects,
    KEY: key_effects,
    HOOK: hook_effects,
}
"""Settings that are not named touch nothing that is open."""
