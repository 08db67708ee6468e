"""How often a live chat is asked: stretched over the rest of the broadcast within the units that are left."""

from dataclasses import asdict, dataclass
from typing import Any

COLLECTING_UNITS = 2
"""What one ordinary reading of a place takes on the average."""
LEAST_LEFT = 60.0
"""A broadcast that runs over its planned end is planned for another minute, again and again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``pause`` seconds between two readings of each chat; ``needs`` units until the end, of ``left`` that may be
    spent. ``stretched``: the platform would allow more often. ``short``: not even one reading is left."""

    pause: float
    needs: int
    left: int
    spent: int
    limit: int
    stretched: bool
    short: bool

    def as_row(self) -> dict[str, Any]:
        return asdict(self)


def for_collecting(seconds_to_reset: float, every_seconds: int) -> int:
    """Units that ordinary reading of a place will take until the day's units come back."""
    return int(seconds_to_reset / max(1, every_seconds) * COLLECTING_UNITS)


def make_plan(*, left: int, spent: int, limit: int, cost: int, seconds: float, chats: int, demanded: float) -> Plan:
    """``left`` units for reading, ``cost`` of one call, ``seconds`` to the end, ``demanded`` by the platform.

    The pause is never shorter than the platform demands, and so long that the units last to the end.
    """
    seconds, chats = max(LEAST_LEFT, seconds), max(1, chats)
    calls = left // cost
    fair = seconds * chats / calls if calls > 0 else seconds
    pause = max(demanded, fair)
    return Plan(
        round(pause, 3), int(seconds / pause * chats * cost), left, spent, limit,
        stretched=fair > demanded, short=calls <= 0,
    )  # fmt: skip
