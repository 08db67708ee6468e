"""The artifact: the same bytes from the same texts, loaded by hash only, and nothing in it can run."""

import hashlib
import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from classifier import LABELS, Classifier, ClassifierError, Example, read_corpus, train
from classifier.artifact import MANIFEST


@pytest.fixture
def copy(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "copy"))


def manifest_of(folder: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return content


def artifact_of(folder: Path) -> Path:
    return folder / str(manifest_of(folder)["artifact"])


def rewrite(folder: Path, **changes: object) -> None:
    (folder / MANIFEST).write_text(json.dumps({**manifest_of(folder), **changes}), encoding="utf-8")


def refused(folder: Path) -> str:
    with pytest.raises(ClassifierError) as caught:
        Classifier.load(folder)
    return caught.value.code


def replace_artifact(folder: Path, content: bytes) -> None:
    """Put other bytes in place and let the manifest vouch for them."""
    artifact_of(folder).write_bytes(content)
    rewrite(folder, sha256=hashlib.sha256(content).hexdigest())


def test_the_version_is_the_hash(trained: Path) -> None:
    digest = hashlib.sha256(artifact_of(trained).read_bytes()).hexdigest()
    assert manifest_of(trained)["sha256"] == digest
    assert Classifier.load(trained).version == digest[:12]


def test_the_manifest_tells_what_was_measured(trained: Path) -> None:
    facts, corpus = manifest_of(trained), read_corpus()
    assert facts["n"] == len(corpus)
    assert facts["labels"] == {label: sum(example.primary == label for example in corpus) for label in LABELS}
    assert isinstance(facts["macro_f1"], float)
    # Held-out places: a fall below this is a regression of features or corpus.
    assert facts["macro_f1"] > 0.74
    assert isinstance(facts["calibration_error"], float)
    assert facts["calibration_error"] < 0.05
    by_group = facts["macro_f1_by_group"]
    assert isinstance(by_group, dict)
    assert set(by_group) == {example.group for example in corpus}


def test_a_flipped_byte_is_noticed(copy: Path) -> None:
    content = bytearray(artifact_of(copy).read_bytes())
    content[len(content) // 2] ^= 1
    artifact_of(copy).write_bytes(bytes(content))
    assert refused(copy) == "hash"


def test_a_missing_file_is_told_from_a_wrong_one(copy: Path, tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere") == "missing"
    artifact_of(copy).unlink()
    assert refused(copy) == "missing"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"artifact": 1, "sha256": 2, "recipe": 3}', "\xff"])
def test_a_broken_manifest_is_refused(copy: Path, content: str) -> None:
    (copy / MANIFEST).write_bytes(content.encode("latin-1"))
    assert refused(copy) == "hash"


def test_an_artifact_of_another_recipe_is_refused(copy: Path) -> None:
    rewrite(copy, recipe="0-000000000000")
    assert refused(copy) == "version"


def test_a_manifest_cannot_reach_outside_its_folder(copy: Path) -> None:
    shutil.move(artifact_of(copy), copy.parent / "labels.npz")
    rewrite(copy, artifact="../labels.npz")
    assert refused(copy) == "missing"


class Bomb:
    """Leaves a trace when unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.trace),)


def test_a_pickle_inside_is_never_run(copy: Path, tmp_path: Path) -> None:
    trace = tmp_path / "exploded"
    buffer = io.BytesIO()
    bomb = np.array([Bomb(trace)], dtype=object)
    np.savez(buffer, names=bomb, idf=bomb, weights=bomb, bias=bomb, thresholds=bomb)
    replace_artifact(copy, buffer.getvalue())
    assert refused(copy) == "hash"
    assert not trace.exists()


def test_arrays_of_the_wrong_shape_are_refused(copy: Path) -> None:
    with np.load(artifact_of(copy)) as arrays:
        changed = {**arrays, "idf": arrays["idf"][1:]}
    buffer = io.BytesIO()
    np.savez(buffer, **changed)
    replace_artifact(copy, buffer.getvalue())
    assert refused(copy) == "hash"


def test_rubbish_that_the_manifest_vouches_for_is_refused(copy: Path) -> None:
    replace_artifact(copy, b"not a zip file")
    assert refused(copy) == "hash"


def some_groups() -> list[Example]:
    corpus = read_corpus()
    groups = sorted({example.group for example in corpus})[::9]
    return [example for example in corpus if example.group in groups]


def test_the_same_texts_give_the_same_bytes_and_others_replace_them(tmp_path: Path) -> None:
    steps: list[tuple[float, str]] = []
    examples = some_groups()
    first = train(examples, tmp_path / "one", progress=lambda share, step: steps.append((share, step)))
    second = train(examples, tmp_path / "two")
    assert first.version == second.version
    assert (tmp_path / "one" / MANIFEST).read_bytes() == (tmp_path / "two" / MANIFEST).read_bytes()
    shares = [share for share, _ in steps]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert {step for _, step in steps} == {"read", "fold", "fit", "store"}

    after = train(examples[:-1], tmp_path / "two")
    assert second.version != after.version == Classifier.load(tmp_path / "two").version
    assert not list((tmp_path / "two").glob(".*")), "no temporary file is left behind"


def test_a_label_of_one_group_cannot_be_judged(tmp_path: Path) -> None:
    examples = [Example(f"text {label}", label, (), "en", "only") for label in LABELS]
    with pytest.raises(ClassifierError) as caught:
        train(examples, tmp_path)
    assert caught.value.code == "corpus"
    assert not list(tmp_path.iterdir())


def test_an_unknown_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClassifierError) as caught:
        train([*some_groups(), Example("a", "joy", (), "en", "b")], tmp_path)
    assert caught.value.code == "corpus"
