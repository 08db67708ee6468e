"""How every benchmark prints: machine, commit, a table, then a line a figure with its goal."""

import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """``value`` is good when it is at most (or, with ``at_least``, at least) ``goal``; no goal: for information."""

    name: str
    value: float
    goal: float | None = None
    at_least: bool = False

    @property
    def is_short(self) -> bool:
        if self.goal is None:
            return False
        return self.value < self.goal if self.at_least else self.value > self.goal


def header() -> None:
    """Machine and commit of this run."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    print(
        f"machine {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; commit {commit}"
    )


def p95(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]


def row(name: str, values: Sequence[float], unit: str = "s") -> None:
    """One line of the table: median and p95 of the runs."""
    print(
        f"{name:40} median {statistics.median(values):9.3f} {unit}  p95 {p95(values):9.3f} {unit}  n={len(values)}"
    )


def finish(figures: Sequence[Figure]) -> int:
    """Prints «name value goal ok|short»; 1 when one is short."""
    print()
    for figure in figures:
        goal = "-" if figure.goal is None else f"{figure.goal:g}"
        print(f"{figure.name} {figure.value:.3f} {goal} {'short' if figure.is_short else 'ok'}")
    return int(any(figure.is_short for figure in figures))
