"""How an artifact is made: one-vs-rest logistic regressions, judged and calibrated on groups they did not see."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import sklearn
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from classifier import alarms, calibration, corpus, meaning
from classifier.artifact import Artifact, Thresholds, write
from classifier.engine import Classifier
from classifier.features import BLOCKS, features
from classifier.labels import LABELS, SECONDARY, WEAK, ClassifierError, Example
from classifier.learning import text_key
from classifier.signal_files import likenesses, signal_texts
from classifier.text import Reading, read
from classifier.vectors import Floats, Ints, block_bounds, probabilities, weigh

Progress = Callable[[float, str], None]

FOLDS = 10
# A feature of one text alone is learned by heart, not understood.
_RARE = 2
_C = 4.0


@dataclass(frozen=True)
class _Fitted:
    kept: Ints
    idf: Floats
    weights: Floats
    bias: Floats


def train(
    examples: Sequence[Example],
    folder: Path,
    *,
    seed: int = 20261125,
    progress: Progress | None = None,
    decided: Sequence[tuple[str, str, bool]] = (),
) -> Classifier:
    """Train on `examples`, store artifact and manifest in `folder` and return the loaded classifier.

    `decided` are (text, signal, was it so) of people.

    The same examples and seed give the same bytes. `progress` gets a share from 0 to 1 and a step code:
    read, fold, fit, store. Raises ClassifierError("corpus") when a label has too few examples to be judged.
    """
    tell = progress or (lambda share, step: None)
    _check(examples)
    tell(0.0, "read")
    readings = [read(example.text) for example in examples]
    names, counts, known = _words(readings)
    senses = meaning.encode(readings)
    targets = _targets(examples)
    truth = np.array([LABELS.index(example.primary) for example in examples])
    weights = np.array([example.weight for example in examples])
    measured = weights > WEAK
    folds = _folds(examples, seed)
    scores = np.zeros(targets.shape)
    for fold in range(max(folds) + 1):
        tell(0.2 + 0.6 * fold / (max(folds) + 1), "fold")
        seen = folds != fold
        fitted = _fit(names, counts[seen], senses[seen], targets[seen], weights[seen], known, seed)
        unseen = _weighed(names, counts[~seen], senses[~seen], fitted.kept, fitted.idf)
        scores[~seen] = unseen @ fitted.weights + fitted.bias
    tell(0.8, "fit")
    fitted = _fit(names, counts, senses, targets, weights, known, seed)
    scores, truth, folds_of = scores[measured], truth[measured], folds[measured]
    judged = [example for example in examples if example.weight > WEAK]
    factor = calibration.fit_temperature(scores[:, : len(LABELS)], truth)
    p = _held_out_p(scores[:, : len(LABELS)], truth, folds_of)
    thresholds = calibration.measure(p, scores[:, len(LABELS) :], truth, judged)
    raised = alarms.fit(
        readings,
        lambda given: _weighed_by(names, fitted, given),
        meaning.width(),
        folds,
        np.array([example.primary != "spam" for example in examples]),
        seed,
        decided,
    )
    tell(0.95, "store")
    chosen = calibration.settle(p, thresholds.tie)
    facts = _facts(judged, seed, chosen, truth, p, thresholds)
    facts["taught"] = len(examples)
    facts["held_out"] = {text_key(example.text): int(label) for example, label in zip(judged, chosen, strict=True)}
    write(_artifact(names, fitted, factor, thresholds, *raised), folder, facts)
    classifier = Classifier.load(folder)
    tell(1.0, "store")
    return classifier


def _words(readings: Sequence[Reading]) -> tuple[list[str], sp.csr_matrix, NDArray[np.bool_]]:
    """Names of all features, their counts in ``readings``, and which of them the texts of signals know well."""
    # Words of signals may be none of the ordinary texts'.
    alarming = [read(text) for text in [*(text for text, _ in signal_texts()), *likenesses()]]
    names, both = _count([*readings, *alarming])
    known = np.bincount(both[len(readings) :].indices, minlength=len(names)) >= _RARE
    return names, both[: len(readings)], known


def _check(examples: Sequence[Example]) -> None:
    for number, example in enumerate(examples):
        try:
            corpus.check(example)
        except ValueError as error:
            raise ClassifierError("corpus", f"example {number}: {error}") from error
    for label in LABELS:
        groups = {example.group for example in examples if example.primary == label}
        # Held out, a label that lives in one group would have nothing to be learned from.
        if len(groups) < 2:
            raise ClassifierError("corpus", f"{label} must occur in two groups at least, is in {len(groups)}")


def _count(readings: Sequence[Reading]) -> tuple[list[str], sp.csr_matrix]:
    """All feature names, ordered by block and name, and how often each text has each."""
    bags = [Counter(name for name, _, _ in features(reading)) for reading in readings]
    names = sorted(set().union(*bags), key=lambda name: (BLOCKS.index(name.partition(":")[0]), name))
    column = {name: number for number, name in enumerate(names)}
    rows = np.repeat(np.arange(len(bags)), [len(bag) for bag in bags])
    columns = [column[name] for bag in bags for name in bag]
    values = [float(times) for bag in bags for times in bag.values()]
    return names, sp.csr_matrix((values, (rows, columns)), shape=(len(bags), len(names)))


def _targets(examples: Sequence[Example]) -> Ints:
    """Per text: is it primarily this label (6 columns), does it carry this label at all (4 columns)."""
    return np.array(
        [
            [
                *(example.primary == label for label in LABELS),
                *(label in (example.primary, *example.secondary) for label in SECONDARY),
            ]
            for example in examples
        ],
        dtype=np.int64,
    )


def _folds(examples: Sequence[Example], seed: int) -> Ints:
    """The fold of each text; a group is never split, so no place helps to predict itself."""
    groups = sorted({example.group for example in examples})
    order = np.random.default_rng(seed).permutation(len(groups)) % min(FOLDS, len(groups))
    place = dict(zip(groups, order, strict=True))
    return np.array([place[example.group] for example in examples])


def _fit(
    names: list[str],
    counts: sp.csr_matrix,
    senses: Floats,
    targets: Ints,
    weights_of: Floats,
    known: NDArray[np.bool_],
    seed: int,
) -> _Fitted:
    seen = np.bincount(counts.indices, minlength=len(names))
    kept = np.flatnonzero((seen >= _RARE) | known)
    idf = np.log((1.0 + counts.shape[0]) / (1.0 + seen[kept])) + 1.0
    matrix = _weighed(names, counts, senses, kept, idf)
    weights, bias = [], []
    for column, target in enumerate(targets.T):
        # A secondary label is a phrase in the text, which the meaning of the whole drowns: 0.556 against 0.518
        # held-out F1 for praise, 0.568 against 0.509 for wishes.
        seen_part = matrix if column < len(LABELS) else matrix[:, : len(kept)]
        # The dual solver gives the same answer some twenty times faster than the primal on so wide a matrix.
        model = LogisticRegression(
            C=_C, class_weight="balanced", solver="liblinear", dual=True, tol=1e-2, random_state=seed
        ).fit(seen_part, target, sample_weight=weights_of)
        weights.append(np.pad(model.coef_[0], (0, matrix.shape[1] - seen_part.shape[1])))
        bias.append(model.intercept_[0])
    return _Fitted(kept, idf, np.array(weights).T, np.array(bias))


def _weighed(names: list[str], counts: sp.csr_matrix, senses: Floats, kept: Ints, idf: Floats) -> sp.csr_matrix:
    """What the model multiplies: the kept features, then the meaning."""
    triples = counts[:, kept].tocoo()
    bounds = block_bounds([names[column] for column in kept])
    values = weigh(triples.row.astype(np.int64), triples.col.astype(np.int64), triples.data, idf, bounds)
    found = sp.csr_matrix((values, (triples.row, triples.col)), shape=triples.shape)
    whole = sp.hstack([found, sp.csr_matrix(senses)], format="csr")
    whole.sort_indices()  # else each of the fits sorts it anew
    return whole


def _weighed_by(names: list[str], fitted: _Fitted, readings: Sequence[Reading]) -> sp.csr_matrix:
    """The matrix of other texts by the features that were kept."""
    kept = [names[column] for column in fitted.kept]
    column = {name: number for number, name in enumerate(kept)}
    bags = [Counter(name for name, _, _ in features(reading) if name in column) for reading in readings]
    rows = np.repeat(np.arange(len(bags)), [len(bag) for bag in bags])
    columns = [column[name] for bag in bags for name in bag]
    values = [float(times) for bag in bags for times in bag.values()]
    counts = sp.csr_matrix((values, (rows, columns)), shape=(len(bags), len(kept)))
    return _weighed(kept, counts, meaning.encode(readings), np.arange(len(kept)), fitted.idf)


def _held_out_p(scores: Floats, truth: Ints, folds: Ints) -> Floats:
    """Probabilities whose calibration has not seen the fold either: what thresholds are measured on."""
    p = np.zeros(scores.shape)
    for fold in range(max(folds) + 1):
        factor = calibration.fit_temperature(scores[folds != fold], truth[folds != fold])
        p[folds == fold] = probabilities(scores[folds == fold] * factor)
    return p


def _artifact(
    names: list[str],
    fitted: _Fitted,
    factor: float,
    thresholds: Thresholds,
    raised: Floats,
    raised_bias: Floats,
    evidence: list[str],
) -> Artifact:
    """The fitted numbers with the calibration folded in: one product and a softmax at answering time."""
    stacked = np.vstack([fitted.weights, fitted.bias])
    primary = stacked[:, : len(LABELS)] * factor
    # Only differences count in a softmax; centred, a weight says «for this label rather than the average».
    primary -= primary.mean(axis=1, keepdims=True)
    stacked = np.hstack([primary, stacked[:, len(LABELS) :]])
    kept = [names[column] for column in fitted.kept]
    weights, dense = np.split(stacked[:-1].astype(np.float32), [len(kept)])
    return Artifact(
        kept,
        fitted.idf.astype(np.float32),
        weights,
        dense,
        stacked[-1],
        thresholds,
        raised.astype(np.float32),
        raised_bias,
        evidence,
    )


def _facts(
    examples: Sequence[Example], seed: int, chosen: Ints, truth: Ints, p: Floats, thresholds: Thresholds
) -> dict[str, object]:
    """What the manifest tells about the training; every figure is of held-out groups."""
    per_label = f1_score(truth, chosen, average=None, labels=range(len(LABELS)))
    groups = np.array([example.group for example in examples])
    return {
        "n": len(examples),
        "labels": {label: int((truth == number).sum()) for number, label in enumerate(LABELS)},
        "macro_f1": round(float(per_label.mean()), 4),
        "f1": {label: round(float(value), 4) for label, value in zip(LABELS, per_label, strict=True)},
        "macro_f1_by_group": {
            group: round(float(f1_score(truth[groups == group], chosen[groups == group], average="macro")), 4)
            for group in sorted(set(groups))
        },
        "calibration_error": round(_calibration_error(p, truth), 4),
        "share_sure": round(float((p.max(axis=1) >= thresholds.sure).mean()), 4),
        "sure": thresholds.sure,
        "gate": thresholds.gate,
        "gate_curve": calibration.gate_curve(p, examples),
        "seed": seed,
        "sklearn": sklearn.__version__,
        "corpus_sha256": corpus.fingerprint(examples),
    }


def _calibration_error(p: Floats, truth: Ints) -> float:
    """Expected calibration error of the best label over ten bins of equal width."""
    confidence, right = p.max(axis=1), p.argmax(axis=1) == truth
    bins = np.minimum((confidence * 10).astype(int), 9)
    gaps = [abs((confidence - right)[bins == number].mean()) * (bins == number).mean() for number in set(bins)]
    return float(sum(gaps))
