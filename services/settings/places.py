"""What versions keep of a watched place; read by whatever changes it."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from models import Source
from services.rights import Actor
from services.settings.history import keeping
from services.settings.many import PLACE, name_of

RESTING = datetime(9999, 1, 1, tzinfo=UTC)
"""When the deep walk of a place is due whose history a person has put to rest."""
UNDECLARED = "undeclared"
"""Error of a place that config.yaml does not declare any more: nobody paused it."""


def is_resting(source: Source) -> bool:
    """Nothing old is read there until somebody says so; what is new is."""
    return source.deep_due_at >= RESTING


def state_of(source: Source) -> str:
    """What people decided: on · paused · manual · removed. Whether reading works is no decision."""
    if source.removed_at is not None:
        return "removed"
    if source.state == "manual" or (source.state == "paused" and source.error_code != UNDECLARED):
        return source.state
    return "on"


def place_row(session: Session, source_id: int) -> dict[str, Any] | None:
    """The place as a version keeps it; ``secrets``: name → when it was given, never what it is. Of a declared place
    config.yaml keeps title and settings."""
    source = session.get(Source, source_id)
    if source is None:
        return None
    own = {"title": source.title, "settings": dict(source.settings), "secrets": dict(source.typed)}
    return {
        "id": source.id, "platform": source.platform, **(own if source.declared_as is None else {}),
        "state": state_of(source), "rests": is_resting(source), "depth": (source.history or {}).get("depth", "all"),
        "since": source.history_from.isoformat() if source.history_from is not None else None,
    }  # fmt: skip


def keeping_place(session: Session, actor: Actor, source_id: int) -> AbstractContextManager[None]:
    """What is done inside to a place becomes one version of it."""
    return keeping(session, actor, name_of(PLACE, source_id), partial(place_row, source_id=source_id))
