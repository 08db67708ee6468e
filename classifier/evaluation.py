"""How good the classifier is on texts whose labels are known."""

from collections.abc import Sequence
from dataclasses import dataclass

from classifier.engine import Classifier
from classifier.labels import LABELS, Example


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and F1 of one label, and how many texts carry it; a ratio over nothing is 0."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Evaluation:
    """`macro_f1` is the mean over the labels that occur; `confusion[truth][answer]` counts texts."""

    n: int
    macro_f1: float
    accuracy: float
    by_label: dict[str, Score]
    abstained: float
    accuracy_when_sure: float
    top_two: float
    confusion: dict[str, dict[str, int]]


def evaluate(classifier: Classifier, examples: Sequence[Example]) -> Evaluation:
    """Classify the examples and compare with their primary labels. Raises ValueError when there are none."""
    if not examples:
        raise ValueError("nothing to evaluate")
    verdicts = classifier.classify([example.text for example in examples])
    pairs = list(zip((example.primary for example in examples), verdicts, strict=True))
    confusion = {truth: dict.fromkeys(LABELS, 0) for truth in LABELS}
    for truth, verdict in pairs:
        confusion[truth][verdict.label] += 1
    by_label = {label: _score(confusion, label) for label in LABELS}
    occurring = [score.f1 for score in by_label.values() if score.support]
    sure = [truth == verdict.label for truth, verdict in pairs if verdict.sure]
    best_two = [truth in sorted(LABELS, key=lambda name: -verdict.p[name])[:2] for truth, verdict in pairs]
    return Evaluation(
        n=len(pairs),
        macro_f1=sum(occurring) / len(occurring),
        accuracy=sum(truth == verdict.label for truth, verdict in pairs) / len(pairs),
        by_label=by_label,
        abstained=1 - len(sure) / len(pairs),
        accuracy_when_sure=sum(sure) / len(sure) if sure else 0.0,
        top_two=sum(best_two) / len(pairs),
        confusion=confusion,
    )


def _score(confusion: dict[str, dict[str, int]], label: str) -> Score:
    hit = confusion[label][label]
    support = sum(confusion[label].values())
    answered = sum(row[label] for row in confusion.values())
    precision, recall = hit / answered if answered else 0.0, hit / support if support else 0.0
    f1 = 2 * precision * recall / (precision + recall) if hit else 0.0
    return Score(precision, recall, f1, support)
