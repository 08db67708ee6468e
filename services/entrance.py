"""Coming in without a password: one-time links, the device cookies they are traded for, and who may end them."""

import contextlib
import hashlib
import re
import secrets
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import Delivery, MessengerAccount, OneTimeLink, PasswordAsked, Staff, StaffSession, utc_now
from models.database import Database
from services.deliveries import queue_letter
from services.errors import NotFound, Refused
from services.events import record
from services.rights import DESK, Actor, actor_of, require

LINK_DAYS = {"device": 7, "invite": 7, "reset": 1}
"""How long a link of each purpose opens something."""
IDLE = timedelta(days=30)
SEEN_EVERY = timedelta(hours=1)
"""A cookie that is used is noted at most so often: looking must cost no write."""
MOST_LETTERS = 5
"""New links a person can be sent within an hour."""
MOST_DEVICES = 20
MOST_TYPED = 254
"""The longest address there is (RFC 5321, with the erratum 1690)."""
MOST_ASKED = 500
"""What is looked up in one run; the rest waits for the next."""
PIN = re.compile(r"\d{4,8}")
PIN_TRIES = 5
_CODE = re.compile(r"[A-Za-z0-9_-]{32}")
_hasher = PasswordHasher()


def digest_of(code: str) -> str:
    """What is stored of a secret of 192 bits: guessing it back is as hard as guessing the secret."""
    return hashlib.sha256(code.encode()).hexdigest()


def find_link(session: Session, code: str) -> OneTimeLink | None:
    """The link with this code, spent or not; None for anything that is no code, however it is written."""
    if not _CODE.fullmatch(code):
        return None
    return session.scalar(select(OneTimeLink).where(OneTimeLink.digest == digest_of(code)))


def is_good(link: OneTimeLink, now: datetime | None = None) -> bool:
    """It was not used and is not too old."""
    return link.used_at is None and link.expires_at > (now or utc_now())


def device_actor(staff: Staff) -> Actor:
    """The actor behind a device cookie: whatever else the person may do, it answers for departments and no more."""
    whole = actor_of(staff)
    roles = frozenset({"manager"}) if "manager" in whole.roles and whole.departments else frozenset[str]()
    return Actor(whole.staff_id, whole.name, roles, whole.departments if roles else frozenset())


def device_of(session: Session, token: str, now: datetime | None = None) -> tuple[StaffSession, Staff] | None:
    """The device whose cookie this is, and its person; None when it ended, stood idle or the person left."""
    if not _CODE.fullmatch(token):
        return None
    row = session.execute(
        select(StaffSession, Staff)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .where(StaffSession.digest == digest_of(token), StaffSession.kind == "device")
        .where(StaffSession.ended_at.is_(None), StaffSession.seen_at > (now or utc_now()) - IDLE, Staff.active)
    ).one_or_none()
    if row is None or not device_actor(row[1]).roles:
        return None
    return row[0], row[1]


def login_of(session: Session, session_id: int, staff_id: int) -> StaffSession | None:
    """The noted login, while nobody has ended it."""
    row = session.get(StaffSession, session_id)
    return row if row is not None and row.staff_id == staff_id and row.ended_at is None else None


def is_stale(device: StaffSession, now: datetime | None = None) -> bool:
    """Its use is to be noted again."""
    return device.seen_at < (now or utc_now()) - SEEN_EVERY


def sessions_of(session: Session, actor: Actor, staff_id: int) -> list[StaffSession]:
    """Where a person is logged in, the latest seen first; one's own, or anybody's for the head."""
    if staff_id != actor.staff_id:
        require(actor, "session.end")
    query = select(StaffSession).where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None))
    return list(session.scalars(query.order_by(StaffSession.seen_at.desc(), StaffSession.id.desc()).limit(50)))


def make_link(
    session: Session, staff_id: int, purpose: str, route_id: int | None = None, now: datetime | None = None,
    lasts: timedelta | None = None,
) -> str:  # fmt: skip
    """A fresh code for one purpose; only its digest is kept."""
    code = secrets.token_urlsafe(24)
    expires = (now or utc_now()) + (lasts or timedelta(days=LINK_DAYS[purpose]))
    session.add(
        OneTimeLink(
            staff_id=staff_id, purpose=purpose, digest=digest_of(code), route_id=route_id, expires_at=expires
        )
    )
    session.flush()
    return code


def spend_link(session: Session, code: str, purpose: str, now: datetime | None = None) -> OneTimeLink:
    """Uses the link up; of two presses at once one wins. Raises NotFound for a code of nobody, Refused for a spent
    or old one."""
    now = now or utc_now()
    link = find_link(session, code)
    if link is None or link.purpose != purpose:
        raise NotFound("link.unknown")
    spent = session.execute(
        update(OneTimeLink)
        .where(OneTimeLink.id == link.id, OneTimeLink.used_at.is_(None), OneTimeLink.expires_at > now)
        .values(used_at=now)
    )
    if not spent.rowcount:  # type: ignore[attr-defined]
        raise Refused("link.spent")
    return link


def open_login(session: Session, staff_id: int, agent: str) -> int:
    """Notes where a person logged in with a password; its id stands in the browser's signed cookie."""
    row = StaffSession(
        staff_id=staff_id, kind="login", digest=digest_of(secrets.token_urlsafe(24)), agent=agent[:300]
    )
    session.add(row)
    session.flush()
    return row.id


def open_device(session: Session, code: str, agent: str) -> tuple[str, OneTimeLink]:
    """(the secret for the browser's cookie, the link it was traded for)."""
    link = spend_link(session, code, "device")
    staff = session.get(Staff, link.staff_id)
    if staff is None or not device_actor(staff).roles:
        raise Refused("link.nobody")
    token, now = secrets.token_urlsafe(24), utc_now()
    device = StaffSession(staff_id=staff.id, kind="device", digest=digest_of(token), agent=agent[:300])
    session.add(device)
    session.flush()
    _drop_oldest(session, staff.id)
    staff.seen_at = now
    record(session, "device.opened", Actor(staff.id), object_id=device.id)
    return token, link


def _drop_oldest(session: Session, staff_id: int) -> None:
    open_ones = select(StaffSession.id).where(
        StaffSession.staff_id == staff_id, StaffSession.kind == "device", StaffSession.ended_at.is_(None)
    )
    kept = list(session.scalars(open_ones.order_by(StaffSession.seen_at.desc(), StaffSession.id.desc())))
    for device_id in kept[MOST_DEVICES:]:
        session.get_one(StaffSession, device_id).ended_at = utc_now()


def ask_again(session: Session, code: str) -> None:
    """«Прислать новую»: to the same person at the address they have now. Raises NotFound, or Refused when often."""
    link = find_link(session, code)
    staff = session.get(Staff, link.staff_id) if link else None
    if link is None or staff is None or not staff.active:
        raise NotFound("link.unknown")
    if link.purpose != "device":
        raise Refused("link.spent")
    send_link(session, staff, "again", {"route": link.route_id})


def ask_for_password(session: Session, email: str) -> None:
    """«Забыли пароль?»: written down and looked up later by ``run_asked``, so that neither the answer nor the time
    it takes tells whether the desk knows an address."""
    session.add(PasswordAsked(typed=email[:MOST_TYPED]))


def run_asked(database: Database) -> int:
    """Looks up what was typed at the door, one commit each; returns how many there were."""
    done = 0
    while done < MOST_ASKED:
        with database.write.begin() as session:
            oldest = select(PasswordAsked).order_by(PasswordAsked.id).limit(1)
            row = session.scalar(oldest.with_for_update(skip_locked=True))
            if row is None:
                break
            _answer_the_door(session, row.typed)
            session.delete(row)
        done += 1
    return done


def _answer_the_door(session: Session, email: str) -> None:
    """Whoever is here gets a link, whoever is not gets nothing. Somebody who only answers for a department needs no
    password: they get the link to their questions."""
    staff = session.scalar(select(Staff).where(Staff.email == email.strip().lower(), Staff.active))
    if staff is None:
        return
    only_answers = {row.role for row in staff.roles} == {"manager"} and staff.password is None
    with contextlib.suppress(Refused):  # too often: the same words again
        send_link(session, staff, "again" if only_answers else "reset")


def send_link(session: Session, staff: Staff, kind: str, data: dict[str, object] | None = None) -> None:
    """Queues a letter with a new link; raises Refused when the person was sent too many within the hour."""
    since = utc_now() - timedelta(hours=1)
    # Held until the commit: presses that come at once are counted one by one.
    session.get_one(Staff, staff.id, with_for_update=True)
    sent = session.scalar(
        select(func.count())
        .select_from(Delivery)
        .where(Delivery.staff_id == staff.id, Delivery.kind.in_(("again", "invite", "reset")))
        .where(Delivery.created_at > since)
    )
    if (sent or 0) >= MOST_LETTERS:
        raise Refused("link.often")
    queue_letter(session, staff.id, kind, secrets.token_hex(12), data or {})
    record(session, "link.asked", DESK, object_id=staff.id, code=kind)


def note_seen(session: Session, device_id: int) -> None:
    """The device is in use."""
    session.execute(
        update(StaffSession)
        .where(StaffSession.id == device_id, StaffSession.ended_at.is_(None))
        .values(seen_at=utc_now())
    )


def end_session(session: Session, actor: Actor, session_id: int) -> StaffSession:
    """Logs a browser out: one's own, or anybody's by the head."""
    row = session.get(StaffSession, session_id)
    if row is None:
        raise NotFound("session.unknown", id=session_id)
    if row.staff_id != actor.staff_id:
        require(actor, "session.end")
    if row.ended_at is None:
        row.ended_at = utc_now()
        record(session, "session.ended", actor, object_id=row.id, staff=row.staff_id)
    return row


def end_all(session: Session, staff_id: int) -> None:
    """Every browser of a person is logged out."""
    session.execute(
        update(StaffSession)
        .where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None))
        .values(ended_at=utc_now())
    )


def end_accounts(session: Session, actor: Actor, staff_id: int) -> None:
    """No messenger speaks for a person any more."""
    query = select(MessengerAccount).where(
        MessengerAccount.staff_id == staff_id, MessengerAccount.ended_at.is_(None)
    )
    for account in session.scalars(query):
        end_account(session, actor, account)


def end_account(session: Session, actor: Actor, account: MessengerAccount) -> None:
    """One account of a messenger is nobody's any more."""
    account.ended_at = utc_now()
    staff, platform = account.staff_id, account.platform
    record(session, "messenger.ended", actor, object_id=account.id, staff=staff, platform=platform)


def set_pin(session: Session, device: StaffSession, pin: str) -> None:
    """Four to eight digits that the device asks for; an empty one takes it off."""
    row = session.get_one(StaffSession, device.id)
    if pin and not PIN.fullmatch(pin):
        raise Refused("pin.form")
    row.pin, row.pin_failures = (_hasher.hash(pin) if pin else None), 0
    record(session, "device.pin", Actor(row.staff_id), object_id=row.id, set=bool(pin))


def check_pin(session: Session, device: StaffSession, pin: str) -> bool:
    """Whether it is right; five wrong ones in a row end the device."""
    row = session.get_one(StaffSession, device.id, with_for_update=True)
    session.refresh(row)
    if row.ended_at is not None or row.pin is None:
        return row.ended_at is None
    right = _is_right(row.pin, pin)
    row.pin_failures = 0 if right else row.pin_failures + 1
    if row.pin_failures >= PIN_TRIES:
        row.ended_at = utc_now()
        record(session, "device.locked", DESK, object_id=row.id, staff=row.staff_id)
    return right


def _is_right(hashed: str, pin: str) -> bool:
    try:
        return _hasher.verify(hashed, pin[:20])
    except (VerificationError, InvalidHashError):
        return False
