"""Names in their cases, dates and sums in words (domain.md §7, AC-T2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.documents import russian


@pytest.mark.parametrize(
    ("kopecks", "words"),
    [
        (100, "Один рубль 00 копеек"),
        (200, "Два рубля 00 копеек"),
        (500, "Пять рублей 00 копеек"),
        (2_100_000, "Двадцать одна тысяча рублей 00 копеек"),
        (8_640_050, "Восемьдесят шесть тысяч четыреста рублей 50 копеек"),
        (1_101, "Одиннадцать рублей 01 копейка"),
        (0, "Ноль рублей 00 копеек"),
        (-100, "Минус один рубль 00 копеек"),
    ],
)
def test_sums_in_words(kopecks, words) -> None:
    assert russian.money_words(kopecks) == words


def test_sums_in_figures_and_dates() -> None:
    assert russian.money(8_640_050) == "86\u00a0400,50\u00a0₽"
    assert russian.date_long("2026-11-23") == "«23» ноября 2026 г."
    assert russian.date_short("2026-11-03") == "03.11.2026"


@pytest.mark.parametrize(
    ("full", "case", "declined"),
    [
        ("Иванова Анна Петровна", "gen", "Ивановой Анны Петровны"),
        ("Иванов Никита Сергеевич", "dat", "Иванову Никите Сергеевичу"),
        ("Салтыкова-Щедрина Любовь Ильинична", "ins", "Салтыковой-Щедриной Любовью Ильиничной"),
        ("Котова Марина", "dat", "Котовой Марине"),
        ("John Smith", "gen", "John Smith"),
    ],
)
def test_names_are_declined(full, case, declined) -> None:
    assert russian.decline_name(full, case) == declined


def test_what_a_person_wrote_wins() -> None:
    assert russian.decline_name("Иванова Анна", "gen", overrides={"gen": "Ивановой Анны (Ханны)"}).endswith(")")
    assert russian.decline_words("генеральный директор", "gen") == "генерального директора"
    assert russian.decline_words("Директор по развитию", "gen") == "Директора по развитию"
    assert russian.initials("Иванова Анна Петровна") == "Иванова А. П."


@given(st.integers(0, 10**11))
def test_every_sum_has_words_and_figures(kopecks) -> None:
    assert russian.money_words(kopecks).endswith(("копеек", "копейка", "копейки"))
    assert "".join(c for c in russian.money(kopecks) if c.isdigit()) == f"{kopecks:03d}"
