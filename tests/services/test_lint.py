"""The reply linter: what blocks, what is only said, and what a school may write freely."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import Forbidden, Refused
from services.facts import save_fact
from services.lint import RULES, Habits, Place, check_text, habits_of, lint, save_habits

PUBLIC, PRIVATE = Place(True, "vk"), Place(False, "vk")
SCHOOL = Habits(own=frozenset({"8 (800) 555-01-02", "help@school.example"}), competitors=frozenset({"УмноДом"}))


def rules(text: str, place: Place = PUBLIC, habits: Habits = SCHOOL) -> set[str]:
    return {finding.rule for finding in lint(text, place, habits)}


@pytest.mark.parametrize(
    "text",
    [
        "Позвоните ученице: +7 916 555-12-34",
        "Ваш адрес anna.y@mail.example верный?",
        "Карта 2200 1234 5678 9012 получит возврат",
        "Паспорт 45 08 123456 мы получили",
        "По заказу № 48213 деньги вернули",
        "Иванова Анна Петровна, вам вернули 4 900 ₽",
    ],
)
def test_somebody_elses_data_stops_a_public_reply_only(text: str) -> None:
    assert "personal" in rules(text)
    assert "personal" not in rules(text, PRIVATE)


@pytest.mark.parametrize(
    "text",
    [
        "Позвоните нам: +7 800 555-01-02 или help@school.example",
        "Анна Петровна, спасибо за тёплые слова!",
        "Занятие 12 декабря в 19:00, всего 48 часов практики",
        "Курс стоит 4 900 ₽, оплатить можно до 5 декабря",
    ],
)
def test_what_a_school_may_write_is_not_stopped(text: str) -> None:
    assert not any(finding.blocks for finding in lint(text, PUBLIC, SCHOOL))


@pytest.mark.parametrize(
    ("text", "stopped"),
    [
        ("Мы тут: https://www.instagram.com/school", True),
        ("Наш профиль m.facebook.com/school", True),
        ("Смотрите vk.com/school и notinstagram.com", False),
    ],
)
def test_links_to_banned_hosts_stop_everywhere(text: str, stopped: bool) -> None:
    for place in (PUBLIC, PRIVATE):
        assert ("banned" in rules(text, place)) is stopped


@pytest.mark.parametrize("text", ["Здравствуйте, {{имя}}!", "[дата] мы вернёмся", "Ссылка: ______"])
def test_an_empty_placeholder_stops(text: str) -> None:
    assert "empty" in rules(text)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Гарантируем поступление!", "promise"),
        ("Курс вылечит тревогу", "heals"),
        ("У нас лучше, чем в умнодоме", "competitor"),
        ("Деньги за курс не возвращаем", "refund"),
        ("Мы сделали новый feedback по вашему эссе", "latin"),
        ("Вы сами виноваты, читайте внимательнее", "rude"),
        ("СРОЧНО ПРОВЕРЬТЕ почту!!", "loud"),
    ],
)
def test_the_rest_is_said_and_does_not_stop(text: str, rule: str) -> None:
    found = [finding for finding in lint(text, PUBLIC, SCHOOL) if finding.rule == rule]
    assert found
    assert not found[0].blocks


def test_advertising_words_depend_on_the_place_and_on_what_was_asked() -> None:
    text = "Записывайтесь сейчас, скидка 20 %"
    assert "promo" in rules(text, Place(True, "youtube", "Класс!"))
    assert "promo" not in rules(text, Place(True, "youtube", "А скидка будет? Какая цена?"))
    assert "promo" not in rules(text, Place(True, "wordpress", "Класс!"))


def test_an_english_answer_is_no_foreign_word() -> None:
    assert "latin" not in rules("Hello Marta! We have returned the second payment.")


def test_each_rule_has_its_switch() -> None:
    text = "Здравствуйте, {{имя}}! Гарантируем 100 % результат!!"
    assert {"empty", "promise", "loud"} <= rules(text)
    assert rules(text, habits=Habits(off=frozenset({"empty", "promise", "loud"}))) == set()


def test_the_door_asks_for_a_reason_and_keeps_it() -> None:
    text = "Ваш номер +7 916 555-12-34 записали"
    with pytest.raises(Refused) as refused:
        check_text(text, PUBLIC, SCHOOL, {"personal": "  "})
    assert refused.value.data["rules"] == ["personal"]
    assert check_text(text, PUBLIC, SCHOOL, {"personal": "просила сама", "loud": "x"}) == {
        "personal": "просила сама"
    }


def test_habits_are_kept_by_who_may(database, cast) -> None:
    with database.write.begin() as session:
        assert habits_of(session) == Habits()
        save_habits(session, cast.head, {"off": ["loud"], "own": [" help@school.example ", ""]})
    with database.read.begin() as session:
        kept = habits_of(session)
        assert kept.off == {"loud"}
        assert kept.own == {"help@school.example"}
    with database.write.begin() as session:
        with pytest.raises(Forbidden):
            save_habits(session, cast.smm, {"off": []})
        with pytest.raises(Refused):
            save_habits(session, cast.head, {"off": ["нет такого"]})


@given(st.text(max_size=300), st.booleans())
def test_findings_lie_in_the_text(text: str, public: bool) -> None:
    for finding in lint(text, Place(public), SCHOOL):
        assert 0 <= finding.start < finding.end <= len(text)
        assert finding.blocks is RULES[finding.rule].blocks


@pytest.mark.timeout(10)
@pytest.mark.parametrize("piece", ["8 ", "a.", "{{", "А Б", "1 ", "Не возвращаем ", "-"])
def test_a_long_text_is_read_at_once(piece: str) -> None:
    lint(piece * 20_000, PUBLIC, SCHOOL)


PRICED = Habits(prices=frozenset({"4900", "12500"}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Курс стоит 5 400 ₽", True),
        ("Цена сейчас 4900 руб., раньше была выше", False),
        ("Стоимость полного курса — 12 500,00 ₽", False),
        ("Тариф «Полный» обойдётся в 13 тыс.", True),
        ("Вернули вам 5 400 ₽ вчера", False),
        ("Курс стоит того!", False),
    ],
)
def test_a_price_is_held_against_the_facts(text: str, told: bool) -> None:
    assert ("price" in rules(text, PUBLIC, PRICED)) is told
    assert "price" not in rules(text, PUBLIC, Habits())  # there are no facts to hold it against
    assert not any(finding.blocks for finding in lint(text, PUBLIC, PRICED))


def test_the_facts_that_hold_today_are_the_prices(database, cast) -> None:
    with database.write.begin() as session:
        for code, value, valid_to in (
            ("price", "4 900 ₽", None), ("old", "4 100 ₽", date(2020, 1, 1)), ("start", "5 декабря", None),
        ):  # fmt: skip
            save_fact(session, cast.head, None, code=code, title=code, value=value, valid_to=valid_to)
        assert habits_of(session).prices == {"4900"}
