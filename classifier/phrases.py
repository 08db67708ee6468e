"""Tables of phrases that tell what a text is about and which clock it starts: themes.yaml and signals.yaml."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from classifier.openings import Expressions
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
    faint: bool


def signals_of(reading: Reading) -> tuple[str, ...]:
    """The signals that the phrases of a text raise, in the order of signals.yaml."""
    return tuple(name for name, numbers in found("signals", reading).items() if numbers)


def certain_of(reading: Reading, raised: Iterable[str]) -> tuple[str, ...]:
    """Those of the raised signals whose words leave no doubt, by `certain` of signals.yaml."""
    sought = [text for text in (reading.folded, reading.view) if text]
    return tuple(
        entry.name
        for entry in _table("signals")
        if entry.name in raised and any(e.search(text) for e in entry.certain for text in sought)
    )


def themes_of(reading: Reading) -> tuple[str, ...]:
    """The themes of a text, the leading one first: the one with most expressions found, then the first in file.

    A `faint` one, whose words stand in most texts of a school, needs two expressions beside another theme.
    """
    counted = [
        (len(numbers), -place, name)
        for place, (name, numbers) in enumerate(found("themes", reading).items())
        if numbers
    ]
    faint = {entry.name for entry in _table("themes") if entry.faint}
    alone = all(name in faint for _, _, name in counted)
    return tuple(
        name for count, _, name in sorted(counted, reverse=True) if count > 1 or alone or name not in faint
    )


def department_of(theme: str | None) -> str:
    """The code of the department that a theme belongs to; without a theme the desk's own."""
    return next((entry.department for entry in _table("themes") if entry.name == theme), OWN_DEPARTMENT)


def theme_names() -> tuple[str, ...]:
    """Every theme, in the order of the file."""
    return tuple(entry.name for entry in _table("themes"))


def signal_names() -> tuple[str, ...]:
    """Every signal, in the order of the file."""
    return tuple(entry.name for entry in _table("signals"))


def found(name: str, reading: Reading) -> dict[str, list[int]]:
    """The numbers of the expressions of a table that occur, by entry: none where one that takes it back occurs."""
    table, expressions = _table(name), _expressions(name)
    owners = _owners(name)
    sought = (reading.folded, reading.view) if reading.view else (reading.folded,)
    hits: dict[str, list[int]] = {entry.name: [] for entry in table}
    possible = expressions.possible(reading.folded)
    if reading.view:
        possible = sorted({*possible, *expressions.possible(reading.view)})
    for number in possible:
        search = expressions.compiled[number].search
        if search(sought[0]) or any(search(text) for text in sought[1:]):
            hits[owners[number]].append(number)
    for entry in table:
        # Most texts hit nothing: what takes a hit back is looked for only after one.
        if hits[entry.name] and any(expression.search(text) for expression in entry.unless for text in sought):
            hits[entry.name] = []
    return hits


def phrase_numbers(signal: str) -> list[int]:
    """The numbers that `found` gives for the expressions of a signal."""
    return [number for number, owner in enumerate(_owners("signals")) if owner == signal]


@cache
def _expressions(name: str) -> Expressions:
    return Expressions(expression.pattern for entry in _table(name) for expression in entry.words)


@cache
def _owners(name: str) -> tuple[str, ...]:
    """Whose each expression is."""
    return tuple(entry.name for entry in _table(name) for _ in entry.words)


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
            bool(row.get("faint")),
        )
        for key, row in content.items()
    )


def _compiled(expressions: list[str]) -> Iterator[re.Pattern[str]]:
    return (re.compile(expression) for expression in expressions)
