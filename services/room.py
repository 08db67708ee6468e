"""Room on the disk: a full desk only shows what it has, and goes on by itself when there is room again."""

import shutil
import threading
import time
from pathlib import Path

from sqlalchemy.exc import DBAPIError

LEAST_BYTES = 64 * 1024 * 1024
LEAST_SHARE = 0.05
"""The smaller of the two must be free; below that a transaction could end in the middle of the last page."""
LOOK_SECONDS = 2.0
DOUBT_SECONDS = 15.0
"""After a database that lies elsewhere has said that it is full, writing is tried again so much later."""
_WORDS = ("database or disk is full", "no space left", "diskfull", "disk full")


def is_disk_full(error: BaseException) -> bool:
    """Whether the database, or a file, could not be written for want of room (SQLITE_FULL, 53100, ENOSPC)."""
    original = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(original, OSError) and original.errno == 28:
        return True
    words = f"{type(original).__name__} {original}".lower()
    return isinstance(error, DBAPIError) and any(one in words for one in _WORDS)


class Room:
    """Looks at the disk of ``folder`` every LOOK_SECONDS at most; safe to ask from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._looked = self._doubted = float("-inf")
        self._short = False

    def is_full(self) -> bool:
        """True while nothing may be written."""
        now = time.monotonic()
        with self._lock:
            if now - self._looked > LOOK_SECONDS:
                self._looked, self._short = now, self._is_short()
            return self._short or now - self._doubted < DOUBT_SECONDS

    def note_full(self) -> None:
        """Somebody could not write."""
        with self._lock:
            self._doubted = time.monotonic()

    def free_bytes(self) -> int:
        """What is free for this process."""
        try:
            return shutil.disk_usage(self._folder).free
        except OSError:
            return 0

    def _is_short(self) -> bool:
        try:
            usage = shutil.disk_usage(self._folder)
        except OSError:
            return False  # a folder that is not there is another trouble, told elsewhere
        return usage.free < min(LEAST_BYTES, usage.total * LEAST_SHARE)
