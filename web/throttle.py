"""How often one address may try what is guessed at: kept in memory, since guesses come by the second."""

import threading
import time
from collections import deque


class Throttle:
    """At most ``most`` misses within ``seconds`` for one key; safe to call from any thread."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._lock = threading.Lock()
        self._misses: dict[str, deque[float]] = {}

    def is_over(self, key: str) -> bool:
        """Whether nothing of this key is looked at for a while."""
        with self._lock:
            return len(self._recent(key)) >= self._most

    def miss(self, key: str) -> None:
        """One more wrong guess."""
        with self._lock:
            self._recent(key).append(time.monotonic())
            if len(self._misses) > 10_000:
                # Whoever guesses from many addresses must not fill the memory: the oldest are forgotten.
                del self._misses[next(iter(self._misses))]

    def _recent(self, key: str) -> deque[float]:
        found = self._misses.setdefault(key, deque(maxlen=self._most))
        edge = time.monotonic() - self._seconds
        while found and found[0] < edge:
            found.popleft()
        return found
