"""Watched places: which are due, who reads them now, how a reading went."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from collectors import CHANNELS, channel_class
from collectors.base import ChannelError
from models import Source, utc_now
from services.errors import NotFound, Refused
from services.events import record
from services.history import reach_back
from services.leases import lease_over, next_numbers
from services.rights import DESK, Actor, require
from services.secrets import Keyring
from services.settings.history import note_made
from services.settings.many import PLACE, name_of
from services.settings.places import RESTING, UNDECLARED, is_resting, keeping_place, place_row

LEASE_SECONDS = 120  # renewed with every page
BACKOFF_SECONDS = (15, 30, 60, 120, 300)
"""Pause after the n-th failure in a row, when the platform names none: whoever comes back is read soon after."""
SHARE_SECONDS = 1800
"""So long history waits for units of the day, when the platform names no time."""
STOPPING = frozenset({"auth", "rights", "settings", "address", "captcha", "gone", "conflict"})
"""Errors that waiting does not heal: the place stops, one alert, until a person changes something."""


def list_sources(session: Session, actor: Actor) -> list[Source]:
    """All watched places, oldest first."""
    require(actor, "source.view")
    return list(session.scalars(select(Source).order_by(Source.id)))


def get_source(session: Session, actor: Actor, source_id: int) -> Source:
    require(actor, "source.view")
    source = session.get(Source, source_id)
    if source is None:
        raise NotFound("source.unknown", id=source_id)
    return source


def secret_fields(kind: str) -> frozenset[str]:
    """Names of the settings of ``kind`` that are stored encrypted."""
    fields = channel_class(kind).Settings.model_fields
    return frozenset(name for name, field in fields.items() if "SecretStr" in str(field.annotation))


def check_settings(kind: str, values: Mapping[str, Any]) -> BaseModel:
    """The typed settings; raises Refused(«source.settings») naming each wrong field."""
    if kind not in CHANNELS:
        raise Refused("source.platform", platform=kind)
    try:
        return channel_class(kind).Settings(**values)
    except ValidationError as error:
        fields = {".".join(map(str, item["loc"])): item["msg"] for item in error.errors()}
        raise Refused("source.settings", fields=fields) from None


def split_secrets(kind: str, settings: BaseModel) -> tuple[dict[str, Any], dict[str, str]]:
    """(what may be shown, what must be sealed), both as JSON values."""
    names = secret_fields(kind)
    plain = settings.model_dump(mode="json", exclude=set(names))
    held = {name: getattr(settings, name) for name in names}
    return plain, {k: v.get_secret_value() for k, v in held.items() if isinstance(v, SecretStr)}


def due_sources(session: Session, now: datetime | None = None, *, failing: bool = False) -> list[int]:
    """Ids of active places whose time has come and whom nobody reads, the longest overdue first: those that were
    read the last time, or those that failed."""
    now = now or utc_now()
    rows = session.execute(
        select(Source.id)
        .where(Source.state == "active", or_(Source.due_at <= now, Source.deep_due_at <= now))
        .where(Source.failures > 0 if failing else Source.failures == 0)
        .where(or_(Source.lease_until.is_(None), lease_over(Source.lease_until, now, LEASE_SECONDS)))
        .order_by(Source.due_at)
    )
    return list(rows.scalars())


def add_source(
    session: Session,
    actor: Actor,
    keyring: Keyring,
    *,
    platform: str,
    title: str,
    values: Mapping[str, Any],
    every_seconds: int | None = None,
    declared_as: str | None = None,
    depth: str | None = None,
) -> Source:
    """Starts watching a place, its history as far back as ``depth`` says; raises Refused for settings that the
    channel does not take."""
    require(actor, "source.edit")
    plain, secrets = split_secrets(platform, check_settings(platform, values))
    source = Source(
        platform=platform, title=title, settings=plain, secrets=keyring.seal(secrets), declared_as=declared_as,
        every_seconds=every_seconds or channel_class(platform).can.poll_seconds,
        typed=_given({}, {}, secrets),
    )  # fmt: skip
    if depth is not None:
        reach_back(source, depth, utc_now())
    session.add(source)
    session.flush()
    record(session, "source.added", actor, object_id=source.id, platform=platform)
    if declared_as is None:
        note_made(session, actor, name_of(PLACE, source.id), place_row(session, source.id))
    return source


def edit_source(
    session: Session, actor: Actor, keyring: Keyring, source_id: int, *, title: str, values: Mapping[str, Any]
) -> Source:
    """Changes settings; a secret left out keeps its old value. A declared place refuses: config.yaml owns it."""
    require(actor, "source.edit")
    source = get_source(session, DESK, source_id)
    if source.declared_as is not None:
        raise Refused("source.declared", name=source.declared_as)
    given = {k: v for k, v in values.items() if v not in (None, "")}
    held = keyring.unseal(source.secrets)
    plain, secrets = split_secrets(source.platform, check_settings(source.platform, {**held, **given}))
    name_held(source, held)
    with keeping_place(session, actor, source_id):
        source.typed = _given(source.typed, held, secrets)
        source.title, source.settings, source.secrets = title, plain, keyring.seal(secrets)
        wake_source(source)
    record(session, "source.edited", actor, object_id=source.id)
    return source


def name_held(source: Source, held: Mapping[str, str]) -> None:
    """Before a change: the secrets that are there have a line of their own, whenever they were given."""
    source.typed = {name: source.typed.get(name, "") for name, value in held.items() if value}


def _given(typed: Mapping[str, str], held: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
    """Secret → when it was given, for those that will be there."""
    now = utc_now().isoformat()
    return {
        name: typed.get(name, "") if held.get(name) == value else now for name, value in secrets.items() if value
    }


def set_state(session: Session, actor: Actor, source_id: int, state: str) -> Source:
    """Pauses (paused), resumes (active) or gives a place into people's hands (manual); its cursor stays.

    ``manual``: nothing is read or sent there, people bring the texts and publish the answers. A place that was
    removed is back in its list.
    """
    require(actor, "source.edit")
    if state not in ("active", "paused", "manual"):
        raise Refused("source.state", state=state)
    source = get_source(session, DESK, source_id)
    with keeping_place(session, actor, source_id):
        source.removed_at = None
        if state == "active":
            wake_source(source)
        source.state = state
    record(session, "source.state", actor, object_id=source.id, state=state)
    return source


def rest_history(session: Session, actor: Actor, source_id: int, rests: bool) -> Source:
    """Puts the reading of a place's history to rest or goes on with it from the same page; new ones come all the
    while."""
    require(actor, "source.edit")
    source = get_source(session, DESK, source_id)
    if rests != is_resting(source):
        with keeping_place(session, actor, source_id):
            source.deep_due_at = RESTING if rests else utc_now()
            if rests:
                source.due_at = min(source.due_at, utc_now())
        record(session, "source.history", actor, object_id=source.id, rests=rests)
    return source


def wake_source(source: Source) -> None:
    """Reads it at the next tick, forgetting earlier failures; one that is removed stays so."""
    if source.state != "manual" and source.removed_at is None:
        source.state = "active"
    source.failures, source.error_code, source.error_text = 0, None, None
    source.due_at = utc_now()
    if source.backfilled_at is None and not is_resting(source):
        source.deep_due_at = source.due_at


def sync_declared(session: Session, keyring: Keyring, declared: Sequence[Mapping[str, Any]]) -> None:
    """Makes the declared places equal to config.yaml; one that is no longer declared is paused, not lost."""
    names = set()
    next_numbers(session, "source.add")  # its row is a lock: two processes that start at once do not both make one
    for item in declared:
        names.add(item["name"])
        source = session.scalar(select(Source).where(Source.declared_as == item["name"]))
        if source is None:
            add_source(
                session, DESK, keyring, platform=item["platform"], title=item["title"], values=item["values"],
                every_seconds=item.get("every_seconds"), declared_as=item["name"],
            )  # fmt: skip
            continue
        plain, secrets = split_secrets(item["platform"], check_settings(item["platform"], item["values"]))
        if (source.settings, keyring.unseal(source.secrets)) != (plain, secrets):
            source.settings, source.secrets = plain, keyring.seal(secrets)
            wake_source(source)
        source.title = item["title"]
        if item.get("every_seconds"):
            source.every_seconds = item["every_seconds"]
        if source.state == "paused" and source.error_code == UNDECLARED:
            wake_source(source)
    for source in session.scalars(select(Source).where(Source.declared_as.is_not(None), Source.state == "active")):
        if source.declared_as not in names:
            source.state, source.error_code = "paused", UNDECLARED


def claim_source(session: Session, source_id: int, holder: str, now: datetime | None = None) -> Source | None:
    """Takes the reading lease of a place that is due; None when another reader has it, or has just read."""
    now = now or utc_now()
    taken = session.execute(
        update(Source)
        .where(Source.id == source_id, Source.state == "active")
        .where(or_(Source.due_at <= now, Source.deep_due_at <= now))
        .where(or_(Source.lease_until.is_(None), lease_over(Source.lease_until, now, LEASE_SECONDS)))
        .values(lease_until=now + timedelta(seconds=LEASE_SECONDS), lease_holder=holder)
    )
    return session.get(Source, source_id) if taken.rowcount else None  # type: ignore[attr-defined]


def keep_source(session: Session, source_id: int, holder: str) -> bool:
    """Renews the reading lease; False when another reader has had it meanwhile, or a person paused the place."""
    kept = session.execute(
        update(Source)
        .where(Source.id == source_id, Source.state == "active", Source.lease_holder == holder)
        .values(lease_until=utc_now() + timedelta(seconds=LEASE_SECONDS))
    )
    return bool(kept.rowcount)  # type: ignore[attr-defined]


def free_source(session: Session, source_id: int, holder: str) -> None:
    """Gives the lease back, if it is still ours."""
    session.execute(
        update(Source)
        .where(Source.id == source_id, Source.lease_holder == holder)
        .values(lease_until=None, lease_holder=None)
    )


def record_read(session: Session, source_id: int, *, deep: bool, now: datetime | None = None) -> None:
    """After a walk to its end: the next one is due, the lease is free, the errors are forgotten."""
    now = now or utc_now()
    source = session.get_one(Source, source_id)
    if source.error_code is not None:
        record(session, "source.recovered", DESK, object_id=source_id)
    source.read_at, source.failures, source.error_code, source.error_text = now, 0, None, None
    source.due_at = now + timedelta(seconds=source.every_seconds)
    if deep:
        remembers = channel_class(source.platform).remembers
        source.cursor, source.deep_cursor = go_on_from(source.cursor, source.deep_cursor, remembers), {}
        source.backfilled_at = source.backfilled_at or now
        source.deep_due_at = now + timedelta(seconds=channel_class(source.platform).can.deep_seconds)
    source.lease_until = source.lease_holder = None


def go_on_from(cheap: Mapping[str, Any], deep: Mapping[str, Any], remembers: Sequence[str]) -> dict[str, Any]:
    """What the cheap walk goes on from after a deep one has ended, which may have begun long before the last cheap
    one: what both have met is kept from both, or a place that stands empty since would be forgotten."""
    if not deep:
        return dict(cheap)
    both = {
        name: list(dict.fromkeys([*cheap.get(name, ()), *deep.get(name, ())]))
        for name in remembers
        if name in cheap or name in deep
    }
    return {**deep, **both}


def record_failure(session: Session, source_id: int, error: ChannelError, now: datetime | None = None) -> None:
    """After a failed walk: waits as the platform says, or stops the place when waiting does not help."""
    now = now or utc_now()
    source = session.get_one(Source, source_id)
    if error.code == "share":  # history and re-reading wait for units, what is new is read on
        later = now + timedelta(seconds=error.retry_after or SHARE_SECONDS)
        source.deep_due_at = max(source.deep_due_at, later)
        source.lease_until = source.lease_holder = None
        return
    stops = error.permanent and error.code in STOPPING
    if source.error_code is None or stops:  # one event for one trouble, not one a minute (F8)
        record(session, "source.failed", DESK, object_id=source_id, code=error.code)
    source.failures += 1
    source.error_code, source.error_text = error.code, error.message[:500]
    if stops:
        source.state = "stopped"
    pause = error.retry_after or BACKOFF_SECONDS[min(source.failures, len(BACKOFF_SECONDS)) - 1]
    source.due_at = now + timedelta(seconds=pause)
    source.deep_due_at = max(source.deep_due_at, source.due_at)
    source.lease_until = source.lease_holder = None
