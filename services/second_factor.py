"""The second step of coming in: codes of an authenticator (RFC 6238) and recovery codes, each used once."""

import base64
import hashlib
import hmac
import secrets
import time
from datetime import datetime, timedelta
from urllib.parse import quote

from sqlalchemy.orm import Session

from models import Department, Staff, utc_now
from services.accounts import note_success, try_login
from services.errors import Forbidden, NotFound, Refused
from services.events import record
from services.rights import Actor, holds
from services.secrets import Keyring

STEP = 30
DIGITS = 6
WINDOW = 1
"""Steps before and after the present one that still count: clocks of phones differ."""
RECOVERY_CODES = 10
GRACE = timedelta(days=14)
"""How long a new person of those who need it may come in without."""
NEEDS = frozenset({"head", "administrator"})
UNIT = "accounting"
"""Of whom it is asked (day.md §1.14)."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def code_at(secret: str, step: int) -> str:
    """The six digits of a step of thirty seconds since 1970."""
    key = base64.b32decode(secret)
    digest = hmac.new(key, step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def is_needed(session: Session, staff: Staff) -> bool:
    """Whether the person is one of those who must have it."""
    rows = [row for row in staff.roles if holds(row)]
    if NEEDS.intersection(row.role for row in rows):
        return True
    units = [row.department_id for row in rows if row.department_id is not None]
    return any(session.get_one(Department, unit).code == UNIT for unit in units)


def is_overdue(session: Session, staff: Staff, now: datetime | None = None) -> bool:
    """The time to set it up is over: nothing else opens before."""
    due = staff.created_at + GRACE
    return staff.totp is None and is_needed(session, staff) and due < (now or utc_now())


def new_secret() -> str:
    """160 bits, as authenticators take them."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def address_of(secret: str, email: str) -> str:
    """What an authenticator opens."""
    label = quote(f"Отклик:{email}")
    return f"otpauth://totp/{label}?secret={secret}&issuer={quote('Отклик')}&digits={DIGITS}&period={STEP}"


def matching_step(secret: str, code: str, last: int, now: float | None = None) -> int | None:
    """The step whose code this is, later than the last one used; None when there is none."""
    present = int((time.time() if now is None else now) // STEP)
    given = code.replace(" ", "")
    found = None
    for step in range(present - WINDOW, present + WINDOW + 1):
        if hmac.compare_digest(code_at(secret, step), given.encode("ascii", "replace").decode()) and step > last:
            found = step
    return found


def set_up(session: Session, keyring: Keyring, staff_id: int, secret: str, code: str) -> list[str]:
    """Switches it on once a code proves that the authenticator has the secret; returns the recovery codes, which
    are shown once and kept as digests."""
    staff = session.get_one(Staff, staff_id, with_for_update=True)
    step = matching_step(secret, code, 0)
    if step is None:
        raise Refused("totp.wrong")
    codes = ["-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(2)) for _ in range(10)]
    staff.totp, staff.totp_step = keyring.seal({"totp": secret}), step
    staff.recovery = [_digest(one) for one in codes]
    record(session, "staff.totp", Actor(staff.id), object_id=staff.id, on=True)
    return codes


def check_code(session: Session, keyring: Keyring, staff_id: int, code: str) -> bool:
    """Whether the code lets in; misses count together with those of the password and lock alike."""
    staff = session.get_one(Staff, staff_id, with_for_update=True)
    if staff.totp is None:
        return True
    if not try_login(session, staff):
        return False
    step = matching_step(keyring.unseal(staff.totp)["totp"], code, staff.totp_step)
    spent = _digest(code.strip().lower())
    if step is not None:
        staff.totp_step = step
    elif spent in staff.recovery:
        staff.recovery = [one for one in staff.recovery if one != spent]
        record(session, "staff.recovery", Actor(staff.id), object_id=staff.id, left=len(staff.recovery))
    else:
        return False
    note_success(staff)
    return True


def take_off(session: Session, actor: Actor, staff_id: int) -> None:
    """An administrator lets a person who lost the phone begin anew; oneself cannot."""
    if not actor.may("staff.edit") or actor.staff_id == staff_id:
        raise Forbidden("forbidden", act="staff.edit")
    staff = session.get(Staff, staff_id)
    if staff is None:
        raise NotFound("staff.unknown", id=staff_id)
    staff.totp, staff.recovery = None, []
    record(session, "staff.totp", actor, object_id=staff.id, on=False)


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
