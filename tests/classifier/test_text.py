"""Reading a text: look-alike letters, transliteration, tokens, and offsets that never drift."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import LABELS, read_corpus
from classifier.patterns import find, patterns
from classifier.text import LIMIT, fold, read

ANY_TEXT = st.text(
    st.one_of(st.characters(), st.sampled_from("абвёЁaceо0346 ?!.😀❤️İßﬁ𝐖\u2028\n\t\x00")), max_size=120
)


@pytest.mark.parametrize(
    ("typed", "meant", "words"),
    [
        ("3аpaбοτok", "заработок", 1),
        ("Рaбoтa", "работа", 1),
        ("раб0та", "работа", 1),
        ("frее mоnеy", "free money", 2),
        ("Ёжик", "ежик", 0),
        ("𝐖𝐎𝐑𝐊", "work", 0),
        ("iPhone'ом", "iphone'ом", 0),
        ("2026 год, 5 марта", "2026 год, 5 марта", 0),
    ],
)
def test_look_alike_letters_come_home(typed: str, meant: str, words: int) -> None:
    assert fold(typed) == (meant, words)


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("spasibo za urok", "спасибо за урок"),
        ("podskazhite kogda nachalo?", "подскажите когда начало ?"),
        ("ne rabotaet ssylka", "не работает ссылка"),
        ("Thank you for the video", ""),
        ("super easy, no problem", ""),
        ("спасибо za urok", ""),
        ("", ""),
    ],
)
def test_transliteration_is_carried_over(text: str, view: str) -> None:
    assert read(text).view == view


def test_tokens_have_kinds() -> None:
    reading = read("@anna ИДИ на site.ru или 12:30, a.b@mail.example [USERNAME] 5000 ₽!!! ураааа :) ))) 👍🏻")
    assert [token.norm for token in reading.tokens] == [
        *("@", "иди", "на", "<url>", "или", "<time>", "<mail>", "@", "0000", "₽", "!!"),
        *("ура", ":)", "))", "👍", "🏻"),
    ]


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT)
def test_offsets_are_those_of_the_original(text: str) -> None:
    reading = read(text)
    assert len(reading.folded) == len(text)
    ends = 0
    for token in reading.tokens:
        assert ends <= token.start < token.end <= len(text)
        assert token.norm
        assert not any(char.isspace() for char in text[token.start : token.end])
        ends = token.end


def test_only_the_beginning_of_a_book_is_read() -> None:
    reading = read("слово " * 50_000)
    assert len(reading.original) == LIMIT
    assert reading.tokens[-1].end <= LIMIT


def test_every_pattern_earns_its_place() -> None:
    """A pattern must speak for its label at least twice as often as chance, in more than one place."""
    corpus = read_corpus()
    shares = {label: sum(one.primary == label for one in corpus) / len(corpus) for label in LABELS}
    hits: dict[tuple[str, str], list[bool]] = {(group, name): [] for group, name, _ in patterns()}
    for example in corpus:
        for group, name, start, end in find(fold(example.text)[0]):
            assert 0 <= start < end <= len(example.text)
            hits[group, name].append(group in (example.primary, *example.secondary))
    weak = {
        f"{group}.{name}": (len(right), round(sum(right) / max(len(right), 1), 2))
        for (group, name), right in hits.items()
        if len(right) < 2 or sum(right) / len(right) < 2 * shares[group]
    }
    assert weak == {}


@pytest.mark.parametrize("text", ["как мне " * 1000, "а" * 8000, "a.a@" * 2000, "не ни " * 1300, ")" * 8000])
def test_no_pattern_is_slow_on_hostile_text(text: str) -> None:
    # A pattern that backtracks exponentially would run into the time limit of the suite here.
    assert len(list(find(fold(text)[0]))) <= len(patterns())
