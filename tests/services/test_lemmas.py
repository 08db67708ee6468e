"""Words as search sees them: forms, ё and е, phones and numbers in any spelling."""

import pytest

from services.lemmas import fold, forms_of, index, numbers_of, words_of


@pytest.mark.parametrize(
    ("said", "form"),
    [
        ("возврата", "возврат"),
        ("Возвратами", "возврат"),
        ("людей", "человек"),
        ("вернули", "вернуть"),
        ("самолётом", "самолет"),
        ("самолет", "самолет"),
        ("за́мок", "замок"),
        ("zoom", "zoom"),
        ("17", "17"),
    ],
)
def test_a_word_has_its_dictionary_form_first(said, form) -> None:
    assert forms_of(fold(said))[0] == form


@pytest.mark.parametrize("said", ["вебинар", "вебинара", "вебинаром", "вебинары", "вебинаров", "вебинарах"])
def test_a_word_that_no_dictionary_has_loses_its_ending(said) -> None:
    assert forms_of(said) == ("вебинар",)


def test_a_form_of_two_words_counts_for_both() -> None:
    assert set(forms_of("стали")) == {"стать", "сталь"}


@pytest.mark.parametrize(
    "said", ["+7 (912) 345-67-89", "89123456789", "8 912 345 67 89", "звоните: 9123456789!", "+79123456789"]
)
def test_a_phone_is_one_word_in_any_spelling(said) -> None:
    assert "9123456789" in index(said).extra


@pytest.mark.parametrize(
    ("said", "joined"), [("12 345 рублей", "12345"), ("№ ДГ-2026/15-А", "дг202615а"), ("345-67-89", "3456789")]
)
def test_numbers_written_in_parts_are_joined_too(said, joined) -> None:
    assert joined in index(said).extra


def test_places_are_those_of_the_text_as_it_stands() -> None:
    said = "Ещё раз: «Верните деньги!»"
    assert [said[word.start : word.end] for word in words_of(said)] == ["Ещё", "раз", "Верните", "деньги"]
    phone = "или 8 912 345-67-89, или"
    assert next(phone[n.start : n.end] for n in numbers_of(phone)) == "8 912 345-67-89"


@pytest.mark.parametrize("said", ["", "…!?", "👍👍", "日本語", "a_b", "ﬁ", "x" * 5000, "\u0301"])
def test_nothing_strange_breaks_a_token(said) -> None:
    found = index(said)
    for token in (*found.words, *found.extra):
        assert token
        assert len(token) <= 60
        assert all(ch.isalnum() and ch < "\u0530" for ch in token)
