"""The meaning of a text: used where its wheel is installed, done without where it is not."""

import math
import os
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


def test_a_table_on_disk_gives_what_the_one_in_memory_gives(tmp_path: Path) -> None:
    table = np.random.default_rng(3).integers(0, 256, (300, meaning.WIDTH), dtype=np.uint8)
    kept = meaning._TableOnDisk(table, tmp_path)
    for rows in ([0], [299, 0, 299], [], list(range(300))):
        asked = np.array(rows, dtype=np.int64)
        assert np.array_equal(kept[asked], table[asked])
    assert os.listdir(tmp_path) == []  # it bears no name, so that no crash leaves it behind


def test_the_encoder_reads_its_table_from_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = [read("Где запись урока?"), read("спасибо")]
    monkeypatch.setattr(meaning, "_choice", meaning._Choice())
    in_memory = meaning._model.__wrapped__()
    meaning.keep_on_disk(tmp_path)
    on_disk = meaning._model.__wrapped__()
    assert isinstance(on_disk._model.table, meaning._TableOnDisk)
    assert isinstance(in_memory._model.table, np.ndarray)
    texts = [one.folded for one in reading]
    assert np.array_equal(on_disk.encode(texts), in_memory.encode(texts))


def test_without_room_on_the_disk_the_table_stays_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meaning, "_choice", meaning._Choice(folder=tmp_path / "not there"))
    assert isinstance(meaning._model.__wrapped__()._model.table, np.ndarray)


def test_whoever_wants_words_alone_has_no_encoder(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "_choice", meaning._Choice())
    meaning.use_words_alone()
    assert (meaning.encoder(), meaning.width()) == ("none", 0)
    with pytest.raises(ClassifierError) as caught:
        Classifier.load(trained)
    assert caught.value.code == "version"  # so that the desk trains one of words alone
