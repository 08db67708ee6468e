"""The one door for every write of a setting: what it was stays as a version, a stale write is refused."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Counter, Event, Setting, SettingVersion, Staff, utc_now
from services.errors import NotFound, Stale
from services.events import record
from services.leases import insert_missing
from services.rights import Actor

PAGE = 50
SECRETS = "secrets"
"""The key of a setting's value that no version ever holds."""
CHANGED = "settings.changed"
_SERIES = "setting:"
_OPEN = "settings being changed"
_DONE = "settings changed"
_BACK = "version brought back"


@dataclass(frozen=True, slots=True)
class Changed:
    """What a transaction did to one setting; ``number`` is that of the version it made."""

    name: str
    before: Any
    after: Any
    number: int


@dataclass(frozen=True, slots=True)
class Last:
    """The newest version of a setting; number 0 and no time: nobody has changed it since versions are kept."""

    name: str
    number: int = 0
    at: datetime | None = None
    who: str | None = None


def last_change(session: Session, name: str) -> Last:
    """Asked before the setting itself is read: what comes between is then refused as stale, never lost."""
    row = session.execute(
        select(SettingVersion, Staff.name)
        .outerjoin(Staff, Staff.id == SettingVersion.staff_id)
        .where(SettingVersion.name == name)
        .order_by(SettingVersion.number.desc())
        .limit(1)
    ).one_or_none()
    return Last(name) if row is None else Last(name, row[0].number, row[0].at, row[1])


def versions_of(session: Session, name: str, below: int | None = None) -> list[tuple[SettingVersion, str | None]]:
    """A page of versions with who made each, the newest first; ``below``: older than this number."""
    query = (
        select(SettingVersion, Staff.name)
        .outerjoin(Staff, Staff.id == SettingVersion.staff_id)
        .where(SettingVersion.name == name)
        .order_by(SettingVersion.number.desc())
        .limit(PAGE)
    )
    if below is not None:
        query = query.where(SettingVersion.number < below)
    return [(row[0], row[1]) for row in session.execute(query)]


def get_version(session: Session, name: str, number: int) -> SettingVersion:
    row = session.scalar(select(SettingVersion).where(SettingVersion.name == name, SettingVersion.number == number))
    if row is None:
        raise NotFound("setting.version", name=name)
    return row


def value_of(session: Session, name: str) -> Any:
    """What is kept under the name; None: as it came."""
    return session.scalar(select(Setting.value).where(Setting.name == name))


def changes_in(session: Session) -> list[Changed]:
    """What this transaction has done to settings so far."""
    return list(session.info.get(_DONE, ()))


def digest_of(value: Any) -> str:
    """SHA-256 of a value in one spelling: its event bears it, and events are sealed."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def first_broken(session: Session) -> SettingVersion | None:
    """The first version whose value is not what its event says, or None; number 0 has no event."""
    said = {
        (event.data["code"], event.data["after"]): event.data["digest"]
        for event in session.scalars(select(Event).where(Event.kind == CHANGED))
        if "digest" in event.data
    }
    for row in session.scalars(select(SettingVersion).where(SettingVersion.number > 0).order_by(SettingVersion.id)):
        if said.get((row.name, row.number)) != digest_of(row.value):
            return row
    return None


# ── acts ─────────────────────────────────────────────────────────────────────


def expect(session: Session, name: str, seen: int) -> None:
    """Whoever changes the setting saw version ``seen``; raises Stale when there is a newer one. Others wait."""
    number = _hold(session, name)
    if number != seen:
        raise Stale("setting.stale", name=name, seen=seen, number=number)


def keep(session: Session, actor: Actor, name: str, value: Mapping[str, Any] | None) -> None:
    """Writes a setting; None: as it came. What stands under «secrets» is kept, sealed, and in no version.

    What is already so is written neither as a version nor as an event.
    """
    number = _hold(session, name)
    query = select(Setting).where(Setting.name == name).with_for_update()
    row = session.scalar(query.execution_options(populate_existing=True))
    was, since = (row.value, row.updated_at) if row is not None else (None, None)
    wanted = None if value is None else json.loads(json.dumps(value))  # as the database gives it back
    if wanted == was:
        return
    if wanted is None:
        session.delete(row)
    else:
        row = row or Setting(name=name)
        row.value, row.updated_at = wanted, utc_now()
        session.add(row)
    before, after = _told(was), _told(wanted)
    if before != after:
        _note(session, actor, name, number, before, after, since)
    else:
        record(session, CHANGED, actor, code=name, before=number, after=number, secrets=True)


def _told(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if value is None else {key: one for key, one in value.items() if key != SECRETS}


@contextmanager
def keeping(session: Session, actor: Actor, name: str, snapshot: Callable[[Session], Any]) -> Iterator[None]:
    """What is done inside to a setting that has a table or a row of its own becomes one version of it all."""
    open_: set[str] = session.info.setdefault(_OPEN, set())
    if name in open_:  # a part of a greater change
        yield
        return
    number = _hold(session, name)
    before = snapshot(session)
    open_.add(name)
    try:
        yield
    finally:
        open_.discard(name)
    session.flush()
    after = snapshot(session)
    if after != before:
        _note(session, actor, name, number, before, after)


def note_made(session: Session, actor: Actor, name: str, value: Any) -> None:
    """The first version of what was not there before."""
    _note(session, actor, name, _hold(session, name), None, value)


@contextmanager
def bringing_back(session: Session, number: int) -> Iterator[None]:
    """Versions made inside say that they brought back ``number``."""
    session.info[_BACK] = number
    try:
        yield
    finally:
        session.info.pop(_BACK, None)


def _hold(session: Session, name: str) -> int:
    """The number of the newest version; until the commit nobody else changes this setting."""
    mine = select(Counter).where(Counter.name == _SERIES + name).with_for_update()
    query = mine.execution_options(populate_existing=True)
    row = session.scalar(query)
    if row is None:
        insert_missing(session, Counter, [{"name": _SERIES + name, "value": 0}], "name")
        row = session.scalars(query).one()
    return row.value


def _note(
    session: Session, actor: Actor, name: str, number: int, before: Any, after: Any, since: datetime | None = None
) -> None:
    back = session.info.get(_BACK)
    if number == 0:
        session.add(SettingVersion(name=name, number=0, value=before, at=since or utc_now()))
    session.add(SettingVersion(name=name, number=number + 1, value=after, staff_id=actor.staff_id, restored=back))
    session.scalars(select(Counter).where(Counter.name == _SERIES + name)).one().value = number + 1
    session.flush()
    said: dict[str, Any] = {"code": name, "before": number, "after": number + 1, "digest": digest_of(after)}
    record(session, CHANGED, actor, **said, **({} if back is None else {"restored": back}))
    session.info.setdefault(_DONE, []).append(Changed(name, before, after, number + 1))
