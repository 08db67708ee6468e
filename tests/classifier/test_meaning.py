"""The meaning of a text: used where its wheel is installed, done without where it is not."""

import math
from pathlib import Path

import numpy as np
import pytest

from classifier import Classifier, ClassifierError, meaning, read_corpus, train
from classifier.text import read


@pytest.fixture
def without_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "encoder", lambda: "none")


def test_a_vector_has_length_one_whatever_the_text() -> None:
    texts = ["Где запись урока?", "", "\ud800", "\x00", "а" * 100_000, "😀", "spasibo za urok"]
    vectors = meaning.encode([read(text) for text in texts])
    assert vectors.shape == (len(texts), meaning.WIDTH)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)


def test_texts_of_one_meaning_lie_near() -> None:
    one, other, far = meaning.encode(
        [read(text) for text in ("Где посмотреть запись?", "как найти видео прошлого занятия", "Верните деньги")]
    )
    assert one @ other > one @ far


def test_a_disguise_and_latin_letters_change_little() -> None:
    plain, disguised, typed, else_ = meaning.encode(
        [read(text) for text in ("спасибо за урок", "cпacибo зa уpoк", "spasibo za urok", "где мой сертификат")]
    )
    assert plain @ disguised > 0.99
    assert plain @ typed > plain @ else_


def test_an_artifact_with_vectors_is_refused_without_the_wheel(trained: Path, without_the_wheel: None) -> None:
    with pytest.raises(ClassifierError) as caught:
        Classifier.load(trained)
    assert caught.value.code == "version"


def test_words_alone_do_without_the_wheel(tmp_path: Path, without_the_wheel: None) -> None:
    corpus = read_corpus()
    groups = sorted({example.group for example in corpus})[::6]
    trained = train([example for example in corpus if example.group in groups], tmp_path)
    [verdict] = trained.classify(["Подскажите, где найти расписание?"])
    assert verdict.label == "question"
    told = trained.explain("Подскажите, где найти расписание?", "question")
    total = told.bias + told.whole + sum(part.weight for part in told.parts)
    assert math.isclose(total, told.score, abs_tol=1e-9)
