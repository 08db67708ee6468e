"""One file to send to whoever helps: figures, codes and versions; nobody's name, words, addresses or keys.

What is written is chosen field by field. A text of the database gets in only as a code, and a code is a word of
small letters, dots and underscores: whatever else stands in such a column is told as «?».
"""

import json
import os
import platform
import re
import sys
from typing import Any, Protocol

from sqlalchemy import func, inspect, select, table
from sqlalchemy.orm import Session

from models import Base, Event
from services.journal import check_chain
from services.room import Room
from services.state import Snapshot, snapshot, versions

_CODE = re.compile(r"[a-z][a-z_]{0,30}(\.[a-z_]{1,30}){0,3}")
EVENTS = 20_000
"""Kinds are counted over so many of the newest events."""


class Settings(Protocol):
    """What is asked of config.yaml: its sections, each with typed fields."""

    def model_dump(self, *, mode: str) -> dict[str, Any]: ...


def code(text: str | None) -> str | None:
    """``text`` if it is one of our words, «?» if it is anything else."""
    return text if text is None or _CODE.fullmatch(text) else "?"


def findings(session: Session, config: Settings, *, mode: str, room: Room, classifier: str) -> dict[str, Any]:
    """Everything that the file holds."""
    now = snapshot(session)
    return {
        "made_at": now.at.isoformat(), "mode": mode, "versions": versions(session), "machine": _machine(room),
        "classifier": code(classifier), "settings": plain_settings(config.model_dump(mode="json")),
        "state": _state(now), "journal": _journal(session), "rows": _rows(session), "events": _events(session),
    }  # fmt: skip


def told(found: dict[str, Any]) -> str:
    """The file: JSON that a person can read before sending it."""
    return json.dumps(found, ensure_ascii=False, indent=1, sort_keys=False) + "\n"


def plain_settings(given: dict[str, Any]) -> dict[str, Any]:
    """Numbers and switches as they are; of a text only whether it is set, of a list or a table its length."""
    plain: dict[str, Any] = {}
    for key, value in given.items():
        if isinstance(value, bool | int | float) or value is None:
            plain[key] = value
        elif isinstance(value, dict) and key not in ("proxies", "settings", "secrets"):
            plain[key] = plain_settings(value)
        elif isinstance(value, list | dict):
            plain[key] = f"{len(value)} given"
        else:
            plain[key] = "set" if value else "empty"
    return plain


def _machine(room: Room) -> dict[str, Any]:
    return {
        "system": platform.system(), "release": platform.release(), "machine": platform.machine(),
        "cores": os.cpu_count(), "memory_kb": _memory(), "free_bytes": room.free_bytes(), "full": room.is_full(),
    }  # fmt: skip


def _memory() -> int | None:
    """What this process holds at most, in KB (Linux counts so; macOS in bytes)."""
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _state(now: Snapshot) -> dict[str, Any]:
    return {
        "revision": now.health.revision, "scheduler": now.health.scheduler, "stuck_acts": now.health.stuck_acts,
        "processes": [{"kind": code(one.kind), "alive": one.alive, "seen_at": one.seen_at.isoformat()}
                      for one in now.processes],
        "queue": {"waiting": now.queue.waiting, "workers": now.queue.workers} if now.queue else None,
        "acts": {str(code(key)): value for key, value in now.acts.items()},
        "letters": {str(code(key)): value for key, value in now.letters.items()},
        "unlabelled": now.unlabelled, "oldest": now.oldest.isoformat() if now.oldest else None,
        "quarantined": now.quarantined,
        "places": [{"platform": code(one.platform), "state": code(one.state), "error": code(one.code),
                    "lag_seconds": int(one.lag.total_seconds())} for one in now.places],
        "backup": {"at": now.backup.at.isoformat() if now.backup.at else None, "late": now.backup.late,
                   "bytes": now.backup.size, "seconds": now.backup.seconds,
                   "failed_at": now.backup.failed_at.isoformat() if now.backup.failed_at else None},
    }  # fmt: skip


def _journal(session: Session) -> dict[str, Any]:
    chain = check_chain(session)
    return {"sealed": chain.sealed, "open": chain.open, "whole": chain.broken_at is None}


def _rows(session: Session) -> dict[str, int]:
    there = set(inspect(session.connection()).get_table_names())
    names = [name for name in sorted(Base.metadata.tables) if name in there]
    return {name: session.scalar(select(func.count()).select_from(table(name))) or 0 for name in names}


def _events(session: Session) -> dict[str, int]:
    newest = select(Event.kind, Event.id).order_by(Event.id.desc()).limit(EVENTS).subquery()
    counted = session.execute(select(newest.c.kind, func.count()).group_by(newest.c.kind))
    found: dict[str, int] = {}
    for kind, count in counted:
        found[str(code(kind))] = found.get(str(code(kind)), 0) + count
    return dict(sorted(found.items()))
