"""Long benchmarks in pieces: what was measured at a commit is kept, so that a run can be ended and gone on with."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from config import ROOT


class Pieces:
    """Results of one benchmark at one commit, a line a piece, in ``OTKLIK_BENCH_KEEP`` (var/bench by default).

    ``OTKLIK_BENCH_MINUTES``: no piece is begun after so many minutes; the next run begins where this one ended.
    """

    def __init__(self, name: str) -> None:
        self._commit = _commit()
        folder = Path(os.environ.get("OTKLIK_BENCH_KEEP", ROOT / "var" / "bench"))
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{name}-{self._commit}.jsonl"
        self._until = time.monotonic() + 60 * float(os.environ.get("OTKLIK_BENCH_MINUTES", "inf"))
        self._kept: dict[str, Any] = {}
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                told = json.loads(line)
                self._kept[told["key"]] = told["value"]
        self.left = 0

    def get(self, key: str, make: Callable[[], Any]) -> Any | None:
        """The kept value of a piece, or what ``make`` gives now; None when the time is over."""
        if key in self._kept:
            return self._kept[key]
        if time.monotonic() >= self._until:
            self.left += 1
            return None
        made = make()
        value = asdict(made) if hasattr(made, "__dataclass_fields__") else made
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, "value": value}) + "\n")
        self._kept[key] = value
        return value


def _commit() -> str:
    words = ["git", "describe", "--always", "--abbrev=9", "--dirty"]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"
