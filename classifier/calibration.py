"""What is measured on held-out groups: probabilities, the tie that the guide settles, and the thresholds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.metrics import f1_score

from classifier.artifact import Thresholds
from classifier.labels import ACTIONABLE, LABELS, PRECEDENCE, SECONDARY, Example
from classifier.vectors import Floats, Ints, probabilities

Bools = NDArray[np.bool_]

# Of the texts called sure, this share must have been right in the held-out groups.
ACCURACY = 0.93
# Of the questions, complaints and wishes of held-out groups, at most this share may fall below the gate.
MISSED = 0.02

# How near two labels must be for the guide's precedence to decide: hardly matters between these, and beyond
# them it costs right answers.
_TIES = (0.02, 0.04, 0.06, 0.08)
# No secondary label at all when it was never seen.
_NEVER = 1e9


def fit_temperature(scores: Floats, truth: Ints) -> float:
    """The factor that makes the softmax of one-vs-rest `scores` (texts, labels) the likeliest of `truth`.

    The scores must come from models that had not seen the text's group. Labels weigh equally: how often one
    occurs in the corpus says nothing about the place a text will come from. A full matrix of factors was
    tried: no better on held-out groups, worse on real texts.
    """
    rows = np.arange(len(truth))
    fair = 1.0 / np.bincount(truth, minlength=len(LABELS))[truth]

    def surprise(factor: float) -> float:
        return float(-(fair * np.log(probabilities(scores * factor)[rows, truth] + 1e-12)).sum())

    return float(minimize_scalar(surprise, bounds=(0.05, 5.0), method="bounded").x)


def settle(p: Floats, tie: float) -> Ints:
    """The label of each row: of those within `tie` of the best the first in the guide's precedence."""
    order: Ints = np.array([LABELS.index(label) for label in PRECEDENCE], dtype=np.int64)
    near = p[:, order] >= p.max(axis=1, keepdims=True) - tie
    chosen: Ints = order[near.argmax(axis=1)]
    return chosen


def measure(p: Floats, mentions: Floats, truth: Ints, examples: Sequence[Example]) -> Thresholds:
    """All thresholds from held-out probabilities, held-out scores of the secondary labels and the truth."""
    tie = max(_TIES, key=lambda width: f1_score(truth, settle(p, width), average="macro"))
    chosen = settle(p, tie)
    return Thresholds(
        sure=_sure(p.max(axis=1), chosen == truth),
        tie=tie,
        gate=_gate(p, examples),
        secondary=tuple(
            _secondary(
                mentions[:, number],
                np.array([label in example.secondary for example in examples]),
                chosen != LABELS.index(label),
            )
            for number, label in enumerate(SECONDARY)
        ),
    )


def _sure(confidence: Floats, right: Bools) -> float:
    """The lowest confidence from which on the accuracy reaches ACCURACY; 1 if it never does."""
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(accuracy >= ACCURACY)
    return float(np.floor(confidence[order[good[-1]]] * 1e4) / 1e4) if len(good) else 1.0


def _gate(p: Floats, examples: Sequence[Example]) -> float:
    """The largest four-decimal number with at most MISSED of the actionable texts below it."""
    scores, wanted = _actionable(p, examples)
    return float(np.floor(_missing(scores[wanted], MISSED) * 1e4) / 1e4)


def gate_curve(p: Floats, examples: Sequence[Example]) -> list[tuple[float, float]]:
    """Pairs: a share of actionable texts that may be missed, the share of the others that then stays away."""
    scores, wanted = _actionable(p, examples)
    return [
        (missed, round(float((scores[~wanted] < _missing(scores[wanted], missed)).mean()), 4))
        for missed in (0.005, 0.01, MISSED, 0.03, 0.05)
    ]


def _missing(scores: Floats, share: float) -> float:
    return float(np.sort(scores)[int(share * len(scores))])


def _actionable(p: Floats, examples: Sequence[Example]) -> tuple[Floats, Bools]:
    """How actionable each text seems, and whether it is."""
    columns = [LABELS.index(label) for label in ACTIONABLE]
    wanted = [bool({example.primary, *example.secondary} & set(ACTIONABLE)) for example in examples]
    return p[:, columns].sum(axis=1), np.array(wanted)


def _secondary(
    scores: Floats,
    wanted: Bools,
    free: Bools,
) -> float:
    """The score from which on naming a secondary label has the best F1; `free`: it is not the primary."""
    if not wanted.any():
        return _NEVER
    limits = np.unique(np.round(scores[wanted & free], 3)) if (wanted & free).any() else np.array([_NEVER])
    return float(max(limits, key=lambda limit: f1_score(wanted, free & (scores >= limit))))
