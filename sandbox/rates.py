"""How many calls a platform takes in a span of time before it says that they are too many."""

import threading
import time
from collections import defaultdict, deque

from flask import current_app


class Rate:
    """At most ``limit`` calls of one caller in ``seconds``; switched off by the process's ``--no-rate-limits``."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit, self.seconds = limit, seconds
        self._lock = threading.Lock()
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)

    def wait(self, caller: str) -> float:
        """Counts a call and returns 0, or refuses it and returns the seconds until the next one is taken."""
        if not current_app.config["RATE_LIMITS"]:
            return 0.0
        now = time.monotonic()
        with self._lock:
            calls = self._calls[caller]
            while calls and calls[0] <= now - self.seconds:
                calls.popleft()
            if len(calls) >= self.limit:
                return calls[0] + self.seconds - now
            calls.append(now)
        return 0.0
