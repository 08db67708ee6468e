"""Fingerprints: the same text in disguise is one group, other texts are not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import fingerprint, is_near, read_corpus
from classifier.duplicates import BITS, NEAR_BY_KEY, bands

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


@given(st.text(max_size=200))
def test_keys_fit_a_signed_column(text: str) -> None:
    assert all(0 <= key < 2**63 for key in bands(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Подскажите, пожалуйста, где запись вчерашнего вебинара?", "подскажите где запись вчерашнего вебинара"),
        ("Заработок от 200$ в день, пиши в личку сейчас", "3аpaбoтoк от 500$ в дeнь, пиши в личкy сейчас"),
    ],
)  # fmt: skip
def test_near_copies_share_a_key(one: str, other: str) -> None:
    assert set(bands(one)) & set(bands(other))
    assert is_near(fingerprint(one), fingerprint(other), NEAR_BY_KEY)


def test_other_texts_seldom_share_a_key_and_short_ones_have_none() -> None:
    texts = [example.text for example in read_corpus() if len(example.text) > 25]
    keys = [set(bands(text)) for text in random.Random(2).sample(texts, 600)]
    shared = sum(bool(one & other) for at, one in enumerate(keys) for other in keys[:at])
    assert shared <= 0.0005 * len(keys) ** 2 / 2
    assert bands("Спасибо!") == ()
