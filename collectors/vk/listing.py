"""Reading VK's offset pages without a hole, although items come and go between two of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from collectors.base import ChannelError

OVERLAP = 10
STEPS_BACK = 25

Fetch = Callable[[int], tuple[list[Any], int | None]]
"""offset → the items there and how many the level has (None when it is not said)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One page: what it brought anew, and where to begin again before or after it.

    ``whole`` on the last page: everything from the first item on was read, and as many as VK says there are.
    """

    items: list[Any]
    before: dict[str, Any]
    after: dict[str, Any]
    is_last: bool
    whole: bool


def steps(fetch: Fetch, size: int, key: Callable[[Any], Any], at: dict[str, Any] | None = None) -> Iterator[Step]:
    """Pages of up to ``size`` items from ``at`` ({} or None: the first) to the end.

    Each page begins OVERLAP items before the end of the one before it and must meet one of them: if it does not,
    items before it were deleted and the listing moved up, so an earlier page is read. This holds in any order.
    """
    at = at or {}
    offset, known = int(at.get("offset", 0)), set(at.get("tail", ()))
    is_from_start, is_linked, back = not at, bool(at.get("tail")), 0
    tail: list[Any] = list(at.get("tail", ()))
    while True:
        items, total = fetch(offset)
        ids = [key(item) for item in items]
        if is_linked and known.isdisjoint(ids):
            back += 1
            if back > STEPS_BACK:
                raise ChannelError("the listing moves faster than it can be read", code="server")
            offset = max(0, offset - size)
            is_linked = offset > 0
            continue
        before = {"offset": offset, "tail": tail} if offset else {}
        fresh = [item for item, id_ in zip(items, ids, strict=True) if id_ not in known]
        known.update(ids)
        tail = ids[-OVERLAP:]
        short = len(items) < size
        end = offset + len(items) if items else offset + size
        # A total may count what is not shown to us, and a page may be shorter than asked for, even empty.
        is_last = end >= total if total is not None else short
        overlap = min(OVERLAP, len(items) // 2) if fresh or not short else min(1, len(items) // 2)
        offset, is_linked = end - overlap, overlap > 0
        whole = is_last and is_from_start and total is not None and len(known) >= total
        yield Step(fresh, before, {"offset": offset, "tail": tail}, is_last, whole)
        if is_last:
            return
