"""How a service refuses: typed errors with a code; the words for people are made in the web."""

from typing import Any


class DeskError(Exception):
    """``code`` is a stable word such as «case.closed»; ``data`` holds ids and codes for the message."""

    def __init__(self, code: str, **data: Any) -> None:
        super().__init__(code)
        self.code = code
        self.data = data


class Forbidden(DeskError):
    """The actor has no right to this act, or not on this object."""


class NotFound(DeskError):
    """There is no such object, or the actor may not know of it."""


class Stale(DeskError):
    """Somebody else changed the object first; ``data`` tells its present state."""


class Refused(DeskError):
    """The act is not possible in this state, or its input is not acceptable."""


class ReadOnly(DeskError):
    """Nothing may be written at this moment."""
