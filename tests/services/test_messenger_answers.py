"""What people of the desk reply to its bot is the answer; nothing of the dialogue becomes a message."""

import random
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from collectors.base import Attachment, Person, SourceState, Visibility
from models import (
    Delivery,
    Event,
    Message,
    RouteFile,
    Staff,
    utc_now,
)
from services.accounts import set_active
from services.messengers import unbind
from services.routing import answer_route
from tests.services.talking import CURATOR, STRANGER, count, route
from tests.services.test_deliveries import later

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture
def asked(bot, ask, send, messenger) -> int:
    """A question that stands in the curator's dialogue as the message 1002, after the greeting."""
    bot.bind()
    route_id = ask(urgent=True)
    assert send() == 2
    return route_id


def test_a_reply_is_the_answer_and_comes_back_as_a_preview(asked, bot, cast, database, send, messenger) -> None:
    assert bot.say("Проверим завтра до обеда.", parent_external_id="1002") == []
    found = route(database, asked)
    assert (found.state, found.answer) == ("answered", "Проверим завтра до обеда.")
    assert found.answered_by_id == cast.curator.staff_id
    send()
    assert messenger.letters[-1][2].startswith("Ответ принят")
    assert "> Проверим завтра до обеда." in messenger.letters[-1][2]
    with database.read.begin() as session:
        assert session.scalar(select(Event.kind).where(Event.kind == f"answer.by_{bot.platform}")) is not None


def test_an_update_that_comes_twice_and_its_edit_are_one_answer(asked, bot, database, send, messenger) -> None:
    for text in ("Завтра.", "Завтра.", "Послезавтра."):
        assert bot.say(text, parent_external_id="1002", external_id="same") == []
    assert route(database, asked).answer == "Завтра."
    assert send() == 1


def test_an_id_of_a_notice_hides_nothing_that_stands_elsewhere(asked, bot, cast) -> None:
    """What we wrote by hand to a client may bear the number that a notice has in another dialogue."""
    ours = {"author": Person("school", "Школа", is_us=True), "external_id": "1002"}
    assert bot.say("Отвечаем клиенту", **ours, container="direct-7") != []
    assert bot.say("Вопрос отделу", **ours) == []


def test_of_several_questions_each_is_answered_by_its_number(bot, ask, database, send, messenger) -> None:
    bot.bind()
    first, second = ask("Первый?"), ask("Второй?")
    later(database)
    send()
    assert bot.say("Не знаю", parent_external_id="1002") == []
    send()
    assert "номера" in messenger.letters[-1][2]
    assert bot.say("2. Во вторник.\n1) В среду.", parent_external_id="1002") == []
    assert [route(database, one).answer for one in (first, second)] == ["В среду.", "Во вторник."]


def test_without_a_reply_there_is_one_hint_and_no_message(asked, bot, database, send, messenger) -> None:
    before = count(database, Message)
    for text in ("Завтра проверим", "Ау!", "/start"):
        assert bot.say(text) == []
    assert bot.say("Спасибо", parent_external_id="1001") == []  # the greeting asks nothing
    assert send() == 1
    assert messenger.letters[-1][2].startswith("Ответьте на сообщение с вопросом")
    assert (route(database, asked).state, count(database, Message)) == ("sent", before)
    with time_machine.travel(utc_now() + timedelta(minutes=11), tick=False):
        bot.say("Ну так завтра")
        assert send() == 1


@pytest.mark.parametrize("given", [{}, {"container": CURATOR}, {"author": Person(CURATOR, "Олег")}])
def test_another_account_answers_nothing(asked, bot, database, given) -> None:
    left = bot.say("Уволены!", STRANGER, parent_external_id="1002", **given)
    assert route(database, asked).state == "sent"
    # In their own dialogue it is an ordinary message; nobody else can write in the curator's.
    assert len(left) == (0 if "container" in given else 1)


def test_a_reply_in_a_group_answers_nothing(asked, bot, database) -> None:
    left = bot.say("Завтра", container="-100", visibility=Visibility.PUBLIC, parent_external_id="1002")
    assert (len(left), route(database, asked).state) == (1, "sent")


def test_what_was_told_to_a_colleague_is_not_answered(asked, bot, cast, database) -> None:
    bot.bind(cast.tech, "7002")
    assert bot.say("Отвечу за неё", "7002", parent_external_id="1002") == []
    assert route(database, asked).state == "sent"


def test_rights_withdrawn_answer_nothing(asked, bot, cast, database, send, messenger) -> None:
    with database.write.begin() as session:
        session.get_one(Staff, cast.curator.staff_id).roles = []
    assert bot.say("Да.", parent_external_id="1002") == []
    send()
    assert "больше не отвечаете" in messenger.letters[-1][2]
    with database.write.begin() as session:
        set_active(session, cast.head, cast.curator.staff_id, False)
    left = bot.say("Точно да.", parent_external_id="1002")
    assert len(left) == 1  # somebody who is not of the desk any more writes to the school
    found = route(database, asked)
    assert (found.state, found.answer) == ("sent", None)


def test_what_was_written_before_the_end_and_read_after_it_is_dropped(asked, bot, cast, database) -> None:
    at = utc_now()
    with database.write.begin() as session:
        set_active(session, cast.head, cast.curator.staff_id, False)
    assert bot.say("Да.", parent_external_id="1002", published_at=at - timedelta(seconds=1)) == []
    assert route(database, asked).state == "sent"


def test_an_answered_question_is_not_answered_again(asked, bot, cast, database, send, messenger) -> None:
    with database.write.begin() as session:
        answer_route(session, cast.curator, asked, "Со страницы.")
    assert bot.say("Из чата.", parent_external_id="1002") == []
    assert route(database, asked).answer == "Со страницы."
    send()
    assert "уже ответили" in messenger.letters[-1][2]


def test_a_photo_and_a_voice_go_along_and_need_no_words(asked, bot, database, send, messenger) -> None:
    photo = Attachment("photo", content=PNG, ref="f1")
    assert bot.say("", parent_external_id="1002", attachments=(photo,)) == []
    assert route(database, asked).answer == "Ответ во вложении."
    more = Attachment("photo", content=PNG + b"1")
    assert bot.say("", parent_external_id="1002", attachments=(more,), context={"album": "9"}) == []
    assert bot.say("", parent_external_id="1002", attachments=(more,)) == []
    assert count(database, RouteFile) == 2
    send()
    told = [text for _to, _subject, text, _token in messenger.letters if text.startswith("Ответ принят")]
    assert ["Файлов: 1" in told[0], "Файлов: 2" in told[1], len(told)] == [True, True, 2]


def test_a_file_that_did_not_come_is_told(asked, bot, database, send, messenger) -> None:
    lost = Attachment("document", "план.pdf")
    assert bot.say("", parent_external_id="1002", attachments=(lost,)) == []
    assert route(database, asked).state == "sent"
    assert bot.say("Вот план", parent_external_id="1002", attachments=(lost,)) == []
    assert route(database, asked).state == "answered"
    send()
    assert "ни текста, ни фото" in messenger.letters[-2][2]
    assert "Не дошло файлов: 1" in messenger.letters[-1][2]


# the inbox stays clean


def test_a_strangers_message_is_a_clients(bot, cast, database) -> None:
    assert len(bot.say("Сколько стоит курс?", STRANGER)) == 1
    assert len(bot.say("/start", STRANGER)) == 1
    assert len(bot.say("/start promo", STRANGER, start="promo")) == 1
    assert bot.say("", STRANGER, start="promo") == []  # MAX: a press says nothing
    bot.bind()
    assert len(bot.say("И ещё вопрос", STRANGER)) == 1


def test_what_the_bot_wrote_is_no_message(asked, bot, cast, database) -> None:
    ours = {"author": Person("100", "Школа", is_us=True), "external_id": "1002"}
    assert bot.say("Вопрос для вас", **ours) == []
    assert bot.say("Ещё слова бота", **{**ours, "external_id": "x"}) == []
    assert len(bot.say("Ответ школы клиенту", STRANGER, **{**ours, "external_id": "y"})) == 1


def test_what_was_a_clients_message_before_goes_on_being_one(bot, cast, database) -> None:
    left = bot.say("Когда начало?", external_id="old")
    with database.write.begin() as session:
        from services.messages import store_messages

        store_messages(session, bot.source_id, bot.platform, left)
    bot.bind()
    assert len(bot.say("Когда начало курса?", external_id="old", edited_at=utc_now())) == 1
    assert bot.say("", external_id="new", state=SourceState.DELETED, author=None) == []


@pytest.mark.parametrize("seed", range(12))
def test_updates_that_come_again_in_any_order_are_one_answer(asked, bot, database, send, seed) -> None:
    """However often and mixed a platform tells of them: the first reply answers, the rest changes nothing."""
    chance = random.Random(seed)
    first = {"text": "Завтра.", "external_id": "a", "parent_external_id": "1002"}
    others = [
        {"text": "Завтра?", "external_id": "a", "parent_external_id": "1002"},  # its edit
        {"text": "Или в среду", "external_id": "b", "parent_external_id": "1002"},
        {"text": "Ау", "external_id": "c"},
        {"text": "", "external_id": "a", "state": SourceState.DELETED},
    ]
    before = count(database, Message)
    told = [first, *(chance.choice([first, *others]) for _ in range(12))]
    for update in told:
        given = dict(update)
        assert bot.say(given.pop("text"), **given) == []
    assert route(database, asked).answer == "Завтра."
    assert count(database, Message) == before
    with database.read.begin() as session:
        kinds = list(session.scalars(select(Delivery.kind).where(Delivery.kind.in_(("taken", "refused", "hint")))))
    assert kinds.count("taken") == 1
    assert kinds.count("refused") == ("Или в среду" in {one["text"] for one in told})
    assert kinds.count("hint") == ("Ау" in {one["text"] for one in told})


def test_a_removal_in_a_bound_dialogue_leaves_no_empty_row(bot, cast, database) -> None:
    """MAX tells of one without saying whose it was and that the chat is a private one."""
    gone = {"state": SourceState.DELETED, "author": None, "visibility": Visibility.PUBLIC}
    assert len(bot.say("", external_id="early", **gone)) == 1  # nobody's dialogue yet
    bot.bind()
    before = count(database, Message)
    assert bot.say("", external_id="1002", **gone) == []
    with database.write.begin() as session:
        unbind(session, cast.curator, cast.curator.staff_id, bot.platform)
    assert bot.say("", external_id="1003", **gone) == []
    assert count(database, Message) == before
