"""From the training school to real work: five questions, what may be taken along, what is missing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Department, SavedReply, Setting, Source, Staff, StaffRole, utc_now
from services.accounts import find_by_email
from services.calendars import is_decreed
from services.documents.organisation import read_organisation, save_organisation
from services.errors import Refused
from services.events import record
from services.nightly import backup_state
from services.people import add_person, own_roles
from services.responsibility import fill_defaults
from services.rights import Actor, require
from services.rules import list_rules, save_rule, switch_rule
from services.saved_replies import save_saved
from services.terms import save_terms, stored_terms
from services.training import invented_people, invented_replies

KEY_KEPT = "key_kept"
CARRIED = ("people", "replies", "rules")
MONTH_OF_CALENDAR = 10
"""From October on the next year's working days are asked for: the decree comes in autumn."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody to be made; ``department`` is a code, None for the department of client relations itself."""

    name: str
    email: str
    role: str = "smm"
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """What the five questions were answered with; the fifth, the place, is a form of its own."""

    school: str
    opens: str
    closes: str
    people: Sequence[Newcomer]


@dataclass(frozen=True, slots=True)
class Entrance:
    """A person who was made, and the one-time password that is shown once."""

    staff: Staff
    password: str


@dataclass(frozen=True, slots=True)
class Luggage:
    """How much of the training desk may be taken along: what the school's own people made there."""

    people: int
    replies: int
    rules: int

    @property
    def is_empty(self) -> bool:
        return not (self.people or self.replies or self.rules)


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the check-list: ``code`` says what, ``done`` whether it is there."""

    code: str
    done: bool


def luggage_of(training: Session) -> Luggage:
    """What there is to take along."""
    return Luggage(len(_own_people(training)), len(_own_replies(training)), len(list_rules(training)))


def checklist(
    session: Session, *, public: bool, mail: bool, zone: str, now: datetime | None = None
) -> tuple[Item, ...]:
    """What a desk needs beside itself; ``public``: web.public_url is set, ``mail``: letters to staff can leave."""
    now = now or utc_now()
    today = now.astimezone(ZoneInfo(zone)).date()
    places = session.scalar(select(func.count()).select_from(Source)) or 0
    year = today.year + 1
    own_days = any(day.startswith(f"{year}-") for day in stored_terms(session).get("changes", {}))
    backup = backup_state(session, now)
    return (
        Item("places", places > 0),
        Item("units", not _empty_units(session)),
        Item("mail", mail),
        Item("public_url", public),
        Item("key", session.scalar(select(Setting.id).where(Setting.name == KEY_KEPT)) is not None),
        Item("backup", backup.at is not None and not backup.late),
        Item("calendar", today.month < MONTH_OF_CALENDAR or own_days or is_decreed(year)),
    )


def _empty_units(session: Session) -> list[str]:
    """Codes of departments that nobody answers for."""
    filled = select(StaffRole.department_id).join(Staff, Staff.id == StaffRole.staff_id).where(Staff.active)
    query = select(Department.code).where(Department.id.not_in(filled.where(StaffRole.department_id.is_not(None))))
    return list(session.scalars(query.where(Department.code != "head").order_by(Department.position)))


def begin(session: Session, actor: Actor, given: Answers) -> list[Entrance]:
    """Puts the answers where they belong, all or nothing; returns whom it made. Raises Refused for the first answer
    that cannot be kept."""
    require(actor, "settings.edit")
    if given.school.strip():
        kept = {f"{group}.{name}": str(value) for group, fields in read_organisation(session).items()
                for name, value in fields.items()}  # fmt: skip
        save_organisation(session, actor, {**kept, "org.name_short": given.school.strip()[:200]})
    save_terms(session, actor, {**stored_terms(session), "hours": [given.opens, given.closes]})
    made = [_make(session, actor, one) for one in given.people if one.name.strip() or one.email.strip()]
    fill_defaults(session, actor)
    record(session, "desk.begun", actor, count=len(made))
    return made


def _make(session: Session, actor: Actor, one: Newcomer) -> Entrance:
    role = "manager" if one.department else one.role
    try:
        return Entrance(
            *add_person(session, actor, name=one.name, email=one.email, roles=(role,), department=one.department)
        )
    except Refused as error:
        error.data.setdefault("who", one.name or one.email)
        raise


def carry_over(session: Session, actor: Actor, training: Session, wanted: Collection[str]) -> list[Entrance]:
    """Takes along what people made while they trained; whom and what was invented stays behind.

    Rules about invented places or people stay behind too. Whoever is known here already is left as they are.
    """
    require(actor, "staff.edit")
    made = []
    if "people" in wanted:
        for row in _own_people(training):
            if find_by_email(session, row.email) is None:
                made.append(_take_person(session, actor, row))
    if "replies" in wanted:
        known = {row.title for row in session.scalars(select(SavedReply))}
        for reply in _own_replies(training):
            if reply.title not in known:
                save_saved(session, actor, None, title=reply.title, text=reply.text)
    if "rules" in wanted:
        _take_rules(session, actor, training)
    return made


def _own_replies(training: Session) -> list[SavedReply]:
    query = select(SavedReply).where(SavedReply.archived_at.is_(None), SavedReply.scope == "all")
    invented = invented_replies()
    return [one for one in training.scalars(query.order_by(SavedReply.id)) if one.text not in invented]


def _own_people(training: Session) -> list[Staff]:
    invented = invented_people()
    query = select(Staff).where(Staff.active, Staff.email.not_in(invented))
    return list(training.scalars(query.order_by(Staff.id)))


def _take_person(session: Session, actor: Actor, row: Staff) -> Entrance:
    unit = next((one.department.code for one in own_roles(row) if one.department is not None), None)
    roles = tuple(one.role for one in own_roles(row))
    return Entrance(*add_person(session, actor, name=row.name, email=row.email, roles=roles, department=unit))


def _take_rules(session: Session, actor: Actor, training: Session) -> None:
    people = _pairs(training, session, Staff, "email")
    units = _pairs(training, session, Department, "code")
    known = {rule.title for rule in list_rules(session)}
    for rule in list_rules(training):
        acts = _translated(rule.acts, people, units)
        if acts is None or rule.conditions.get("place") or rule.title in known:
            continue
        taken = save_rule(session, actor, None, title=rule.title, conditions=rule.conditions, acts=acts)
        if not rule.active:
            switch_rule(session, actor, taken.id, False)


def _pairs(there: Session, here: Session, table: Any, key: str) -> dict[int, int]:
    """Number in training → number here, of rows that bear the same name in both."""
    known = {getattr(row, key): row.id for row in here.scalars(select(table))}
    return {row.id: known[getattr(row, key)] for row in there.scalars(select(table)) if getattr(row, key) in known}


def _translated(
    acts: Mapping[str, Any], people: Mapping[int, int], units: Mapping[int, int]
) -> dict[str, Any] | None:
    """The acts with the numbers of this desk; None where one of them is not here. 0: whoever has least."""
    found: dict[str, Any] = {}
    for name, known in (("staff_id", people), ("tell", people), ("department_id", units)):
        value = acts.get(name)
        if value in (None, 0):
            found[name] = value
        elif value in known:
            found[name] = known[value]
        else:
            return None
    return found


def note_key_kept(session: Session, actor: Actor) -> None:
    """Somebody says that a copy of the key lies in another place."""
    require(actor, "settings.edit")
    if session.scalar(select(Setting.id).where(Setting.name == KEY_KEPT)) is None:
        session.add(Setting(name=KEY_KEPT, value={"at": utc_now().isoformat(), "by": actor.staff_id}))
        record(session, "key.kept", actor)
