"""What every platform of the sandbox stands on: the open store of the running application, and forms of time."""

from datetime import UTC, datetime, timedelta, timezone
from typing import cast

from flask import current_app

from sandbox.store import Store

# The school lives in Moscow, which has kept UTC+3 without summer time since 2014.
SCHOOL_ZONE = timezone(timedelta(hours=3))


def store() -> Store:
    return cast(Store, current_app.extensions["store"])


def utc(at: float) -> str:
    """Unix seconds as ``2026-11-25T19:18:00Z``."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(text: str | None, default: int, lowest: int, highest: int) -> int | None:
    """A whole number of a request within its limits, or None, so that the platform can refuse it."""
    if text is None or text == "":
        return default
    try:
        value = int(text)
    except ValueError:
        return None
    return value if lowest <= value <= highest else None
