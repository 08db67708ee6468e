"""Whether a newly trained version may replace the one in use: compared on texts that neither was taught."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from classifier.labels import LABELS
from classifier.vectors import Floats, Ints

DRAWS = 1000
SHARE = 0.9
ERRORS = 2.0
_SEED = 20261126


@dataclass(frozen=True)
class Decision:
    """`gain` is the difference of macro-F1 between the bounds of `SHARE` of the draws; `fell` names labels that are
    down by more than twice their standard error, `missed` signals whose recall is down."""

    n: int
    before: float
    after: float
    gain: tuple[float, float, float]
    by_label: dict[str, tuple[float, float]] = field(default_factory=dict)
    fell: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()

    @property
    def may_go_live(self) -> bool:
        """Not worse: the better end of the range is not below nothing, no label fell, no signal is missed."""
        return self.gain[2] >= 0 and not self.fell and not self.missed


def text_key(text: str) -> str:
    """Names a text in a list of answers without telling it."""
    return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()[:16]


def compare(
    truth: Sequence[str],
    before: Sequence[str],
    after: Sequence[str],
    recalls: Mapping[str, tuple[float, float]] | None = None,
) -> Decision:
    """Paired bootstrap of two lists of answers to the same texts; `recalls`: signal → (before, after)."""
    if not truth:
        return Decision(0, 0.0, 0.0, (0.0, 0.0, 0.0), missed=_missed(recalls))
    index = {label: number for number, label in enumerate(LABELS)}
    right, old, new = (np.array([index[label] for label in row]) for row in (truth, before, after))
    draws = np.random.default_rng(_SEED).integers(0, len(right), (DRAWS, len(right)))
    whole = np.arange(len(right))[None, :]
    f1_old, f1_new = _f1(right, old, whole)[0], _f1(right, new, whole)[0]
    moved = _f1(right, new, draws) - _f1(right, old, draws)
    there = np.isin(np.arange(len(LABELS)), right)
    spread = moved.std(axis=0)
    macro = moved[:, there].mean(axis=1)
    low, high = np.quantile(macro, [(1 - SHARE) / 2, (1 + SHARE) / 2])
    step = f1_new - f1_old
    return Decision(
        n=len(right),
        before=round(float(f1_old[there].mean()), 4),
        after=round(float(f1_new[there].mean()), 4),
        gain=(round(float(low), 4), round(float(step[there].mean()), 4), round(float(high), 4)),
        by_label={
            label: (round(float(f1_old[at]), 4), round(float(f1_new[at]), 4))
            for label, at in index.items()
            if there[at]
        },
        fell=tuple(label for label, at in index.items() if there[at] and step[at] < -ERRORS * spread[at] - 1e-9),
        missed=_missed(recalls),
    )


def _missed(recalls: Mapping[str, tuple[float, float]] | None) -> tuple[str, ...]:
    return tuple(name for name, (before, after) in (recalls or {}).items() if after < before)


def _f1(right: Ints, said: Ints, draws: Ints) -> Floats:
    """F1 of each label (columns) in each draw (rows)."""
    counts = np.zeros((len(draws), len(LABELS), 3))
    for at in range(len(LABELS)):
        is_so, is_said = right == at, said == at
        for place, hits in enumerate((is_so & is_said, is_so, is_said)):
            counts[:, at, place] = hits[draws].sum(axis=1)
    total = counts[:, :, 1] + counts[:, :, 2]
    return np.asarray(np.divide(2 * counts[:, :, 0], total, out=np.zeros(total.shape), where=total > 0))
