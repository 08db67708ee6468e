"""What the screen «Сотрудники» and the first start do with people, over services.accounts."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models import Department, Responsibility, Staff, StaffRole
from services.accounts import (
    create_staff,
    is_empty,
    list_staff,
    may_by_own,
    reset_password,
    seed_departments,
    somebody_left,
)
from services.agreement import agreement_of
from services.entrance import send_link
from services.errors import NotFound, Refused
from services.events import record
from services.leases import hold_lease
from services.presets import HEAD_ROLES
from services.rights import DESK, ROLES, Actor, actor_of, require
from services.settings.history import keeping
from services.settings.people import STAFF, staff_rows
from services.workload import holdings_of

FIRST = "staff.first"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look like one another


@dataclass(frozen=True, slots=True)
class Person:
    """One line of «Сотрудники»."""

    staff: Staff
    roles: tuple[str, ...]
    departments: tuple[Department, ...]


def people(session: Session, actor: Actor) -> tuple[Person, ...]:
    """Everybody, those who may come in first, each by name."""
    require(actor, "staff.view")
    units = {unit.id: unit for unit in session.scalars(select(Department))}
    found = sorted(list_staff(session, active=False), key=lambda staff: (not staff.active, staff.name))
    return tuple(
        Person(
            staff,
            tuple(role for role in ROLES if any(row.role == role for row in own_roles(staff))),
            tuple(units[row.department_id] for row in own_roles(staff) if row.department_id in units),
        )
        for staff in found
    )


def own_roles(staff: Staff) -> list[StaffRole]:
    """Roles that the person holds by themselves, not in another's stead."""
    return [row for row in staff.roles if row.absence_id is None]


def get_person(session: Session, actor: Actor, staff_id: int) -> Staff:
    require(actor, "staff.view")
    staff = session.get(Staff, staff_id)
    if staff is None:
        raise NotFound("staff.unknown", id=staff_id)
    return staff


def new_password() -> str:
    """A password to be read aloud and typed once: twelve letters and digits, some 59 bits."""
    letters = [secrets.choice(_LETTERS) for _ in range(12)]
    return "-".join("".join(letters[start : start + 4]) for start in (0, 4, 8))


def add_person(
    session: Session, actor: Actor, *, name: str, email: str, roles: Sequence[str], department: str | None
) -> tuple[Staff, str]:
    """(the person, the one-time password, which is stored nowhere in clear)."""
    password = new_password()
    with keeping(session, actor, STAFF, staff_rows):
        staff = create_staff(
            session, actor, email=email, name=name, roles=tuple(roles), department=department or None,
            password=password, must_change=True,
        )  # fmt: skip
    return staff, password


def invite_person(
    session: Session, actor: Actor, *, name: str, email: str, roles: Sequence[str], department: str | None
) -> Staff:
    """The person without a password: a letter with a link lets them choose one."""
    with keeping(session, actor, STAFF, staff_rows):
        staff = create_staff(
            session, actor, email=email, name=name, roles=tuple(roles), department=department or None
        )
    invite(session, actor, staff.id)
    return staff


def invite(session: Session, actor: Actor, staff_id: int) -> Staff:
    """Sends the link anew; raises Refused when it was sent too often."""
    require(actor, "staff.edit")
    staff = get_person(session, DESK, staff_id)
    send_link(session, staff, "invite")
    return staff


def edit_person(
    session: Session,
    actor: Actor,
    staff_id: int,
    *,
    name: str,
    roles: Sequence[str],
    department: str | None,
    trainee: bool = False,
) -> Staff:
    """Changes name and roles; nobody takes the right to do so from themselves."""
    require(actor, "staff.edit")
    staff = get_person(session, DESK, staff_id)
    if not name.strip():
        raise Refused("name.empty")
    wanted = [role for role in ROLES if role in roles]
    if not wanted or set(roles) - set(ROLES):
        raise Refused("role.unknown", roles=list(roles))
    unit = session.scalar(select(Department.id).where(Department.code == (department or "")))
    if "manager" in wanted and unit is None:
        raise Refused("department.unknown", department=department)
    before = {(row.role, row.department_id): row for row in own_roles(staff)}
    lent = [row for row in staff.roles if row.absence_id is not None]
    keys = [(role, unit if role == "manager" else None) for role in wanted]
    with keeping(session, actor, STAFF, staff_rows), somebody_left(session, staff):
        # Rows that stay are kept: a deletion after an insertion of the same key would break the unique constraint.
        staff.roles = [*(before.get(key) or StaffRole(role=key[0], department_id=key[1]) for key in keys), *lent]
        staff.name, staff.trainee = name.strip(), trainee
        if staff.id == actor.staff_id and not actor_of(staff).may("staff.edit"):
            raise Refused("staff.self_role")
        _check_named(session, staff)
    record(session, "staff.edited", actor, object_id=staff.id, roles=wanted)
    return staff


def _check_named(session: Session, staff: Staff) -> None:
    """Settings may not go on naming somebody for what their roles do not let them do any more."""
    what = naming(session, staff)
    if what:
        raise Refused("staff.named", name=staff.name, settings=what)


def naming(session: Session, staff: Staff) -> list[str]:
    """Names of settings that give the person what they may not do: «duties», «rota», «rules», «agreement»."""
    held, may_answer = holdings_of(session, staff.id), may_by_own(staff, "case.reply")
    units = {row.department_id for row in staff.roles if row.role == "manager"}
    cells = session.scalars(
        select(Responsibility).where(or_(Responsibility.staff_id == staff.id, Responsibility.asked_id == staff.id))
    )
    wrong = {
        "duties": any(
            (row.staff_id == staff.id and not may_answer)
            or (row.asked_id == staff.id and row.department_id not in units)
            for row in cells
        ),
        "rota": bool(held.days) and not may_answer,
        "rules": bool(held.rules) and not may_answer,
        "agreement": staff.id in agreement_of(session).deputies and not may_answer,
    }
    return [name for name, is_wrong in wrong.items() if is_wrong]


def renew_password(session: Session, actor: Actor, staff_id: int) -> tuple[Staff, str]:
    """(the person, a one-time password); every session of the person ends."""
    require(actor, "staff.edit")
    staff = get_person(session, DESK, staff_id)
    if staff.id == actor.staff_id:
        raise Refused("staff.own_password")
    password = new_password()
    reset_password(session, staff, password)
    staff.failures, staff.locked_until = 0, None
    record(session, "staff.password_renewed", actor, object_id=staff.id)
    return staff, password


def create_first(session: Session, *, name: str, email: str, password: str, locale: str = "ru") -> Staff:
    """The first person of an empty desk, with the roles of the head; raises Refused once somebody is there.

    The lease's unique row makes a second one who came at the same moment wait for the first, then be refused:
    on PostgreSQL both would else see an empty table.
    """
    if not is_empty(session) or not hold_lease(session, FIRST, secrets.token_hex(8), 60) or not is_empty(session):
        raise Refused("first.taken")
    seed_departments(session)
    return create_staff(session, DESK, email=email, name=name, roles=HEAD_ROLES, password=password, locale=locale)
