"""What is reckoned of a change before it is kept: one sentence with its number."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.filters import Condition


@dataclass(frozen=True, slots=True)
class Effect:
    """``count`` of the ``tried`` that were looked at, of the ``total`` there are; ``groups``, a filter of the
    inbox, or ``cases``, the first of them, lead to what is counted."""

    code: str
    count: int
    tried: int
    total: int
    cases: tuple[int, ...] = ()
    groups: tuple[tuple[Condition, ...], ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
