"""Broadcasts of a platform's own and readings of their chats: the part of the contract for what is on air."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collectors.base import Raw


@dataclass(frozen=True, slots=True)
class Airing:
    """A broadcast as its platform knows it; ``state``: planned · live · over. ``chat`` is the address of its live
    chat, ``publication`` the id under which what is said there arrives. Times are aware UTC."""

    external_id: str
    title: str
    state: str
    publication: str
    url: str
    chat: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    viewers: int | None = None


@dataclass(frozen=True, slots=True)
class ChatPage:
    """One reading of a live chat; ``pause``: seconds that the platform demands before the next one."""

    raws: "tuple[Raw, ...]"
    cursor: dict[str, Any]
    pause: float
    ended: bool = False


@dataclass(frozen=True, slots=True)
class ChatBudget:
    """Units of the day: ``left`` for reading, of ``limit``; one reading of a chat takes ``cost``."""

    left: int
    spent: int
    limit: int
    cost: int
    seconds_to_reset: float


@dataclass(frozen=True, slots=True)
class DayUnits:
    """A day's budget of calls: its ``name`` and ``day`` at the limiter, ``limit`` units, ``reserve`` of them for
    answers alone, ``new`` what new comments will have taken when the day ends in ``seconds`` from now."""

    name: str
    day: str
    limit: int
    reserve: int
    new: int
    seconds: float
