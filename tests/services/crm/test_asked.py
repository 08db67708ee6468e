"""Nobody is asked twice, and a promise in a reply becomes a date."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from models import Case
from services.crm.asked import given_by, promises_in, promises_not_followed
from services.crm.clients import create_client
from services.crm.identities import link_author
from services.holding import holding_reply
from services.lint import Habits, Place, lint

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)  # Wednesday noon in Moscow


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("Вернём деньги до 5 декабря.", "05.12 "), ("Вернём до 5-го, не волнуйтесь", "05.12 "),
        ("Ответим завтра.", "26.11 18:00"), ("Перезвоним в течение 2 рабочих дней", "27.11 18:00"),
        ("Откроем доступ к пятнице", "27.11 18:00"), ("Пришлём справку до 05.12.2026.", "05.12 "),
        ("Исправим в течение 3 часов", "25.11 15:00"), ("Вебинар будет 5 декабря.", None),
        ("Вернём деньги, как договорились.", None), ("Спасибо за отзыв!", None),
        ("Ответим в 12 номере журнала", None),
    ],
)  # fmt: skip
def test_a_promise_is_a_sentence_of_ours_with_a_time(cast, database, text, due) -> None:
    if not database.is_sqlite:
        pytest.skip("pure arithmetic: one database is enough")
    with database.read.begin() as session:
        found = promises_in(session, text, NOW)
    from zoneinfo import ZoneInfo

    there = [one.due_at.astimezone(ZoneInfo("Europe/Moscow")).strftime("%d.%m %H:%M") for one in found]
    assert there[0].startswith(due) if due else not there, there


def test_the_holding_reply_is_followed_by_itself(cast, database) -> None:
    cast.write("Когда откроют третий урок?")
    with database.read.begin() as session:
        case = session.scalars(select(Case)).one()
        said = holding_reply(session, "Europe/Moscow").text
        assert promises_not_followed(session, case, said) == []
        [left] = promises_not_followed(session, case, f"{said} Вернём деньги завтра.")
    assert left.text == "Вернём деньги завтра"


def test_what_was_given_is_not_asked_again(cast, database) -> None:
    cast.write("Мой телефон 8 916 123-45-67, договор № 12345")
    with database.write.begin() as session:
        case = session.scalars(select(Case)).one()
        assert given_by(session, case) == {"phone", "order"}
        client = create_client(session, cast.smm, name="Яр Анна", contact="anna@school.example")
        link_author(session, cast.smm, client.id, case.author_id, "said")
        given = given_by(session, case)
    assert given == {"phone", "order", "mail", "name"}

    def rules(text: str, place: Place) -> set[str]:
        return {one.rule for one in lint(text, place, Habits())}

    place = Place(False, given=given)
    for text in ("Напишите, пожалуйста, ваш номер телефона", "Укажите почту", "Уточните номер договора",
                 "Сообщите фамилию"):  # fmt: skip
        assert "asked" in rules(text, place), text
        assert "asked" not in rules(text, Place(False)), text
    assert "asked" not in rules("Мы напишем вам на почту", place)
    assert not any(one.blocks for one in lint("Укажите почту", place, Habits()))
