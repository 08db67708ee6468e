"""Access by a button: to the platform's consent and back, kept sealed, renewed in time, its end told before."""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from pydantic import SecretStr
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from collectors import CHANNELS, channel_class
from collectors.base import Channel, ChannelError, Granted
from collectors.wire import Wire
from models import Notice, Setting, Source, Staff, utc_now
from models.database import Database
from services.connections import add_place
from services.errors import NotFound, Refused
from services.events import record
from services.history import choose_depth
from services.rights import DESK, Actor, actor_of, require
from services.secrets import Keyring
from services.settings.places import keeping_place
from services.sources import edit_source, get_source, name_held, record_failure, secret_fields
from services.terms import policy_of

PREFIX = "access."
PATIENCE = timedelta(minutes=20)
"""How long a person may stay on the platform's page."""
RENEW_BEFORE = timedelta(minutes=10)
WARN_BEFORE = timedelta(days=7)
KIND = "source.consent"
OpenChannel = Callable[[Source], Channel]


def needs_of(platform: str) -> tuple[str, ...]:
    """Settings that «Connect» needs beforehand; empty where there is no such button."""
    return channel_class(platform).consent_needs if platform in CHANNELS else ()


def ends_soon(source: Source, now: datetime | None = None) -> datetime | None:
    """When a person must press «Connect» again, if that is within days or over."""
    until = source.consent_until
    return until if until is not None and until <= (now or utc_now()) + WARN_BEFORE else None


def begin_access(
    session: Session,
    actor: Actor,
    keyring: Keyring,
    wire: Wire,
    *,
    platform: str,
    values: Mapping[str, Any],
    source_id: int | None,
    title: str,
    redirect: str,
    depth: str = "",
) -> str:
    """The address of the platform's consent; what was typed waits sealed until the browser comes back.

    Raises Refused(«access.needs», fields) while something is missing, ChannelError(address) for a page that this
    desk may not lead to.
    """
    require(actor, "source.edit")
    needs = needs_of(platform)
    if not needs:
        raise Refused("source.platform", platform=platform)
    if source_id is not None:
        stored = get_source(session, DESK, source_id)
        if stored.declared_as is not None:
            raise Refused("source.declared", name=stored.declared_as)
        values = {**stored.settings, **keyring.unseal(stored.secrets), **values}
    missing = [name for name in needs if not values.get(name)]
    if missing:
        raise Refused("access.needs", fields=missing)
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    whole = with_defaults(platform, values)
    address = channel_class(platform).consent_address(wire, whole, redirect, state, verifier)
    kept = {
        "platform": platform, "source": str(source_id or ""), "title": title, "verifier": verifier,
        "redirect": redirect, "depth": depth, **{f"v.{name}": _text(value) for name, value in values.items()},
    }  # fmt: skip
    _forget_old(session)
    session.add(Setting(name=_name(state), value={"sealed": keyring.seal(kept), "staff": actor.staff_id}))
    return address


def with_defaults(platform: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values with the defaults of what is not given; secrets as plain texts."""
    fields = channel_class(platform).Settings.model_fields
    plain = {name: field.default for name, field in fields.items() if not field.is_required()}
    return {**plain, **{name: value for name, value in values.items() if value not in (None, "")}}


def _text(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return "\n".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)


def _name(state: str) -> str:
    return PREFIX + hashlib.sha256(state.encode()).hexdigest()[:40]


def _forget_old(session: Session) -> None:
    old = select(Setting).where(Setting.name.startswith(PREFIX), Setting.updated_at < utc_now() - PATIENCE)
    for row in session.scalars(old):
        session.delete(row)


@dataclass(frozen=True, slots=True)
class _Waiting:
    platform: str
    source_id: int | None
    title: str
    verifier: str
    redirect: str
    depth: str
    values: dict[str, Any]


def run_come_back(
    database: Database, keyring: Keyring, wire: Callable[[str], Wire], actor: Actor, state: str,
    answer: Mapping[str, str],
) -> int:  # fmt: skip
    """The browser is back from the platform: trades its code and stores what was given; returns the place's id.

    A state counts once, for the person who began, for twenty minutes. Raises Refused(«access.state»),
    Refused(«access.denied») where the person said no, ChannelError where the platform did.
    """
    require(actor, "source.edit")
    with database.write.begin() as session:
        waiting = _take(session, keyring, actor, state)
    if answer.get("error") or not answer.get("code"):
        raise Refused("access.denied", why=str(answer.get("error_description") or answer.get("error") or "")[:200])
    channel = channel_class(waiting.platform)
    whole = with_defaults(waiting.platform, waiting.values)
    granted = channel.take_consent(wire(waiting.platform), whole, answer, waiting.redirect, waiting.verifier)
    with database.write.begin() as session:
        return _store(session, actor, keyring, waiting, granted)


def _take(session: Session, keyring: Keyring, actor: Actor, state: str) -> _Waiting:
    row = session.scalar(select(Setting).where(Setting.name == _name(state)).with_for_update())
    if row is None or row.updated_at < utc_now() - PATIENCE or row.value.get("staff") != actor.staff_id:
        raise Refused("access.state")
    kept = keyring.unseal(row.value["sealed"])
    session.delete(row)
    fields = channel_class(kept["platform"]).Settings.model_fields
    values: dict[str, Any] = {}
    for name, text in ((key[2:], text) for key, text in kept.items() if key.startswith("v.")):
        if name in fields:
            values[name] = text.splitlines() if "list" in str(fields[name].annotation) else text
    return _Waiting(
        kept["platform"], int(kept["source"]) if kept["source"] else None, kept["title"], kept["verifier"],
        kept["redirect"], kept.get("depth", ""),
        {name: value for name, value in values.items() if value not in ("", "None")},
    )  # fmt: skip


def _store(session: Session, actor: Actor, keyring: Keyring, waiting: _Waiting, granted: Granted) -> int:
    values = {**waiting.values, **granted.values}
    if waiting.source_id is None:
        title = waiting.title or granted.title or channel_class(waiting.platform).title
        source = add_place(
            session, actor, keyring, platform=waiting.platform, title=title, values=values,
            depth=waiting.depth or None,
        )  # fmt: skip
    else:
        source = get_source(session, DESK, waiting.source_id)
        name_held(source, keyring.unseal(source.secrets))
        with keeping_place(session, actor, source.id):
            edit_source(session, actor, keyring, source.id, title=waiting.title or source.title, values=values)
            if waiting.depth:
                choose_depth(session, actor, source.id, waiting.depth)
    source.token_until, source.consent_until = granted.token_until, granted.consent_until
    record(session, "source.connected", actor, object_id=source.id)
    return source.id


def run_renew(database: Database, keyring: Keyring, open_channel: OpenChannel) -> int:
    """Fresh tokens for what ends within minutes; returns how many. One that is refused stops its place."""
    now = utc_now()
    with database.read.begin() as session:
        due = list(
            session.scalars(
                select(Source).where(
                    Source.token_until <= now + RENEW_BEFORE, Source.state.in_(("active", "manual"))
                )
            )
        )
        session.expunge_all()
    done = 0
    for source in due:
        channel = open_channel(source)
        try:
            granted = channel.renew()
        except ChannelError as error:
            _note_refusal(database, source.id, error)
            continue
        finally:
            channel.close()
        with database.write.begin() as session:
            done += _renewed(session, keyring, source.id, granted)
    return done


def _note_refusal(database: Database, source_id: int, error: ChannelError) -> None:
    structlog.get_logger().warning("access.renew", source=source_id, code=error.code)
    if error.permanent:
        with database.write.begin() as session:
            record_failure(session, source_id, error)
            session.get_one(Source, source_id).token_until = None


def _renewed(session: Session, keyring: Keyring, source_id: int, granted: Granted | None) -> int:
    source = session.get(Source, source_id)
    if source is None:
        raise NotFound("source.unknown", id=source_id)
    if granted is None:
        source.token_until = None
        return 0
    names = secret_fields(source.platform)
    fresh = {name: value for name, value in granted.values.items() if name in names}
    plain = {name: value for name, value in granted.values.items() if name not in names}
    source.secrets = keyring.seal({**keyring.unseal(source.secrets), **fresh})
    source.settings = {**source.settings, **plain}
    source.token_until, source.consent_until = granted.token_until, granted.consent_until
    return 1


def run_warn_of_ends(database: Database, now: datetime | None = None) -> int:
    """Tells administrators once of each consent that ends within days; returns how many places."""
    now = now or utc_now()
    with database.write.begin() as session:
        told = exists().where(
            Notice.source_id == Source.id, Notice.kind == KIND, Notice.due_at == Source.consent_until
        )
        due = select(Source).where(
            Source.consent_until <= now + WARN_BEFORE, Source.state.in_(("active", "stopped")), ~told
        )
        places = list(session.scalars(due))
        people = [actor_of(row) for row in session.scalars(select(Staff))] if places else []
        policy = policy_of(session)
        for place in places:
            for person in people:
                if person.staff_id is not None and person.may("source.edit"):
                    session.add(
                        Notice(
                            staff_id=person.staff_id, kind=KIND, source_id=place.id, due_at=place.consent_until,
                            show_at=policy.after_quiet(now), created_at=now,
                        )
                    )  # fmt: skip
        return len(places)
