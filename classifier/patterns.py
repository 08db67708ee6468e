"""The table of patterns.yaml, compiled: phrases that nearly always mean one thing."""

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

from classifier.openings import Expressions

_TABLE = Path(__file__).with_name("patterns.yaml")


@cache
def patterns() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """The table as (group, name, compiled expression), in its order; names are unique in their group."""
    table: dict[str, dict[str, str]] = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))
    return tuple(
        (group, name, re.compile(expression)) for group, rows in table.items() for name, expression in rows.items()
    )


@cache
def _expressions() -> Expressions:
    return Expressions(expression.pattern for _, _, expression in patterns())


@cache
def fingerprint() -> str:
    """SHA-256 of the table: an artifact trained with other patterns must not be trusted."""
    return hashlib.sha256(_TABLE.read_bytes()).hexdigest()


def find(folded: str) -> Iterator[tuple[str, str, int, int]]:
    """Each pattern that occurs in a folded text, once: group, name and the span of its first occurrence."""
    for number in _expressions().possible(folded):
        group, name, expression = patterns()[number]
        if (match := expression.search(folded)) and match.end() > match.start():
            yield group, name, match.start(), match.end()
