"""What versions keep of keys of the API and of web hooks; read by whatever changes them."""

from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from models import ApiKey, Webhook
from services.rights import Actor
from services.settings.history import keeping
from services.settings.many import HOOK, KEY, name_of


def key_row(session: Session, key_id: int) -> dict[str, Any] | None:
    """The key as a version keeps it: never what opens the desk, nor its digest."""
    row = session.get(ApiKey, key_id)
    if row is None:
        return None
    return {
        "id": row.id, "staff_id": row.staff_id, "name": row.name, "scopes": list(row.scopes),
        "until": row.expires_at.isoformat(), "revoked": row.revoked_at is not None,
    }  # fmt: skip


def hook_row(session: Session, webhook_id: int) -> dict[str, Any] | None:
    """The address as a version keeps it; ``secret``: when it was made. That nothing got there is no decision."""
    row = session.get(Webhook, webhook_id)
    if row is None:
        return None
    return {
        "id": row.id, "name": row.name, "url": row.url, "events": list(row.events),
        "state": "dropped" if row.dropped_at is not None else "off" if row.state == "off" else "on",
        "secret": row.secret_at.isoformat() if row.secret_at is not None else "",
    }  # fmt: skip


def keeping_key(session: Session, actor: Actor, key_id: int) -> AbstractContextManager[None]:
    """What is done inside to a key becomes one version of it."""
    return keeping(session, actor, name_of(KEY, key_id), partial(key_row, key_id=key_id))


def keeping_hook(session: Session, actor: Actor, webhook_id: int) -> AbstractContextManager[None]:
    """What is done inside to a web hook becomes one version of it."""
    return keeping(session, actor, name_of(HOOK, webhook_id), partial(hook_row, webhook_id=webhook_id))
