"""The texts that signals are learned from, beside the corpus and the table of phrases."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__)


def signal_sources() -> list[Path]:
    """The files that signals are learned from, beside the corpus."""
    tables = [
        _HERE.with_name(name)
        for name in ("signals.yaml", "concepts.yaml", "corpus_signals.jsonl", "everyday.jsonl")
    ]
    return [*tables, *sorted(_HERE.with_name("signal_texts").glob("*.jsonl"))]


@cache
def signal_texts() -> tuple[tuple[str, str], ...]:
    """The texts of signal_texts/, written for this product, with their signals."""
    return tuple((row["text"], signal) for row in _rows() for signal in row["signals"])


@cache
def likenesses() -> tuple[str, ...]:
    """Texts of signal_texts/ that only look like a signal."""
    return tuple(row["text"] for row in _rows() if not row["signals"])


@cache
def everyday() -> tuple[str, ...]:
    """Texts of ordinary days, none of which is a signal."""
    lines = _HERE.with_name("everyday.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line)["text"] for line in lines)


def _rows() -> Iterator[dict[str, Any]]:
    for path in sorted(_HERE.with_name("signal_texts").glob("*.jsonl")):
        yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


@cache
def corpus_signals() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """text of the corpus → the signals that it is, and those that it may well be."""
    lines = _HERE.with_name("corpus_signals.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {row["text"]: (frozenset(row["signals"]), frozenset(row["perhaps"])) for row in rows}
