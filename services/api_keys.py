"""«Ключи API»: a person's own keys for programs, which never do more than the person may do at that moment."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import ApiKey, Staff, utc_now
from services.entrance import digest_of
from services.errors import NotFound, Refused
from services.events import record
from services.rights import DESK, Actor, actor_of, require
from services.settings.history import note_made
from services.settings.many import KEY, name_of
from services.settings.programs import keeping_key, key_row

SCOPES: Mapping[str, frozenset[str]] = {
    "cases:read": frozenset({"case.view", "client.contacts"}),
    "cases:write": frozenset({"case.view", "case.assign", "case.close", "case.close_grave", "client.contacts"}),
    # What a reply brings with it: the department's answer it was made of is accepted, the case is closed.
    "replies:write": frozenset(
        {"case.view", "case.reply", "case.route", "case.close_grave", "reply.approve", "client.contacts"}
    ),
    "routes:read": frozenset({"case.view", "route.view", "client.contacts"}),
    "routes:write": frozenset({"case.view", "case.route", "client.contacts"}),
    "routes:answer": frozenset({"route.view", "route.answer"}),
}
"""Scope → the acts that a key with it may do, where its person may."""
NEEDS: Mapping[str, tuple[str, ...]] = {
    "cases:read": ("case.view",),
    "cases:write": ("case.assign", "case.close"),
    "replies:write": ("case.reply",),
    "routes:read": ("case.view", "route.view"),
    "routes:write": ("case.route",),
    "routes:answer": ("route.answer",),
}
"""Scope → the rights of which one makes it worth having."""
PREFIX = "otk_"
LETTERS = 43
MOST_KEYS = 10
DAYS = (30, 90, 180, 365)
"""How long a key may live."""
LONGEST_NAME = 60
SEEN_EVERY = timedelta(minutes=10)
"""The use of a key is noted at most so often: reading must cost no write."""


def scopes_for(actor: Actor) -> list[str]:
    """The scopes that would open something to the actor, in the order of the table."""
    return [scope for scope, acts in NEEDS.items() if any(actor.may(act) for act in acts)]


def keys_of(session: Session, actor: Actor, staff_id: int) -> list[ApiKey]:
    """A person's keys that are not revoked, the newest first; one's own, or anybody's for whoever ends sessions."""
    if staff_id != actor.staff_id:
        require(actor, "session.end")
    query = select(ApiKey).where(ApiKey.staff_id == staff_id, ApiKey.revoked_at.is_(None))
    return list(session.scalars(query.order_by(ApiKey.id.desc())))


def all_keys(session: Session, actor: Actor) -> list[tuple[ApiKey, Staff]]:
    """Everybody's keys that are not revoked, for the administrator."""
    require(actor, "settings.edit")
    query = select(ApiKey, Staff).join(Staff, Staff.id == ApiKey.staff_id).where(ApiKey.revoked_at.is_(None))
    return [(row[0], row[1]) for row in session.execute(query.order_by(Staff.name, ApiKey.id.desc()))]


def get_key(session: Session, actor: Actor, key_id: int) -> ApiKey:
    """A key, revoked ones too; one's own, or anybody's for whoever ends sessions."""
    row = session.get(ApiKey, key_id)
    if row is None or (row.staff_id != actor.staff_id and not actor.may("session.end")):
        raise NotFound("key.gone", id=key_id)
    return row


def is_mine_and_alive(session: Session, actor: Actor, key_id: int) -> bool:
    """Whether the actor may still change the key."""
    row = session.get(ApiKey, key_id)
    is_alive = row is not None and row.revoked_at is None and row.expires_at > utc_now()
    return row is not None and is_alive and row.staff_id == actor.staff_id


def old_keys(session: Session, actor: Actor, staff_id: int) -> list[ApiKey]:
    """A person's newest revoked keys, that a new one may be made like; whose they may be as in ``keys_of``."""
    if staff_id != actor.staff_id:
        require(actor, "session.end")
    query = select(ApiKey).where(ApiKey.staff_id == staff_id, ApiKey.revoked_at.is_not(None))
    return list(session.scalars(query.order_by(ApiKey.revoked_at.desc(), ApiKey.id.desc()).limit(MOST_KEYS)))


def find_key(session: Session, secret: str, now: datetime | None = None) -> tuple[ApiKey, Staff] | None:
    """The key and its person; None for one that is unknown, over or revoked, and when the person left."""
    if len(secret) != len(PREFIX) + LETTERS or not secret.startswith(PREFIX) or not secret.isascii():
        return None
    row = session.execute(
        select(ApiKey, Staff)
        .join(Staff, Staff.id == ApiKey.staff_id)
        .where(ApiKey.digest == digest_of(secret), ApiKey.revoked_at.is_(None), Staff.active)
        .where(ApiKey.expires_at > (now or utc_now()))
    ).one_or_none()
    return (row[0], row[1]) if row is not None else None


def key_actor(staff: Staff, key: ApiKey) -> Actor:
    """The person as the tables have them now, narrowed to the scopes of the key."""
    acts = frozenset[str]().union(*(SCOPES.get(scope, frozenset()) for scope in key.scopes))
    return replace(actor_of(staff), only=acts, key_id=key.id)


def is_unnoted(key: ApiKey, now: datetime | None = None) -> bool:
    """Its use is to be noted."""
    return key.used_at is None or key.used_at < (now or utc_now()) - SEEN_EVERY


def make_key(session: Session, actor: Actor, name: str, scopes: Collection[str], days: int) -> tuple[ApiKey, str]:
    """(the key, what is shown once). Raises Refused for a nameless one, a time or scope that there is not, and for
    one too many."""
    if days not in DAYS:
        raise Refused("key.days")
    name, allowed = _checked(actor, name, scopes)
    # Held until the commit: two presses at once are counted one by one.
    staff = session.get(Staff, actor.staff_id, with_for_update=True) if actor.staff_id is not None else None
    if staff is None:
        raise NotFound("staff.unknown", id=actor.staff_id)
    now = utc_now()
    living = select(func.count()).select_from(ApiKey).where(ApiKey.staff_id == staff.id)
    living = living.where(ApiKey.revoked_at.is_(None), ApiKey.expires_at > now)
    if (session.scalar(living) or 0) >= MOST_KEYS:
        raise Refused("key.many", most=MOST_KEYS)
    secret = PREFIX + secrets.token_urlsafe(32)
    row = ApiKey(
        staff_id=staff.id, name=name, hint=secret[: len(PREFIX) + 4], digest=digest_of(secret),
        scopes=allowed, expires_at=now + timedelta(days=days),
    )  # fmt: skip
    session.add(row)
    session.flush()
    record(session, "token.made", actor, object_id=row.id, staff=staff.id, scopes=row.scopes, days=days)
    note_made(session, actor, name_of(KEY, row.id), key_row(session, row.id))
    return row, secret


def _checked(actor: Actor, name: str, scopes: Collection[str]) -> tuple[str, list[str]]:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise Refused("key.name", most=LONGEST_NAME)
    if not scopes or not set(scopes) <= set(scopes_for(actor)):
        raise Refused("key.scopes")
    return name, [scope for scope in SCOPES if scope in scopes]


def edit_key(session: Session, actor: Actor, key_id: int, name: str, scopes: Collection[str]) -> ApiKey:
    """Another name, or other scopes from the next request on; one's own only. Its time stays. Raises Refused for
    one that is revoked or over."""
    if get_key(session, actor, key_id).staff_id != actor.staff_id:
        raise NotFound("key.gone", id=key_id)
    with keeping_key(session, actor, key_id):
        row = session.get_one(ApiKey, key_id, with_for_update=True)
        if row.revoked_at is not None or row.expires_at <= utc_now():
            raise Refused("key.final", name=row.name)
        row.name, row.scopes = _checked(actor, name, scopes)
    record(session, "token.edited", actor, object_id=row.id, staff=row.staff_id, scopes=row.scopes)
    return row


def put_key(session: Session, actor: Actor, key_id: int, value: Mapping[str, Any] | None) -> None:
    """Name and scopes become those of a version. A revoked key stays revoked."""
    row = get_key(session, actor, key_id)
    if row.revoked_at is not None:
        raise Refused("key.final", name=row.name)
    if value is None:
        raise Refused("key.begun", name=row.name)
    edit_key(session, actor, key_id, value["name"], value["scopes"])


def revoke_key(session: Session, actor: Actor, key_id: int) -> ApiKey:
    """Opens nothing from now on; one's own, or anybody's for whoever ends sessions."""
    get_key(session, actor, key_id)
    with keeping_key(session, actor, key_id):  # its row of versions is held before the key everywhere
        row = session.get_one(ApiKey, key_id, with_for_update=True)
        if row.revoked_at is None:
            row.revoked_at = utc_now()
            record(session, "token.revoked", actor, object_id=row.id, staff=row.staff_id)
    return row


def revoke_all(session: Session, actor: Actor, staff_id: int) -> int:
    """None of a person's keys opens anything from now on; returns how many did."""
    query = select(ApiKey.id).where(ApiKey.staff_id == staff_id, ApiKey.revoked_at.is_(None)).order_by(ApiKey.id)
    now, living = utc_now(), 0
    for key_id in list(session.scalars(query)):
        with keeping_key(session, actor, key_id):
            row = session.get_one(ApiKey, key_id, with_for_update=True)
            if row.revoked_at is None:
                living += row.expires_at > now
                row.revoked_at = now
                record(session, "token.revoked", actor, object_id=row.id, staff=staff_id)
    return living


def note_used(session: Session, key_id: int) -> None:
    """Writes down that a key was used; its first use is an event."""
    row = session.get_one(ApiKey, key_id, with_for_update=True)
    if row.used_at is None:
        record(session, "token.used", DESK, object_id=row.id, staff=row.staff_id)
    row.used_at = utc_now()
