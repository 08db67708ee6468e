"""One reading for all who ask the same while nothing changes: fifty screens hear of a change in one instant."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from typing import Any, TypeVar, cast

T = TypeVar("T")
FRESH = 1.0
"""Seconds for which an answer is given again: what is late becomes so without a change."""
MOST_KEPT = 64


class Together:
    """What one is given was never read before the last change that was there when they asked.

    Whoever asks while a reading is under way waits for the next one, with all others who do; after it the same
    answer is given as long as ``state`` says the same as before it. What is given is shared: nobody may change it.
    """

    def __init__(self, state: Callable[[], Hashable]) -> None:
        self._state = state
        self._door = threading.Lock()
        self._running: dict[Hashable, Future[Any]] = {}
        self._next: dict[Hashable, Future[Any]] = {}
        self._kept: OrderedDict[Hashable, tuple[Hashable, float, Any]] = OrderedDict()

    def ask(self, key: Hashable, read: Callable[[], T]) -> T:
        """What ``read`` returns, or raises; ``key`` says what is read and for whom."""
        state = self._state()
        kept = self._as_of(key, state)
        if kept is not None:
            return cast(T, kept[0])
        with self._door:
            joined = self._next.get(key)
            if joined is None:
                own: Future[T] = Future()
                self._next[key], before = own, self._running.get(key)
        if joined is not None:
            return cast(T, joined.result())
        if before is not None:
            wait([before])
        with self._door:  # whoever comes from now on may have seen more than this reading does
            del self._next[key]
            self._running[key] = own
        try:
            if before is not None:  # what it read may be all that there is
                state = self._state()
                kept = self._as_of(key, state)
            own.set_result(self._read(key, state, read) if kept is None else kept[0])
        except BaseException as error:
            own.set_exception(error)
        with self._door:
            if self._running.get(key) is own:
                del self._running[key]
        return own.result()

    def _as_of(self, key: Hashable, state: Hashable) -> tuple[Any] | None:
        """The last answer, if nothing changed since before it was read."""
        with self._door:
            known, until, value = self._kept.get(key, (None, 0.0, None))
        return (value,) if known == state and time.monotonic() < until else None

    def _read(self, key: Hashable, state: Hashable, read: Callable[[], T]) -> T:
        until = time.monotonic() + FRESH
        value = read()
        with self._door:
            self._kept[key] = state, until, value
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return value
