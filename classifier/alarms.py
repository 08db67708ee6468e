"""Signals: phrases, classes of words, the words themselves and the meaning of a text weighed together."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from classifier.concepts import evidence
from classifier.corpus import read_corpus
from classifier.phrases import phrase_numbers, signal_names, signals_of
from classifier.signal_files import corpus_signals, everyday, likenesses, signal_texts
from classifier.text import Reading, read
from classifier.vectors import Floats, Ints

# Of ordinary texts that it had not seen, each signal may be raised for the first of these shares, and all but the
# crisis by one limit for the second: false alarms are cheap, but nobody reads alarms that cry wolf (day.md §1.5).
EACH = 0.0005
TOGETHER = 0.003
_PARTS = 3
# Evidence that fewer texts have is a text learned by heart.
_RARE = 3
_C = 2.0
_RAISED = 3
# More than any other evidence can take back.
_ENOUGH = 200.0
# Against the words and the evidence the meaning counts this much here.
_MEANING = 1.5
Weighed = Callable[[list[Reading]], sp.csr_matrix]


def gathered(readings: Sequence[Reading], names: list[str] | None = None) -> tuple[list[str], sp.csr_matrix]:
    """The evidence of texts as a matrix, and the names of its columns; by default those that are not rare."""
    told = [evidence(reading) for reading in readings]
    if names is None:
        counts = Counter(name for values in told for name in values)
        names = sorted(name for name, count in counts.items() if count >= _RARE or name.startswith("p:"))
    column = {name: number for number, name in enumerate(names)}
    cells = [
        (row, column[name], value)
        for row, values in enumerate(told)
        for name, value in values.items()
        if name in column
    ]
    rows, columns, values = zip(*cells, strict=True) if cells else ((), (), ())
    return names, sp.csr_matrix((values, (rows, columns)), shape=(len(told), len(names)))


def fit(
    readings: list[Reading],
    weighed: Weighed,
    width: int,
    folds: Ints,
    counted: NDArray[np.bool_],
    seed: int,
    decided: Sequence[tuple[str, str, bool]] = (),
) -> tuple[Floats, Floats, list[str]]:
    """Weights (features, `width` numbers of meaning, evidence; signals), one bias a signal, names of the evidence.

    A sum above 0 raises a signal. `readings` and `folds` are of ordinary texts, `weighed` makes the model's matrix
    of any readings. What corpus_signals.jsonl marks is what it says; a text from elsewhere that a phrase raises is
    left out, for it may well be what it seems. False alarms are counted among the `counted`: no advertisements.
    `decided` are (text, signal, was it so) of people.
    """
    names = signal_names()
    told = _Told(readings, counted, decided)
    everything = [*told.extra, *readings]
    shown, known = gathered(everything)
    matrix = weighed(everything)
    features = matrix.shape[1] - width
    # A word of no text of signals says nothing here, and there are tens of thousands.
    telling = np.bincount(matrix[: len(told.extra), :features].indices, minlength=features) > 1
    used = np.flatnonzero(np.concatenate([telling, np.ones(width, dtype=bool)]))
    scale = np.where(used < features, 1.0, _MEANING)
    small = sp.hstack([matrix[:, used] @ sp.diags(scale), known], format="csr")
    small.sort_indices()  # else each of the fits sorts its rows anew
    parts = np.concatenate([told.parts, folds % _PARTS])
    weights, bias = np.zeros((matrix.shape[1] + len(shown), len(names))), np.zeros(len(names))
    unseen = np.full((len(everything), len(names)), -np.inf)
    for column, name in enumerate(names):
        wanted, usable, ordinary = told.of(name)
        for part in range(_PARTS):
            model = _fit_one(small, wanted, usable & (parts != part), seed)
            asked = ordinary & (parts == part)
            unseen[asked, column] = model.decision_function(small[asked])
        model = _fit_one(small, wanted, usable, seed)
        weights[used, column] = model.coef_[0][: len(used)] * scale
        weights[matrix.shape[1] :, column] = model.coef_[0][len(used) :]
        bias[column] = float(model.intercept_[0])
        # A phrase that no text raised for nothing needs nothing beside it.
        wrong = (ordinary | (usable & ~wanted & (parts < 0))).astype(float) @ known
        for number in phrase_numbers(name):
            if (row := f"p:{number}") in shown and not wrong[shown.index(row)]:
                weights[matrix.shape[1] + shown.index(row), column] += _ENOUGH
    return weights, bias - _limits(unseen), shown


class _Told:
    """What is known of texts of signals, of those that only look like one and of ordinary ones, in this order."""

    def __init__(
        self, readings: list[Reading], counted: NDArray[np.bool_], decided: Sequence[tuple[str, str, bool]]
    ) -> None:
        self._so = [*signal_texts(), *((text, name) for text, name, is_so in decided if is_so)]
        self._no: list[tuple[str, str | None]] = [(text, None) for text in likenesses()]
        self._no += [(text, name) for text, name, is_so in decided if not is_so]
        # Last, the everyday ones: among them false alarms are counted as in the corpus.
        self._no += [(text, None) for text in everyday()]
        self.extra = [read(text) for text, _ in [*self._so, *self._no]]
        among = np.arange(len(self.extra)) - (len(self.extra) - len(everyday()))
        self.parts = np.where(among < 0, -1, among % _PARTS)
        own = {example.text for example in read_corpus()}
        unmarked: frozenset[str] = frozenset()
        self._marks = [corpus_signals().get(reading.original, (unmarked, unmarked)) for reading in readings]
        self._said = [
            unmarked if reading.original in own else frozenset(signals_of(reading)) for reading in readings
        ]
        self._counted = np.concatenate([self.parts >= 0, counted])

    def of(self, name: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """Which texts are this signal, which may be learned from, and among which false alarms are counted."""
        wanted = np.array(
            [signal == name for _, signal in self._so]
            + [False] * len(self._no)
            + [name in certain for certain, _ in self._marks]
        )
        usable = np.array(
            [True] * len(self._so)
            + [no is None or no == name for _, no in self._no]
            + [name not in perhaps | said for (_, perhaps), said in zip(self._marks, self._said, strict=True)]
        )
        return wanted, usable, usable & ~wanted & self._counted


def _limits(scores: Floats) -> Floats:
    """What a signal's score must exceed, from those of ordinary texts.

    The scores are odds, so that one limit finds most for the false alarms that are allowed; a signal that is seldom
    mistaken has a lower one. A crisis rings at night and has its own.
    """
    crisis = np.array([name == "crisis" for name in signal_names()])
    counted = int(np.isfinite(scores).any(axis=1).sum())
    highest = -np.sort(-scores, axis=0)
    own = highest[int(EACH * counted)]
    common = -np.sort(-scores[:, ~crisis].max(axis=1))[int(TOGETHER * counted)]
    return np.asarray(np.where(crisis, own, np.minimum(own, common)), dtype=np.float64)


def _fit_one(
    matrix: sp.csr_matrix, wanted: NDArray[np.bool_], rows: NDArray[np.bool_], seed: int
) -> LogisticRegression:
    model = LogisticRegression(
        C=_C, class_weight={0: 1, 1: _RAISED}, solver="liblinear", dual=True, tol=1e-2, random_state=seed
    )
    return model.fit(matrix[rows], wanted[rows])
