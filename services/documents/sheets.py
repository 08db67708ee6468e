"""What the desk prints of its own, a case or a report: words and figures in, one PDF out."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from services.documents.rendering import clean, run_child

Block = Mapping[str, Any]
MOST_TEXT = 20_000
"""Of one text on a sheet; what is longer says so at its end."""


def draw_sheet(
    title: str, words: str, blocks: Sequence[Block], *, landscape: bool = False, compact: bool = False
) -> bytes:
    """The PDF; ``blocks`` as services.documents.compose takes them. Raises Refused(«template.limit»)."""
    sheet = _cleaned(
        {"title": title, "words": words, "blocks": list(blocks), "landscape": landscape, "compact": compact}
    )
    return base64.b64decode(run_child(["compose", "draw"], {"sheet": sheet})["pdf"])


def _cleaned(value: Any) -> Any:
    """Without characters that a document cannot hold."""
    if isinstance(value, str):
        kept = clean(value)
        return kept if len(kept) <= MOST_TEXT else kept[:MOST_TEXT] + " […]"
    if isinstance(value, Mapping):
        return {key: _cleaned(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    return value


def heading(text: str) -> Block:
    return {"kind": "heading", "text": text}


def text(words: str, *, quiet: bool = False) -> Block:
    return {"kind": "text", "text": words, "quiet": quiet}


def quote(by: str, words: str, note: str = "") -> Block:
    return {"kind": "quote", "by": by, "text": words, "note": note}


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, wide: Sequence[int] | None = None, figures: bool = False,
    total: bool = False,
) -> Block:  # fmt: skip
    """``figures``: all but the first column are numbers; ``total``: the last row is the sum."""
    return {
        "kind": "table", "head": list(head), "rows": [list(row) for row in rows],
        "wide": list(wide) if wide else None, "figures": figures, "total": total,
    }  # fmt: skip


def bars(rows: Sequence[tuple[str, float, str]], tones: Sequence[str] = ()) -> Block:
    """Name, number, its words; the longest bar is the greatest number. ``tones``: a colour a row (RRGGBB)."""
    most = max((number for _name, number, _words in rows), default=0)
    drawn = [[name, number / most if most else 0, words] for name, number, words in rows]
    return {
        "kind": "bars",
        "rows": [[*row, tone] for row, tone in zip(drawn, tones, strict=True)] if tones else drawn,
    }
