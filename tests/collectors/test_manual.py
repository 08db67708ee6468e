"""A paste is taken apart into author, words and link, whatever was copied with it."""

from datetime import UTC, datetime

import pytest

from benchmarks.limits import NoLimits
from collectors.manual import Manual, Pasted, Settings, paste_raw, pasted_message, read_paste
from collectors.wire import Wire

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pasted", "expected"),
    [
        ("anna_yar\nКогда поток?\n2 ч\nНравится: 3\nОтветить", Pasted("Когда поток?", "anna_yar")),
        ("@anna.yar Когда следующий поток?", Pasted("Когда следующий поток?", "@anna.yar")),
        ("Анна Яр\nГде ссылка?\nhttps://www.instagram.com/p/Abc/c/17/", Pasted(
            "Где ссылка?", "Анна Яр", "https://www.instagram.com/p/Abc/c/17/")),
        ("[25.11.2026, 14:05:33] Анна Яр: Здравствуйте!\nКогда старт?", Pasted(
            "Здравствуйте!\nКогда старт?", "Анна Яр", at=datetime(2026, 11, 25, 11, 5, tzinfo=UTC), private=True)),
        ("25.11.26, 14:05 - +7 999 000-10-02: Можно счёт?", Pasted(
            "Можно счёт?", "+7 999 000-10-02", at=datetime(2026, 11, 25, 11, 5, tzinfo=UTC), private=True)),
        ("Спасибо за урок!", Pasted("Спасибо за урок!")),
        ("Спасибо\nза урок", Pasted("за урок", "Спасибо")),  # whoever looks puts it right
        ("Очень долго ждём ответа.\nУже неделю.", Pasted("Очень долго ждём ответа.\nУже неделю.")),
        ("", Pasted("")),
        ("[99.99.2026, 14:05] Анна: x", Pasted("x", "Анна", private=True)),
    ],
)  # fmt: skip
def test_a_paste(pasted, expected) -> None:
    assert read_paste(pasted) == expected


def test_identity_and_place() -> None:
    first = paste_raw(Pasted("Когда  старт?", "Анна", "https://x.example/p/1?igsh=7#c1"), NOW)
    again = paste_raw(Pasted("Когда старт? ", "анна", "https://x.example/p/1?igsh=7#c1"), NOW)
    other = paste_raw(Pasted("Когда старт?", "Вера", "https://x.example/p/1"), NOW)
    assert (first.container, first.external_id) == (again.container, again.external_id)
    assert first.container == other.container
    assert first.external_id != other.external_id
    found = pasted_message(first)
    assert found.publication is not None
    assert found.publication.url == "https://x.example/p/1"
    assert Manual(Settings(), Wire(), NoLimits()).parse(first) == [found]


def test_a_private_message_stays_with_its_person() -> None:
    one, two = (pasted_message(paste_raw(Pasted(text, "Анна", private=True), NOW)) for text in ("а", "б"))
    assert one.container == two.container
    assert one.visibility.value == "private"
