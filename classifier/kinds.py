"""Which kind of work a text is: one table over label, themes, signals, words and visibility (day.md §1.4)."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from classifier.labels import LABELS
from classifier.phrases import department_of, signal_names, theme_names
from classifier.text import fold

KINDS = (
    "question", "complaint", "wish", "application", "document", "technical", "claim", "personal_data", "stop_ads",
    "state_body", "crisis", "praise", "mention", "spam", "other",
)  # fmt: skip
PRIORITIES = (0, 1, 2, 3)
ORDINARY = 2
SENTIMENTS = (-1, 0, 1)
VISIBILITIES = ("public", "private")
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Kind:
    """`department` is a code; `row` is the number of the row that decided, None where none fitted."""

    name: str
    department: str
    priority: int = ORDINARY
    sentiment: int = 0
    row: int | None = None


@cache
def rows() -> tuple[dict[str, Any], ...]:
    """The table of kinds.yaml, in its order; a desk may keep an edited copy and pass it to `kind_of`."""
    content: list[dict[str, Any]] = yaml.safe_load(
        Path(__file__).with_name("kinds.yaml").read_text(encoding="utf-8")
    )
    return tuple(content)


def kind_of(
    label: str,
    themes: Sequence[str],
    signals: Collection[str],
    table: Rows | None = None,
    *,
    text: str = "",
    visibility: str = "public",
) -> Kind:
    """What the first fitting row says; `other` when none fits.

    `themes` has the leading one first; its department counts unless the row names one (domain.md §6.7: kind
    first, theme second).
    """
    own = department_of(themes[0] if themes else None)
    folded = fold(text)[0]
    for number, row in enumerate(rows() if table is None else table):
        if _fits(row, label, themes, signals, folded, visibility):
            return Kind(
                str(row["kind"]), str(row.get("department") or own), int(row.get("priority", ORDINARY)),
                int(row.get("sentiment", 0)), number,
            )  # fmt: skip
    return Kind("other", own)


def check_rows(table: Rows) -> None:
    """Raises ValueError that names the first wrong row (from 1) and what is wrong in it."""
    for number, row in enumerate(table, 1):
        wrong = [
            key
            for key, known in (
                ("kind", KINDS), ("priority", PRIORITIES), ("sentiment", SENTIMENTS), ("signal", signal_names()),
                ("visibility", VISIBILITIES),
            )
            if row.get(key) is not None and row[key] not in known
        ]  # fmt: skip
        wrong += [key for key, known in _LISTS.items() if set(row.get(key, ())) - set(known())]
        wrong += [key for key in row if key not in _KEYS]
        if "kind" not in row:
            wrong.append("kind")
        try:
            _compiled(str(row.get("words", "")))
        except re.error:
            wrong.append("words")
        if wrong:
            raise ValueError(f"{number}: {', '.join(wrong)}")


_LISTS = {"labels": lambda: LABELS, "themes": theme_names, "any_theme": theme_names}
_KEYS = ("kind", "priority", "sentiment", "signal", "visibility", "department", "words", *_LISTS)


def _fits(
    row: Mapping[str, Any],
    label: str,
    themes: Sequence[str],
    signals: Collection[str],
    folded: str,
    visibility: str,
) -> bool:
    return (
        ("signal" not in row or row["signal"] in signals)
        and ("labels" not in row or label in row["labels"])
        and ("themes" not in row or (bool(themes) and themes[0] in row["themes"]))
        and ("any_theme" not in row or bool(set(row["any_theme"]) & set(themes)))
        and ("visibility" not in row or row["visibility"] == visibility)
        and ("words" not in row or _compiled(row["words"]).search(folded) is not None)
    )


@lru_cache(maxsize=100)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)
