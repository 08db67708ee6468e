"""Where tests keep what need not outlive them: a folder in memory makes a database in a tenth of the time."""

import shutil
from pathlib import Path

PLACE = Path("/dev/shm")
LEAST = 4 * 1024**3
"""A container may have 64 MB there; the databases of both workers take some hundred."""


def memory() -> str | None:
    """A folder in memory with room enough; None leaves things where temporary files are."""
    try:
        return str(PLACE) if shutil.disk_usage(PLACE).free >= LEAST else None
    except OSError:
        return None
