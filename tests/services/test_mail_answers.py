"""A reply to the desk's letter: the answer of whoever was asked, and of nobody who only looks like them."""

import pytest
from sqlalchemy import func, select

from collectors.base import Attachment, Incoming, Person, Visibility
from models import Delivery, Message, Route, RouteFile, Staff, utc_now
from services.accounts import set_active
from services.answers import split_answers
from services.mail_answers import take_answers
from services.routing import answer_route
from tests.services.test_deliveries import later, state_of

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture
def reply(database, box):
    def _reply(text: str, number: int = -1, sender: str = "curator@school.example", **given) -> list[Incoming]:
        token = box.letters[number][3]
        values = {
            "container": "INBOX",
            "external_id": f"re-{abs(hash((text, sender)))}@home.example",
            "text": text,
            "published_at": utc_now(),
            "author": Person(sender, "Олег"),
            "visibility": Visibility.PRIVATE,
            "parent_external_id": f"otklik-note.{token}@school.example",
            **given,
        }
        with database.write.begin() as session:
            return take_answers(session, [Incoming(**values)])

    return _reply


@pytest.fixture
def route_id(ask, send):
    route_id = ask(urgent=True)
    send()
    return route_id


def route(database, route_id: int) -> Route:
    with database.read.begin() as session:
        return session.get_one(Route, route_id)


def test_the_reply_is_the_answer_and_comes_back_as_a_preview(cast, database, route_id, reply, send, box) -> None:
    assert reply("Проверим завтра до обеда.") == []
    found = route(database, route_id)
    assert (found.state, found.answer) == ("answered", "Проверим завтра до обеда.")
    assert found.answered_by_id == cast.curator.staff_id
    send()
    assert "> Проверим завтра до обеда." in box.letters[-1][2]
    assert "Дарья Лис" in box.letters[-1][2]


def test_the_same_letter_read_twice_is_one_answer_and_one_preview(database, route_id, reply, send, box) -> None:
    for _ in range(2):
        assert reply("Завтра.") == []
    send()
    assert len(box.letters) == 2


def test_of_several_questions_each_is_answered_by_its_number(ask, send, database, reply, box) -> None:
    first, second = ask("Первый?"), ask("Второй?")
    later(database)
    send()
    assert reply("2. Во вторник.\nНаверное.\n1) В среду.") == []
    assert route(database, first).answer == "В среду."
    assert route(database, second).answer == "Во вторник.\nНаверное."


def test_of_several_questions_a_reply_without_a_number_answers_none(ask, send, database, reply, box) -> None:
    first = ask("Первый?")
    ask("Второй?")
    later(database)
    send()
    assert reply("В среду.") == []
    assert route(database, first).state == "sent"
    send()
    assert "номера" in box.letters[-1][2]


@pytest.mark.parametrize(
    "sender", ["stranger@home.example", "curator@school.example.evil.example", "x@school.example"]
)
def test_a_forged_sender_answers_nothing_and_stands_in_the_inbox(database, route_id, reply, sender) -> None:
    assert len(reply("Уволены!", sender=sender)) == 1
    assert route(database, route_id).state == "sent"


def test_a_guessed_token_answers_nothing(database, route_id, reply) -> None:
    for token in ("A" * 32, "", "*" * 32):
        assert len(reply("Да.", parent_external_id=f"otklik-note.{token}@school.example")) == 1
    assert len(reply("Да.", parent_external_id=None, context={"subject": "Re: Вопрос для вас"})) == 1
    assert route(database, route_id).state == "sent"


def test_500_forged_headers_answer_nothing(database, route_id, reply, box) -> None:
    good = box.letters[0][3]
    for number in range(500):
        forged = good[: number % 32] + ("A" if good[number % 32] != "A" else "B") + good[number % 32 + 1 :]
        reply(f"Да {number}", parent_external_id=f"otklik-note.{forged}@school.example")
    assert route(database, route_id).state == "sent"


def test_rights_withdrawn_answer_nothing(cast, database, route_id, reply, send, box) -> None:
    with database.write.begin() as session:
        session.get_one(Staff, cast.curator.staff_id).roles = []
    assert reply("Да.") == []
    assert route(database, route_id).state == "sent"
    send()
    assert "больше не отвечаете" in box.letters[-1][2]
    with database.write.begin() as session:
        set_active(session, cast.head, cast.curator.staff_id, False)
    assert reply("Точно да.") == []
    assert route(database, route_id).state == "sent"


def test_an_answered_question_is_not_answered_again(cast, database, route_id, reply, send, box) -> None:
    with database.write.begin() as session:
        answer_route(session, cast.curator, route_id, "Со страницы.")
    assert reply("Из почты.") == []
    assert route(database, route_id).answer == "Со страницы."
    send()
    assert "уже ответили" in box.letters[-1][2]


def test_a_machine_answers_nothing(database, route_id, reply) -> None:
    assert reply("Я в отпуске до понедельника.", automatic=True) == []
    assert route(database, route_id).state == "sent"


def test_a_bounce_shows_that_nobody_heard(database, route_id, reply) -> None:
    assert reply("Undelivered", automatic=True, author=None, context={"bounce_status": "5.1.1"}) == []
    assert state_of(database) == ["dead"]


def test_a_photo_goes_along(database, route_id, reply, send, box) -> None:
    evil = Attachment("document", "счёт.exe", content=b"MZ...")
    photo = Attachment("photo", "../../экран.png.exe", content=PNG)
    reply("Вот так.", attachments=(evil, photo))
    with database.read.begin() as session:
        file = session.scalars(select(RouteFile)).one()
        assert (file.kind, file.name, file.content_type) == ("photo", "экранpng.png", "image/png")
    send()
    assert "Файлов: 1" in box.letters[-1][2]


def test_more_photos_than_fit_do_not_stop_the_letter(database, route_id, reply, send, box) -> None:
    photos = tuple(Attachment("photo", f"{number}.png", content=PNG + bytes([number])) for number in range(8))
    large = Attachment("photo", "large.png", content=PNG + bytes(11 * 1024 * 1024))
    assert reply("Вот так.", attachments=(large, *photos)) == []
    assert route(database, route_id).state == "answered"
    send()
    assert "Файлов: 6" in box.letters[-1][2]
    assert "Не дошло файлов: 3" in box.letters[-1][2]


def test_our_own_letter_come_back_is_no_message(database, route_id, reply, box) -> None:
    assert reply("Вопрос", external_id=f"otklik-note.{box.letters[0][3]}@school.example") == []
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 1
        assert session.scalar(select(func.count()).select_from(Delivery)) == 1


@pytest.mark.parametrize(
    ("text", "routes", "found"),
    [
        ("Да", [7], {7: "Да"}),
        ("1. Да", [7], {7: "1. Да"}),
        ("  ", [7], {}),
        ("Да", [7, 8], {}),
        ("1. Да\n2. Нет", [7, 8], {7: "Да", 8: "Нет"}),
        ("3. Да", [7, 8], {}),
        ("1. Да\n1. Нет", [7, 8], {}),
        ("1. Сделайте так:\n1) откройте\n2) нажмите\n2. Нет", [7, 8], {}),
        ("1.\n2. Нет", [7, 8], {8: "Нет"}),
    ],
)
def test_how_a_reply_is_split(text, routes, found) -> None:
    assert split_answers(text, routes) == found
