"""The end of a process that was told to stop: SIGINT and SIGTERM, heard between two steps of the main thread."""

import contextlib
import queue
import signal
import threading
from types import FrameType

LOOK_SECONDS = 0.5


class Ending:
    """Sets ``ended`` after a signal; for the main thread, which alone may listen.

    A handler runs in the middle of whatever the main thread does. `threading.Event.set` takes a lock that the main
    thread holds while it waits for the same event: told at that moment, the process would never end.
    `queue.SimpleQueue.put` is made for handlers.
    """

    def __init__(self) -> None:
        self.ended = threading.Event()
        self._told: queue.SimpleQueue[None] = queue.SimpleQueue()
        signal.signal(signal.SIGINT, self._hear)
        signal.signal(signal.SIGTERM, self._hear)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self._told.put(None)

    def wait(self, seconds: float = LOOK_SECONDS) -> bool:
        """Returns after ``seconds`` or at a signal; True when the end has come, whoever said so."""
        with contextlib.suppress(queue.Empty):
            self._told.get(timeout=seconds)
            self.ended.set()
        return self.ended.is_set()
