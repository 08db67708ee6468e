"""How good the classifier is on texts whose labels are known."""

from collections.abc import Sequence
from dataclasses import dataclass

from classifier.engine import Classifier
from classifier.labels import LABELS, Example, Verdict


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and F1 of one label, and how many texts carry it; a ratio over nothing is 0."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Evaluation:
    """`macro_f1` is the mean over the labels that occur; `confusion[truth][answer]` counts texts.

    `lenient` counts an answer as right when it is the primary or any secondary label of the text;
    `coverage_at_90` is the largest share of texts, the surest first, of which at least 90 % are right;
    `calibration_error` compares the probability of the best label with how often it is right, in ten bins;
    `by_group` is macro-F1 of each group, empty when there is only one.
    """

    n: int
    macro_f1: float
    accuracy: float
    by_label: dict[str, Score]
    abstained: float
    accuracy_when_sure: float
    top_two: float
    lenient: float
    coverage_at_90: float
    calibration_error: float
    by_group: dict[str, float]
    confusion: dict[str, dict[str, int]]


def evaluate(classifier: Classifier, examples: Sequence[Example]) -> Evaluation:
    """Classify the examples and compare with their primary labels. Raises ValueError when there are none."""
    if not examples:
        raise ValueError("nothing to evaluate")
    verdicts = classifier.classify([example.text for example in examples])
    pairs = list(zip(examples, verdicts, strict=True))
    right = [example.primary == verdict.label for example, verdict in pairs]
    sure = [hit for hit, (_, verdict) in zip(right, pairs, strict=True) if verdict.sure]
    confidence = [max(verdict.p.values()) for verdict in verdicts]
    confusion, by_label, macro_f1 = _judge(pairs)
    groups = sorted({example.group for example in examples})
    return Evaluation(
        n=len(pairs),
        macro_f1=macro_f1,
        accuracy=sum(right) / len(pairs),
        by_label=by_label,
        abstained=1 - len(sure) / len(pairs),
        accuracy_when_sure=sum(sure) / len(sure) if sure else 0.0,
        top_two=sum(example.primary in _best_two(verdict) for example, verdict in pairs) / len(pairs),
        lenient=sum(v.label in (e.primary, *e.secondary) for e, v in pairs) / len(pairs),
        coverage_at_90=_coverage(confidence, right, 0.9),
        calibration_error=_calibration_error(confidence, right),
        by_group={g: _judge([pair for pair in pairs if pair[0].group == g])[2] for g in groups if len(groups) > 1},
        confusion=confusion,
    )


def _judge(pairs: Sequence[tuple[Example, Verdict]]) -> tuple[dict[str, dict[str, int]], dict[str, Score], float]:
    confusion = {truth: dict.fromkeys(LABELS, 0) for truth in LABELS}
    for example, verdict in pairs:
        confusion[example.primary][verdict.label] += 1
    by_label = {label: _score(confusion, label) for label in LABELS}
    occurring = [score.f1 for score in by_label.values() if score.support]
    return confusion, by_label, sum(occurring) / len(occurring)


def _best_two(verdict: Verdict) -> list[str]:
    return sorted(LABELS, key=lambda label: -verdict.p[label])[:2]


def _coverage(confidence: Sequence[float], right: Sequence[bool], wanted: float) -> float:
    hits, best = 0, 0
    for taken, (_, hit) in enumerate(sorted(zip(confidence, right, strict=True), key=lambda pair: -pair[0]), 1):
        hits += hit
        if hits >= wanted * taken:
            best = taken
    return best / len(right)


def _calibration_error(confidence: Sequence[float], right: Sequence[bool]) -> float:
    bins: dict[int, list[float]] = {}
    for sure, hit in zip(confidence, right, strict=True):
        bins.setdefault(min(int(sure * 10), 9), []).append(sure - hit)
    return sum(abs(sum(gaps)) for gaps in bins.values()) / len(right)


def _score(confusion: dict[str, dict[str, int]], label: str) -> Score:
    hit = confusion[label][label]
    support = sum(confusion[label].values())
    answered = sum(row[label] for row in confusion.values())
    precision, recall = hit / answered if answered else 0.0, hit / support if support else 0.0
    f1 = 2 * precision * recall / (precision + recall) if hit else 0.0
    return Score(precision, recall, f1, support)
