"""Which kind of work a text is: one table over label, themes and signals (day.md §1.4)."""

from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from classifier.phrases import department_of


@cache
def rows() -> tuple[dict[str, Any], ...]:
    """The table of kinds.yaml, in its order; a desk may keep an edited copy and pass it to `kind_of`."""
    content: list[dict[str, Any]] = yaml.safe_load(
        Path(__file__).with_name("kinds.yaml").read_text(encoding="utf-8")
    )
    return tuple(content)


def kind_of(
    label: str, themes: Sequence[str], signals: Collection[str], table: Sequence[dict[str, Any]] | None = None
) -> tuple[str, str]:
    """The kind that the first fitting row names and the department it goes to; `other` when none fits.

    `themes` has the leading one first; its department counts unless the row names one (domain.md §6.7: kind
    first, theme second).
    """
    row = next((row for row in table or rows() if _fits(row, label, themes, signals)), {"kind": "other"})
    return str(row["kind"]), str(row.get("department") or department_of(themes[0] if themes else None))


def _fits(row: dict[str, Any], label: str, themes: Sequence[str], signals: Collection[str]) -> bool:
    return (
        ("signal" not in row or row["signal"] in signals)
        and ("labels" not in row or label in row["labels"])
        and ("themes" not in row or (bool(themes) and themes[0] in row["themes"]))
        and ("any_theme" not in row or bool(set(row["any_theme"]) & set(themes)))
    )
