"""Signals learned from words and meaning, beside the phrases of signals.yaml: what nobody thought of listing."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from classifier.phrases import signal_names, signals_of
from classifier.text import Reading, read
from classifier.vectors import Floats, Ints

# Of ordinary texts, each signal may be raised by its meaning for this share that it had not seen (day.md §1.5:
# false alarms are cheap, but nobody reads alarms that cry wolf).
ALARMS = 0.0007
_PARTS = 3
_C = 4.0
Weighed = Callable[[list[Reading]], sp.csr_matrix]


@cache
def signal_texts() -> tuple[tuple[str, str], ...]:
    """The texts of signal_texts.jsonl, written for this product, with their signals."""
    lines = Path(__file__).with_name("signal_texts.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple((row["text"], row["signal"]) for row in map(json.loads, lines))


def fit(
    readings: list[Reading],
    weighed: Weighed,
    folds: Ints,
    seed: int,
    decided: Sequence[tuple[str, str, bool]] = (),
) -> tuple[Floats, Floats]:
    """Weights (features and `meaning.width()`, signals) and one bias a signal: a sum above 0 raises it.

    `readings` and `folds` are of ordinary texts, `weighed` makes the model's matrix of any readings. Ordinary texts
    that a phrase already raises are left out, for they may well be what they seem. `decided` are (text, signal, was
    it so) of people.
    """
    names = signal_names()
    raised_by_hand = [*signal_texts(), *((text, name) for text, name, is_so in decided if is_so)]
    denied = [(text, name) for text, name, is_so in decided if not is_so]
    told = [signal for _, signal in raised_by_hand] + [None for _ in denied]
    matrix = weighed([*(read(text) for text, _ in [*raised_by_hand, *denied]), *readings])
    parts = np.concatenate([np.full(len(told), -1), folds % _PARTS])
    raised = [signals_of(reading) for reading in readings]
    weights, bias = np.zeros((matrix.shape[1], len(names))), np.zeros(len(names))
    for column, name in enumerate(names):
        wanted = np.array([signal == name for signal in told] + [False] * len(readings))
        said = [True] * len(raised_by_hand) + [no == name for _, no in denied]
        usable = np.array(said + [name not in signals for signals in raised])
        # One third of the ordinary texts, parts held out whole, is enough to set a threshold by, and quicker.
        unseen = usable & (parts == 0)
        model = _fit_one(matrix, wanted, usable & (parts != 0), seed)
        ordinary = np.sort(model.decision_function(matrix[unseen]))[::-1]
        model = _fit_one(matrix, wanted, usable, seed)
        weights[:, column] = model.coef_[0]
        bias[column] = float(model.intercept_[0]) - ordinary[int(ALARMS * len(ordinary))]
    return weights, bias


def _fit_one(
    matrix: sp.csr_matrix, wanted: NDArray[np.bool_], rows: NDArray[np.bool_], seed: int
) -> LogisticRegression:
    model = LogisticRegression(
        C=_C, class_weight={0: 1, 1: 5}, solver="liblinear", dual=True, tol=1e-2, random_state=seed
    )
    return model.fit(matrix[rows], wanted[rows])
