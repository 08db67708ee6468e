"""Tables of phrases that tell what a text is about and which clock it starts: themes.yaml and signals.yaml."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from classifier.text import Reading

# Whose theme it is when no theme is found: the department that owns the desk.
OWN_DEPARTMENT = "relations"


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    department: str
    words: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...]
    certain: tuple[re.Pattern[str], ...]


def signals_of(reading: Reading) -> tuple[str, ...]:
    """The signals that the phrases of a text raise, in the order of signals.yaml."""
    return tuple(entry.name for entry in _table("signals") if _hits(entry, reading))


def certain_of(reading: Reading, raised: Iterable[str]) -> tuple[str, ...]:
    """Those of the raised signals whose words leave no doubt, by `certain` of signals.yaml."""
    sought = [text for text in (reading.folded, reading.view) if text]
    return tuple(
        entry.name
        for entry in _table("signals")
        if entry.name in raised and any(e.search(text) for e in entry.certain for text in sought)
    )


def themes_of(reading: Reading) -> tuple[str, ...]:
    """The themes of a text, the leading one first: the one with most expressions found, then the first in file."""
    counted = [(_hits(entry, reading), -place, entry.name) for place, entry in enumerate(_table("themes"))]
    return tuple(name for count, _, name in sorted(counted, reverse=True) if count)


def department_of(theme: str | None) -> str:
    """The code of the department that a theme belongs to; without a theme the desk's own."""
    return next((entry.department for entry in _table("themes") if entry.name == theme), OWN_DEPARTMENT)


def theme_names() -> tuple[str, ...]:
    """Every theme, in the order of the file."""
    return tuple(entry.name for entry in _table("themes"))


def signal_names() -> tuple[str, ...]:
    """Every signal, in the order of the file."""
    return tuple(entry.name for entry in _table("signals"))


def _hits(entry: _Entry, reading: Reading) -> int:
    """How many expressions of an entry occur; 0 when one that takes it back occurs too."""
    sought = [text for text in (reading.folded, reading.view) if text]
    found = 0
    for expression in entry.words:
        for text in sought:
            if expression.search(text):
                found += 1
                break
    # Most texts hit nothing: what takes a hit back is looked for only after one.
    if found and any(expression.search(text) for expression in entry.unless for text in sought):
        return 0
    return found


@cache
def _table(name: str) -> tuple[_Entry, ...]:
    content: dict[str, dict[str, Any]] = yaml.safe_load(
        Path(__file__).with_name(f"{name}.yaml").read_text(encoding="utf-8")
    )
    return tuple(
        _Entry(
            key,
            row.get("department", OWN_DEPARTMENT),
            tuple(_compiled(row["any"])),
            tuple(_compiled(row.get("unless", ()))),
            tuple(_compiled(row.get("certain", ()))),
        )
        for key, row in content.items()
    )


def _compiled(expressions: list[str]) -> Iterator[re.Pattern[str]]:
    return (re.compile(expression) for expression in expressions)
