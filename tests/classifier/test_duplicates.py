"""Fingerprints: the same text in disguise is one group, other texts are not."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import fingerprint, is_near, read_corpus
from classifier.duplicates import BITS, NEAR, bands

RUSSIAN = st.text(st.sampled_from("абвгдежзийклмнопрстуфхцчшщъыьэюя "), min_size=1, max_size=200)


@given(st.text(max_size=200))
def test_it_fits_a_signed_column_and_never_fails(text: str) -> None:
    assert 0 <= fingerprint(text) < 2**BITS


@given(RUSSIAN)
def test_case_spaces_and_punctuation_change_nothing(text: str) -> None:
    spread = "  ".join(text.upper()) + "!!! ..."
    assert fingerprint(spread) == fingerprint(text)


@pytest.mark.parametrize(
    ("plain", "disguised"),
    [
        ("Заработок от 200$ в день, пиши в личку", "3аpaбoтoк от 500$ в дeнь!!! пиши в личкy"),
        ("Ищу партнеров в команду, доход ежедневно", "ИЩУ ПAPТНЕРОВ в команду... доход ежедневнооо"),
        ("Нет звука у всех?", "нет  звукааа у всех"),
    ],
)
def test_disguises_are_seen_through(plain: str, disguised: str) -> None:
    assert is_near(fingerprint(plain), fingerprint(disguised))


def test_nothing_is_near_to_nothing() -> None:
    assert fingerprint("!!! 👍") == 0
    assert not is_near(0, 0)


def test_different_texts_are_seldom_near() -> None:
    texts = [example.text for example in read_corpus() if len(example.text) > 25]
    marks = [fingerprint(text) for text in random.Random(1).sample(texts, 600)]
    near = sum(is_near(one, other) for at, one in enumerate(marks) for other in marks[:at])
    assert near <= 0.0001 * len(marks) ** 2 / 2


@settings(max_examples=200)
@given(st.integers(1, 2**BITS - 1), st.sets(st.integers(0, BITS - 1), max_size=NEAR))
def test_near_ones_share_a_band(mark: int, flipped: set[int]) -> None:
    other = mark
    for place in flipped:
        other ^= 1 << place
    assert set(bands(mark)) & set(bands(other))
