"""The desk's own letters: gathered, written when sent, sent once, tried again, and nothing of them kept."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from collectors.base import ChannelError, Sent
from models import Delivery, Route, Source, Staff, utc_now
from services.accounts import create_staff, set_active
from services.deliveries import PAUSES, post_of, send_again
from services.errors import Forbidden, Refused
from services.rights import DESK, actor_of
from services.routing import answer_route, open_route, pass_on, recall_route, return_route
from tests.conftest import NOON

# A Wednesday: 11:00 in Moscow.
MORNING = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


def later(database, **given) -> None:
    with database.write.begin() as session:
        for row in session.scalars(select(Delivery).where(Delivery.state == "queued")):
            row.due_at = utc_now() - timedelta(seconds=1)


def state_of(database) -> list[str]:
    with database.read.begin() as session:
        return [row.state for row in session.scalars(select(Delivery).order_by(Delivery.id))]


def test_questions_wait_for_the_answering_hour_and_come_as_one_letter(ask, database, send, box) -> None:
    with time_machine.travel(MORNING, tick=False):
        first, second = ask("Первый вопрос?"), ask("Второй вопрос?")
        assert send() == 0
    with time_machine.travel(MORNING + timedelta(hours=6), tick=False):  # 17:00 in Moscow
        assert send() == 1
        assert send() == 0
    (to, subject, text, _token) = box.letters[0]
    assert to == "curator@school.example"
    assert subject == "Вопросы для вас: 2"
    assert "1. Первый вопрос?" in text
    assert "2. Второй вопрос?" in text
    assert first < second


def test_an_urgent_one_comes_at_once_and_takes_the_others_along(ask, database, send, box) -> None:
    with time_machine.travel(MORNING, tick=False):
        ask("Обычный?")
        ask("Срочный?", urgent=True)
        assert send() == 1
    assert "Срочно." in box.letters[0][2]
    assert "Обычный?" in box.letters[0][2]


def test_the_letter_says_why_what_and_by_when_and_nothing_of_the_author(cast, ask, database, send, box) -> None:
    with database.write.begin() as session:
        # What was there before the place was added has no deadlines.
        session.get_one(Source, cast.source_id).backfilled_at = NOON - timedelta(days=1)
    ask("Анна спрашивает о домашке, её почта anna@home.example", urgent=True)
    send()
    text = box.letters[0][2]
    for words in ("Вы отвечаете за отдел «Кураторы»", "Спрашивает Дарья", "Ответить до:", "Как выучить сто слов",
                  "ответьте на это письмо", "https://desk.example/a/"):  # fmt: skip
        assert words in text, words
    for words in ("912 345", "anna@home.example", "Анна Яр"):
        assert words not in text, words


def test_without_an_address_of_its_own_the_desk_asks_for_a_reply(ask, database, send, box) -> None:
    ask(urgent=True)
    send(url=None)
    assert "http" not in box.letters[0][2]
    assert "ответьте на это письмо" in box.letters[0][2]


def test_where_replies_are_not_read_the_letter_does_not_ask_for_one(ask, database, send, box) -> None:
    box.replies = False
    ask(urgent=True)
    send()
    assert "ответьте на это письмо" not in box.letters[0][2]
    assert "/a/" in box.letters[0][2]


def test_what_was_answered_or_taken_back_meanwhile_is_not_told(cast, ask, database, send, box) -> None:
    answered, recalled = ask(), ask()
    with database.write.begin() as session:
        answer_route(session, cast.curator, answered, "Завтра.")
        recall_route(session, cast.smm, recalled)
    later(database)
    send()
    assert box.letters == []
    assert state_of(database) == ["cancelled"]


def test_a_question_to_one_person_is_told_to_that_person(cast, ask, database, send, box) -> None:
    with database.write.begin() as session:
        other = create_staff(session, DESK, email="nina@school.example", name="Нина", roles=("manager",),
                             department="curators")  # fmt: skip
        other_id = other.id
    route_id = ask(urgent=True, staff_id=other_id)
    send()
    assert [letter[0] for letter in box.letters] == ["nina@school.example"]
    with database.write.begin() as session:
        nina = session.get_one(Staff, other_id)
        pass_on(session, actor_of(nina), route_id, cast.curator.staff_id)
    send()
    assert [letter[0] for letter in box.letters] == ["nina@school.example", "curator@school.example"]


def test_a_department_without_people_has_the_head(ask, database, send, box) -> None:
    ask(unit="marketing", urgent=True)
    send()
    assert [letter[0] for letter in box.letters] == ["head@school.example"]
    assert "/a/" not in box.letters[0][2]  # the head comes in by the door
    assert "https://desk.example/questions/" in box.letters[0][2]


def test_a_question_returned_is_told_anew(cast, ask, database, send, box) -> None:
    route_id = ask(urgent=True)
    send()
    with database.write.begin() as session:
        open_route(session, cast.curator, route_id)
        answer_route(session, cast.curator, route_id, "Да.")
        return_route(session, cast.smm, route_id, "Когда именно?")
    later(database)
    send()
    assert "Вернули на доработку: Когда именно?" in box.letters[1][2]


def test_a_failure_is_tried_again_and_dies_at_last(cast, ask, database, send, box) -> None:
    ask(urgent=True)
    box.fail = ChannelError("no", code="network", sent=Sent.UNKNOWN)
    tokens = set()
    for _ in range(len(PAUSES) + 1):
        later(database)
        send()
        with database.read.begin() as session:
            tokens.add(session.scalars(select(Delivery)).one().token)
    assert state_of(database) == ["dead"]
    assert len(tokens) == 1
    with database.write.begin() as session:
        row = session.scalars(select(Delivery)).one()
        with pytest.raises(Forbidden):
            send_again(session, cast.smm, row.id)
        assert post_of(session, cast.head).dead == 1
        send_again(session, cast.head, row.id)
    box.fail = None
    send()
    assert len(box.letters) == 1
    assert state_of(database) == ["sent"]


def test_an_address_that_is_gone_is_told_once(ask, database, send, box) -> None:
    ask(urgent=True)
    box.fail = ChannelError("no such user", code="gone", permanent=True)
    send()
    assert state_of(database) == ["dead"]


def test_without_a_mailbox_letters_wait(ask, database, send, box) -> None:
    ask(urgent=True)
    send(mailer=None)
    with database.read.begin() as session:
        row = session.scalars(select(Delivery)).one()
        assert (row.state, row.error_code, row.attempts) == ("queued", "unset", 0)
    later(database)
    send()
    assert len(box.letters) == 1


def test_a_sender_that_died_leaves_the_letter_to_the_next(ask, database, send, box) -> None:
    ask(urgent=True)
    with database.write.begin() as session:
        row = session.scalars(select(Delivery)).one()
        row.state, row.lease_until = "sending", utc_now() + timedelta(minutes=5)
    assert send() == 0
    with database.write.begin() as session:
        session.scalars(select(Delivery)).one().lease_until = utc_now() - timedelta(seconds=1)
    assert send() == 1
    assert len(box.letters) == 1


def test_a_letter_that_may_have_left_keeps_its_numbers(cast, ask, database, send, box) -> None:
    first, second, third = ask("Первый?"), ask("Второй?"), ask("Третий?")
    box.fail = ChannelError("the connection broke", code="network", sent=Sent.UNKNOWN)
    later(database)
    send()
    box.fail = None
    with database.write.begin() as session:
        answer_route(session, cast.curator, first, "Да")
    later(database)
    send()
    [letter] = [one[2] for one in box.letters]
    assert "Первый?" not in letter
    assert "2. Второй?" in letter
    assert "3. Третий?" in letter
    with database.read.begin() as session:
        rows = session.scalars(select(Delivery).where(Delivery.kind == "questions")).all()
        assert [row.data["routes"] for row in rows] == [[first, second, third]]


def test_a_letter_that_cannot_be_written_holds_up_no_other(ask, database, send, box, caplog) -> None:
    ask("Первый?", urgent=True)
    ask("Второй?", "technical", urgent=True)
    with database.write.begin() as session:
        row = session.scalars(select(Delivery).order_by(Delivery.id)).first()
        row.data = {"routes": "broken"}
    send()
    with database.read.begin() as session:
        rows = session.scalars(select(Delivery).order_by(Delivery.id)).all()
        assert [(row.state, row.error_code, row.attempts) for row in rows[:2]] == [
            ("queued", "unwritten", 1), ("sent", None, 1),
        ]  # fmt: skip


def test_rows_keep_neither_words_nor_codes(ask, database, send, box) -> None:
    ask("Тайное слово", urgent=True)
    send()
    code = re.findall(r"/a/([\w-]{32})", box.letters[0][2])[0]
    with database.read.begin() as session:
        row = session.scalars(select(Delivery)).one()
        kept = str({name: getattr(row, name) for name in Delivery.__table__.columns.keys()})  # noqa: SIM118
    assert "Тайное" not in kept
    assert code not in kept


def test_whoever_left_is_written_to_no_more(cast, ask, database, send, box) -> None:
    ask(urgent=True)
    with database.write.begin() as session:
        set_active(session, cast.head, cast.curator.staff_id, False)
    send()
    assert box.letters == []


def test_a_colleague_only_of_the_same_department(cast, ask, database) -> None:
    route_id = ask()
    with database.write.begin() as session:
        with pytest.raises(Refused):
            pass_on(session, cast.curator, route_id, cast.tech.staff_id)
        assert session.get_one(Route, route_id).staff_id is None
