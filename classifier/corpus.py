"""The texts the classifier is taught with: JSON lines in classifier/data, written for this product."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from classifier.labels import LABELS, SECONDARY, ClassifierError, Example

CORPUS = Path(__file__).with_name("data")


def read_corpus(folder: Path | None = None) -> list[Example]:
    """Every example of `folder` (ours by default), in the order of file names and lines.

    A file is called `<lang>_<group>.jsonl`; a line is {"text", "primary", "secondary", "group"}. Raises
    ClassifierError("corpus") naming the file and line when there is nothing to read or a line is wrong.
    """
    examples: list[Example] = []
    for path in sorted((folder or CORPUS).glob("*.jsonl")):
        lang = path.stem.partition("_")[0]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                row = json.loads(line)
                example = Example(
                    row["text"], row["primary"], tuple(row["secondary"]), lang, row.get("group", path.stem)
                )
                check(example)
            except (ValueError, KeyError, TypeError) as error:
                raise ClassifierError("corpus", f"{path.name}:{number}: {error}") from error
            examples.append(example)
    if not examples:
        raise ClassifierError("corpus", f"no *.jsonl in {folder or CORPUS}")
    return examples


def check(example: Example) -> None:
    """Raise ValueError when the labels of an example break the labelling guide."""
    if example.primary not in LABELS:
        raise ValueError(f"unknown label {example.primary!r}")
    if wrong := [label for label in example.secondary if label not in SECONDARY or label == example.primary]:
        raise ValueError(f"not a secondary label here: {wrong}")


def fingerprint(examples: Sequence[Example]) -> str:
    """SHA-256 over texts, labels and groups in their order."""
    digest = hashlib.sha256()
    for example in examples:
        row = (example.text, example.primary, *example.secondary, example.lang, example.group)
        digest.update("\x1f".join(row).encode("utf-8", "surrogatepass") + b"\x1e")
    return digest.hexdigest()
