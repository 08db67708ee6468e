"""Thanks that name a curator: in whatever case, and not where her name is an ordinary word."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from models import Staff
from services.accounts import create_staff
from services.digests import run_digests
from services.rights import DESK
from services.thanks import names, thanks_of

MONDAY = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)  # 11:00 in Moscow
WEEK = (MONDAY - timedelta(days=8), MONDAY)


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("Спасибо Марине!", "Марина Котова", True),
        ("Спасибо большое, Олег, всё понятно", "Олег Сомов", True),
        ("благодарю олега за терпение", "Олег Сомов", True),
        ("Спасибо Олегу", "Сомов Олег", True),
        ("Спасибо Наталье", "Наталья Рябинина", True),
        ("Спасибо Ольге", "Олег Сомов", False),
        ("Спасибо за урок!", "Марина Котова", False),
        ("Спасибо Вере за терпение", "Вера Полянская", True),
        ("Спасибо, Вера!", "Вера Полянская", True),
        ("Вера, спасибо вам огромное", "Вера Полянская", True),
        ("Благодарю за веру в меня", "Вера Полянская", False),
        ("Спасибо. Вера в себя вернулась", "Вера Полянская", False),
        ("СПАСИБО ЗА ВЕРУ В МЕНЯ", "Вера Полянская", False),
        ("Спасибо за надежду", "Надежда Ивина", False),
        ("Спасибо Надежде за разбор", "Надежда Ивина", True),
        ("Спасибо за любовь к делу", "Любовь Ивина", False),
        ("Спасибо, прочитала роман за ночь", "Роман Лис", False),
        ("Спасибо Роману за разбор", "Роман Лис", True),
        ("спасибо вере полянской", "Вера Полянская", True),
        ("", "Марина Котова", False),
        ("Спасибо", "", False),
    ],
)
def test_who_is_named(text, name, wanted) -> None:
    assert names(text, name) is wanted


def test_complaints_and_words_without_thanks_are_left_out_and_contacts_hidden(cast, database) -> None:
    with time_machine.travel(MONDAY - timedelta(days=3), tick=False):
        cast.write("Спасибо Олегу, мой номер +7 912 345-67-89! Верните деньги за второй курс.", "Анна Яр")
        cast.write("Олег, когда урок?", "Пётр Лом")
    with database.read.begin() as session:
        staff = session.get_one(Staff, cast.curator.staff_id)
        assert thanks_of(session, staff, *WEEK) == [("Анна", "Спасибо Олегу, мой номер •••!")]
        assert thanks_of(session, staff, MONDAY, MONDAY + timedelta(days=7)) == []


def test_namesakes_are_told_apart_by_the_family_name(cast, database) -> None:
    with database.write.begin() as session:
        other = create_staff(
            session, DESK, email="o2@school.example", name="Олег Рыбин", roles=("manager",), department="curators"
        )
    with time_machine.travel(MONDAY - timedelta(days=3), tick=False):
        cast.write("Спасибо Олегу!", "Анна Яр")
        cast.write("Спасибо Олегу Рыбину!", "Пётр Лом")
    with database.read.begin() as session:
        both = [session.get_one(Staff, cast.curator.staff_id), session.get_one(Staff, other.id)]
        assert [len(thanks_of(session, one, *WEEK, both)) for one in both] == [0, 1]


def test_the_first_digest_after_sunday_tells_of_them_once_and_to_curators_alone(cast, database, send, box) -> None:
    with time_machine.travel(MONDAY - timedelta(days=3), tick=False):
        cast.write("Спасибо Олегу и Тимуру за помощь!", "Анна Яр")
    said = []
    for days in (0, 1):
        with time_machine.travel(MONDAY + timedelta(days=days), tick=False):
            run_digests(database, "Europe/Moscow")
            send()
        said.append({to: text for to, _subject, text, _token in box.letters})
        box.letters.clear()
    assert "Вас благодарили на прошлой неделе" in said[0]["curator@school.example"]
    assert "Анна: «Спасибо Олегу и Тимуру за помощь!»" in said[0]["curator@school.example"]
    assert "благодарили" not in said[0].get("tech@school.example", "")
    assert "благодарили" not in said[1].get("curator@school.example", "")
