"""`evaluate`: how well the classifier does on texts that people labelled."""

import json
from collections.abc import Iterator
from pathlib import Path

from bootstrap import Labeller, desk_folder
from classifier import LABELS, Evaluation, Example, evaluate, read_corpus
from config import Config


def run_evaluate(config: Config, path: Path | None) -> None:
    """Prints one table: figures of the whole, of each label with its confusions, of each group."""
    labeller = Labeller(desk_folder(config, "work") / "classifier", config.classifier.meaning)
    labeller.ensure()
    assert labeller.classifier is not None
    if path is None:
        print("Held-out figures of the training run stand in", labeller.folder / "manifest.json")
        examples = read_corpus()
    else:
        examples = [
            Example(
                item["text"], item["primary"], tuple(item.get("secondary", ())), item.get("lang", ""), path.stem
            )
            for item in map(json.loads, path.read_text(encoding="utf-8").splitlines())
        ]
    print(f"classifier {labeller.classifier.version}")
    print("\n".join(table(evaluate(labeller.classifier, examples))))


WHOLE = (
    "macro_f1", "accuracy", "lenient", "top_two", "coverage_at_90", "abstained", "accuracy_when_sure",
    "calibration_error",
)  # fmt: skip


def table(told: Evaluation) -> Iterator[str]:
    """The lines of the table, widths in characters; columns after F1 say what texts of the label were called."""
    yield f"{'texts':<20}{told.n:>8}"
    for name in WHOLE:
        yield f"{name:<20}{getattr(told, name):>8.3f}"
    yield ""
    yield f"{'label':<12}{'n':>5}{'precision':>11}{'recall':>8}{'F1':>7}   " + "".join(f"{x:>10}" for x in LABELS)
    for label in LABELS:
        score = told.by_label[label]
        figures = f"{score.support:>5}{score.precision:>11.3f}{score.recall:>8.3f}{score.f1:>7.3f}   "
        yield f"{label:<12}{figures}" + "".join(f"{told.confusion[label][x]:>10}" for x in LABELS)
    if told.by_group:
        yield ""
        yield f"{'group':<28}{'macro_f1':>9}"
        for group, macro_f1 in sorted(told.by_group.items(), key=lambda item: item[1]):
            yield f"{group:<28}{macro_f1:>9.3f}"
