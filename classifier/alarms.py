"""Signals learned from their meaning, beside the phrases of signals.yaml: what nobody thought of listing."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from classifier import meaning
from classifier.phrases import signal_names, signals_of
from classifier.text import Reading, read
from classifier.vectors import Floats, Ints

# Of ordinary texts, each signal may be raised by its meaning for this share that it had not seen (day.md §1.5:
# false alarms are cheap, but nobody reads alarms that cry wolf).
ALARMS = 0.0007
_PARTS = 3
_C = 10.0


@cache
def signal_texts() -> tuple[tuple[str, str], ...]:
    """The texts of signal_texts.jsonl, written for this product, with their signals."""
    lines = Path(__file__).with_name("signal_texts.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple((row["text"], row["signal"]) for row in map(json.loads, lines))


def fit(
    readings: list[Reading],
    senses: Floats,
    folds: Ints,
    seed: int,
    decided: Sequence[tuple[str, str, bool]] = (),
) -> tuple[Floats, Floats]:
    """Weights (`meaning.width()`, signals) and one bias a signal: a sum above 0 raises it.

    `readings`, `senses` and `folds` are of ordinary texts. Those that a phrase already raises are left out, for
    they may well be what they seem. `decided` are (text, signal, was it so) of people. Without the encoder nothing
    is ever raised.
    """
    names = signal_names()
    weights, bias = np.zeros((meaning.width(), len(names))), np.full(len(names), -1.0)
    if not meaning.width():
        return weights, bias
    raised_by_hand = [*signal_texts(), *((text, name) for text, name, is_so in decided if is_so)]
    denied = [(text, name) for text, name, is_so in decided if not is_so]
    told = [signal for _, signal in raised_by_hand] + [None for _ in denied]
    known = [read(text) for text, _ in [*raised_by_hand, *denied]]
    matrix = np.vstack([meaning.encode(known), senses])
    parts = np.concatenate([np.full(len(told), -1), folds % _PARTS])
    raised = [signals_of(reading) for reading in readings]
    for column, name in enumerate(names):
        wanted = np.array([signal == name for signal in told] + [False] * len(readings))
        said = [signal is not None for signal in told[: len(raised_by_hand)]] + [no == name for _, no in denied]
        usable = np.array(said + [name not in signals for signals in raised])
        scores = []
        for part in range(_PARTS):
            unseen = usable & (parts == part)
            if unseen.any():
                scores.append(_score(matrix, *_fit_one(matrix, wanted, usable & (parts != part), seed))[unseen])
        ordinary = np.sort(np.concatenate(scores))[::-1]
        weights[:, column], own_bias = _fit_one(matrix, wanted, usable, seed)
        bias[column] = own_bias - ordinary[int(ALARMS * len(ordinary))]
    return weights, bias


def _fit_one(matrix: Floats, wanted: NDArray[np.bool_], rows: NDArray[np.bool_], seed: int) -> tuple[Floats, float]:
    model = LogisticRegression(C=_C, class_weight={0: 1, 1: 5}, max_iter=300, random_state=seed)
    model.fit(matrix[rows], wanted[rows])
    return model.coef_[0], float(model.intercept_[0])


def _score(matrix: Floats, weights: Floats, bias: float) -> Floats:
    return np.asarray(matrix @ weights + bias, dtype=np.float64)
