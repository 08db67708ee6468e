"""Staff: who may come in, with what password, in which roles."""

import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from models import Department, Staff, StaffRole, utc_now
from models.database import Database
from services.api_keys import revoke_all
from services.entrance import end_accounts, end_all
from services.errors import NotFound, Refused
from services.events import record
from services.leases import hold_name
from services.presets import DEPARTMENTS
from services.rights import DESK, RIGHTS, ROLES, Actor, require
from services.settings.history import keeping
from services.settings.people import STAFF, staff_rows

MIN_PASSWORD = 8
MAX_PASSWORD = 200
LOCK_AFTER = 10
LOCK_FOR = timedelta(minutes=15)
NEEDED = {"staff.edit": "staff.last", "case.reply": "staff.last_desk"}
"""What somebody must always be able to do → how taking it from the last one is refused."""
_hasher = PasswordHasher()


def is_empty(session: Session) -> bool:
    """True while nobody can log in: the first person must be made."""
    return session.scalar(select(func.count()).select_from(Staff)) == 0


def list_staff(session: Session, *, active: bool = True) -> list[Staff]:
    """People by name."""
    query = select(Staff).order_by(Staff.name)
    return list(session.scalars(query.where(Staff.active) if active else query))


def staff_by_session(session: Session, session_key: str) -> Staff | None:
    """The active person whose session this is."""
    query = select(Staff).where(Staff.session_key == session_key, Staff.active)
    return session.scalars(query.options(joinedload(Staff.roles))).unique().one_or_none()  # asked for every page


def find_by_email(session: Session, email: str) -> Staff | None:
    return session.scalar(_by_email(email))


def _by_email(email: str) -> Select[Staff]:
    return select(Staff).where(Staff.email == email.strip().lower())


def seed_departments(session: Session) -> None:
    """The departments of the preset, where there are none yet; of processes that start together one makes them."""
    hold_name(session, "departments")
    if session.scalar(select(func.count()).select_from(Department)):
        return
    for position, (code, name, name_en) in enumerate(DEPARTMENTS):
        session.add(Department(code=code, name=name, name_en=name_en, position=position))
    session.flush()


def check_password(password: str) -> None:
    """Raises Refused for one that is too short or too long; no rules of composition (ASVS 6.2)."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Refused("password.length", least=MIN_PASSWORD, most=MAX_PASSWORD)


def create_staff(
    session: Session,
    actor: Actor,
    *,
    email: str,
    name: str,
    roles: tuple[str, ...],
    password: str | None = None,
    department: str | None = None,
    locale: str = "ru",
    must_change: bool = False,
) -> Staff:
    """A new person; ``department`` is the code of the unit that a «manager» answers for."""
    require(actor, "staff.edit")
    from email_validator import EmailNotValidError, validate_email

    try:
        email = validate_email(email, check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError:
        raise Refused("email.invalid") from None
    if not name.strip():
        raise Refused("name.empty")
    if find_by_email(session, email) is not None:
        raise Refused("email.taken")
    unknown = [role for role in roles if role not in ROLES]
    if unknown or not roles:
        raise Refused("role.unknown", roles=unknown)
    if password is not None:
        check_password(password)
    staff = Staff(
        email=email, name=name.strip(), password=_hasher.hash(password) if password else None, locale=locale,
        session_key=secrets.token_urlsafe(32), must_change=must_change,
    )  # fmt: skip
    staff.roles = [StaffRole(role=role, department_id=_unit(session, role, department)) for role in roles]
    session.add(staff)
    session.flush()
    record(session, "staff.created", actor, object_id=staff.id, roles=list(roles))
    return staff


def _unit(session: Session, role: str, code: str | None) -> int | None:
    if role != "manager":
        return None
    unit = session.scalar(select(Department.id).where(Department.code == code)) if code else None
    if unit is None:
        raise Refused("department.unknown", department=code)
    return unit


def run_authenticate(database: Database, email: str, password: str, now: datetime | None = None) -> Staff | None:
    """The person, or None; a wrong address and a wrong password look alike, ten misses lock for a while.

    Argon2 is slow by design and runs between two short transactions: on SQLite everybody else's writes would wait.
    A try is counted before it is looked at, so that guesses that come at once are counted one by one.
    """
    now = now or utc_now()
    with database.write.begin() as session:
        staff = session.scalar(_by_email(email).with_for_update())
        usable = staff is not None and staff.active and staff.password is not None
        allowed = staff is not None and usable and try_login(session, staff, now)
    matches = _matches(staff.password if staff is not None and allowed and staff.password else _nobody(), password)
    if staff is None or not allowed or not matches:
        return None
    with database.write.begin() as session:
        known = session.get_one(Staff, staff.id, with_for_update=True)
        if not known.active or known.password != staff.password:
            return None  # changed while it was looked at
        if known.totp is None:  # else the count goes on until the code is right too
            note_success(known, now)
        return known


def try_login(session: Session, staff: Staff, now: datetime | None = None) -> bool:
    """Counts one try beforehand; False while the entrance is closed. The tenth that is not right closes it."""
    now = now or utc_now()
    if staff.locked_until is not None and staff.locked_until > now:
        return False
    staff.failures += 1
    if staff.failures >= LOCK_AFTER:
        staff.failures, staff.locked_until = 0, now + LOCK_FOR
        record(session, "staff.locked", DESK, object_id=staff.id)
    return True


def choose_password(session: Session, staff_id: int, password: str) -> Staff:
    """A password that a link of a letter let the person choose; every session of theirs ends, and every key."""
    staff = session.get_one(Staff, staff_id)
    reset_password(session, staff, password, must_change=False)
    end_all(session, staff.id)
    staff.failures, staff.locked_until = 0, None
    return staff


def note_success(staff: Staff, now: datetime | None = None) -> None:
    """The try was right: nothing is counted any more."""
    staff.failures, staff.locked_until, staff.seen_at = 0, None, now or utc_now()


@cache
def _nobody() -> str:
    """Checked when the address is unknown, so that the answer takes as long as for a known one.

    It is spelled, not reckoned: the first such answer must not take the time of two.
    """
    salt, digest = (
        b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (_hasher.salt_len, _hasher.hash_len)
    )
    work = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${work}${salt}${digest}"


def _matches(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password[:MAX_PASSWORD])
    except (VerificationError, InvalidHashError):
        return False


def change_password(session: Session, staff_id: int, old: str, new: str, *, keys_too: bool = False) -> Staff:
    """One's own password; every other session of the person ends, with ``keys_too`` also what programs use."""
    staff = session.get(Staff, staff_id)
    if staff is None:
        raise NotFound("staff.unknown", id=staff_id)
    if staff.password is None or not _matches(staff.password, old):
        raise Refused("password.wrong")
    check_password(new)
    staff.password, staff.must_change = _hasher.hash(new), False
    staff.session_key = secrets.token_urlsafe(32)
    record(session, "staff.password", Actor(staff.id), object_id=staff.id)
    if keys_too:
        revoke_all(session, Actor(staff.id), staff.id)
    return staff


def reset_password(session: Session, staff: Staff, password: str, *, must_change: bool = True) -> None:
    """Sets a password that the desk made; it must be changed at the first login unless told otherwise.

    Whoever had the old one may have made keys by it: none of them opens anything any more.
    """
    check_password(password)
    staff.password, staff.must_change = _hasher.hash(password), must_change
    staff.session_key = secrets.token_urlsafe(32)
    record(session, "staff.password", DESK, object_id=staff.id)
    revoke_all(session, DESK, staff.id)


def set_active(session: Session, actor: Actor, staff_id: int, active: bool) -> Staff:
    """Switches a person on or off; off ends every session, account and key at once and for good."""
    require(actor, "staff.edit")
    staff = session.get(Staff, staff_id)
    if staff is None:
        raise NotFound("staff.unknown", id=staff_id)
    if staff_id == actor.staff_id and not active:
        raise Refused("staff.self")
    with keeping(session, actor, STAFF, staff_rows):
        if not active:
            with somebody_left(session, staff):
                staff.active = False
        staff.active = active
    if not active:
        end_all(session, staff.id)
        end_accounts(session, actor, staff.id)
        revoke_all(session, actor, staff.id)
    staff.session_key = secrets.token_urlsafe(32)
    record(session, "staff.active", actor, object_id=staff.id, active=active)
    return staff


@contextmanager
def somebody_left(session: Session, staff: Staff) -> Iterator[None]:
    """Whatever is done inside with the person, somebody else may still change people and somebody may still answer;
    raises Refused otherwise. Roles that are only lent do not count, and two who do so at once wait for one another.
    """
    everybody = select(Staff).where(Staff.active).order_by(Staff.id).with_for_update()
    held = everybody.execution_options(populate_existing=True)
    others = [one for one in session.scalars(held) if one.id != staff.id]
    before = {act for act in NEEDED if may_by_own(staff, act)}
    yield
    for act, code in NEEDED.items():
        lost = act in before and not may_by_own(staff, act)
        if lost and not any(may_by_own(one, act) for one in others):
            raise Refused(code, name=staff.name)


def may_by_own(staff: Staff, act: str) -> bool:
    """Whether the person may do it by roles that nobody lent them."""
    return staff.active and any(act in RIGHTS.get(row.role, ()) for row in staff.roles if row.absence_id is None)


def set_locale(session: Session, staff_id: int, locale: str) -> None:
    staff = session.get(Staff, staff_id)
    if staff is not None and locale in ("ru", "en"):
        staff.locale = locale
