"""The corpus is our own text: distinct, labelled by the guide, wide enough to be judged by group."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from benchmarks.learn import CORRECTIONS, new_place
from classifier import LABELS, ClassifierError, Example, read_corpus
from classifier.corpus import CORPUS, check
from classifier.labels import SECONDARY


@pytest.fixture(scope="module")
def corpus() -> list[Example]:
    return read_corpus()


def test_every_label_is_well_covered(corpus: list[Example]) -> None:
    counts = Counter(example.primary for example in corpus)
    assert set(counts) == set(LABELS)
    assert len(corpus) >= 1300
    assert min(counts.values()) >= 150
    assert counts["wish"] >= 220


def test_groups_and_languages_are_many(corpus: list[Example]) -> None:
    groups = Counter(example.group for example in corpus)
    assert len(groups) >= 14
    assert max(groups.values()) <= 300
    shares = Counter(example.lang for example in corpus)
    assert 0.6 < shares["ru"] / len(corpus) < 0.85
    assert shares["en"] / len(corpus) > 0.15
    for label in LABELS:
        assert len({example.group for example in corpus if example.primary == label}) >= 14, label


def test_secondary_labels_follow_the_guide(corpus: list[Example]) -> None:
    for example in corpus:
        assert set(example.secondary) <= set(SECONDARY) - {example.primary}, example.text
    assert sum(bool(example.secondary) for example in corpus) >= 100


def test_texts_are_distinct_and_trimmed(corpus: list[Example]) -> None:
    texts = [example.text for example in corpus]
    assert all(text and text == text.strip() for text in texts)
    assert len({text.casefold() for text in texts}) == len(texts)


def near_copies(texts: set[str]) -> list[tuple[str, str]]:
    """Pairs of `texts` that share over six of ten of their character trigrams; short ones are like by chance."""
    ordered = sorted(text for text in texts if len(text) >= 15)
    grams = CountVectorizer(analyzer="char_wb", ngram_range=(3, 3), binary=True, dtype=np.int32)
    matrix = grams.fit_transform(ordered)
    shared = (matrix @ matrix.T).tocoo()
    sizes = np.asarray(matrix.sum(axis=1)).ravel()
    jaccard = shared.data / (sizes[shared.row] + sizes[shared.col] - shared.data)
    return [
        (ordered[row], ordered[column])
        for row, column in zip(shared.row[jaccard > 0.6], shared.col[jaccard > 0.6], strict=True)
        if row < column
    ]


def test_no_text_is_a_variation_of_another(corpus: list[Example]) -> None:
    assert near_copies({example.text for example in corpus}) == []


def test_the_place_that_learning_is_measured_on_stands_apart(corpus: list[Example]) -> None:
    taught, measured = new_place()
    place = [*taught, *measured]
    assert len(taught) == CORRECTIONS
    assert len(measured) >= 500
    assert min(Counter(example.primary for example in place).values()) >= 60
    texts = {example.text for example in place}
    assert len({text.casefold() for text in texts}) == len(place)
    known = {example.text for example in corpus}
    assert near_copies(texts | known) == []
    # Of the shortest («+», «супер») some are everybody's; more would be a place already known.
    assert len(texts & known) <= len(place) / 50
    for example in place:
        check(example)


def test_files_carry_their_group_and_language() -> None:
    for path in CORPUS.glob("*.jsonl"):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert {row["group"] for row in rows} == {path.stem}
        assert all(list(row) == ["text", "primary", "secondary", "group"] for row in rows)


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        '{"text": "a", "primary": "joy", "secondary": [], "group": "g"}',
        '{"text": "a", "primary": "praise", "secondary": ["spam"], "group": "g"}',
        '{"text": "a", "primary": "praise", "secondary": ["praise"], "group": "g"}',
        '{"primary": "praise", "secondary": [], "group": "g"}',
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    good = '{"text": "спасибо", "primary": "praise", "secondary": [], "group": "g"}'
    (tmp_path / "ru_place.jsonl").write_text(f"{good}\n{line}\n", encoding="utf-8")
    with pytest.raises(ClassifierError, match=r"ru_place\.jsonl:2") as caught:
        read_corpus(tmp_path)
    assert caught.value.code == "corpus"


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ClassifierError) as caught:
        read_corpus(tmp_path)
    assert caught.value.code == "corpus"
