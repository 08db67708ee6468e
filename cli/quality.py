"""`evaluate`: how well the classifier does on texts that people labelled."""

import json
from pathlib import Path

from bootstrap import Labeller, desk_folder
from classifier import Example, evaluate, read_corpus
from config import Config


def run_evaluate(config: Config, path: Path | None) -> None:
    """Prints macro-F1, the figures per label and the share of abstentions."""
    labeller = Labeller(desk_folder(config, "work") / "classifier")
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
    print(evaluate(labeller.classifier, examples))
