"""A watched place as a setting: taking it off the lists, and what a version of it brings back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models import Act, Responsibility, Rule, Source, utc_now
from services import bots, mailbox
from services.connections import refuse_new_address
from services.errors import Refused
from services.events import record
from services.history import DEPTHS, choose_depth
from services.outbox import WAITING
from services.rights import DESK, Actor, require
from services.secrets import Keyring
from services.settings.history import value_of
from services.settings.places import is_resting, keeping_place, state_of
from services.sources import check_settings, get_source, rest_history, set_state, split_secrets, wake_source

ACTIVE = {"on": "active"}


def naming_place(session: Session, source_id: int) -> list[str]:
    """Names of settings that give a place something to do: «duties», «rules», «mail», «bots»."""
    cells = select(Responsibility.id).where(
        Responsibility.place == source_id,
        or_(Responsibility.staff_id.is_not(None), Responsibility.department_id.is_not(None)),
    )
    rules = session.scalars(select(Rule).where(Rule.active))
    writing = (value_of(session, bots.NAME) or {}).values()
    named = {
        "duties": session.scalar(cells.limit(1)) is not None,
        "rules": any(row.conditions.get("place") == source_id for row in rules),
        "mail": mailbox.stored_mail(session).get("source_id") == source_id,
        "bots": any(one["source_id"] == source_id for one in writing),
    }
    return [name for name, is_named in named.items() if is_named]


# ── acts ─────────────────────────────────────────────────────────────────────


def remove_place(session: Session, actor: Actor, source_id: int) -> Source:
    """Takes a place off the lists; what came from it stays, and it can be brought back. Raises Refused where a
    setting names it, or a reply still waits to go there."""
    require(actor, "source.edit")
    source = get_source(session, DESK, source_id)
    if source.declared_as is not None:
        raise Refused("source.declared", name=source.declared_as)
    named = naming_place(session, source_id)
    if named:
        raise Refused("source.named", name=source.title, settings=named)
    unsent = (Act.source_id == source_id, Act.state.in_(("approval", "sending", *WAITING)))
    if session.scalar(select(Act.id).where(*unsent).limit(1)) is not None:
        raise Refused("source.unsent", name=source.title)
    with keeping_place(session, actor, source_id):
        source.state, source.removed_at = "paused", source.removed_at or utc_now()
    record(session, "source.removed", actor, object_id=source.id)
    return source


def put_place(
    session: Session, actor: Actor, keyring: Keyring, source_id: int, value: Mapping[str, Any] | None
) -> None:
    """The place becomes what a version says, by the checks of today. Its secrets stay those of today: a version has
    none, and where they would go to another address it is refused."""
    require(actor, "source.edit")
    source = get_source(session, DESK, source_id)
    if value is None:
        raise Refused("source.begun", name=source.title)
    with keeping_place(session, actor, source_id):
        if source.declared_as is None:
            _put_settings(source, keyring, value)
        _put_depth(session, actor, source, value)
        if value["rests"] != is_resting(source):
            rest_history(session, actor, source_id, value["rests"])
        if value["state"] == "removed":
            remove_place(session, actor, source_id)
        elif value["state"] != state_of(source):
            set_state(session, actor, source_id, ACTIVE.get(value["state"], value["state"]))


def _put_settings(source: Source, keyring: Keyring, value: Mapping[str, Any]) -> None:
    source.title = value["title"]
    if value["settings"] == source.settings:
        return
    held = keyring.unseal(source.secrets)
    settings = check_settings(source.platform, {**value["settings"], **held})
    plain, _secrets = split_secrets(source.platform, settings)
    if held:
        refuse_new_address(source, plain)
    source.settings = plain
    wake_source(source)


def _put_depth(session: Session, actor: Actor, source: Source, value: Mapping[str, Any]) -> None:
    """From the same day as then, not as far back from today."""
    length = DEPTHS.get(value["depth"])
    since = datetime.fromisoformat(value["since"]) if value["since"] else None
    then = since + length if since is not None and length is not None else None
    choose_depth(session, actor, source.id, value["depth"], then)
