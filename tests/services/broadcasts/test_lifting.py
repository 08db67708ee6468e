"""A chat opens no cases: questions are lifted, five «нет звука» are one incident with one question to technical."""

import threading
import time
from datetime import timedelta

from sqlalchemy import func, select

from collectors.base import Incoming, Person
from models import (
    Broadcast,
    BroadcastIncident,
    BroadcastQuestion,
    Case,
    Clock,
    Label,
    Message,
    Notice,
    Route,
    Setting,
    Source,
    Tape,
    utc_now,
)
from services.broadcasts.airing import run_ends
from services.broadcasts.incidents import change_incident, report_trouble, rumours
from services.broadcasts.lifting import PATIENCE, run_lift
from services.broadcasts.stream import said_after
from services.broadcasts.troubles import trouble_of
from services.inbox import rest_page
from services.messages import store_messages
from tests.services.broadcasts.conftest import START
from tests.services.test_cases import Table


def test_talk_goes_by_and_a_question_is_lifted_with_its_second(air, database) -> None:
    question_id = air.ask("Когда будет запись?", second=754)
    air.say("спасибо за эфир")
    assert air.look() == 1
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 0
        found = session.scalars(select(BroadcastQuestion)).all()
        assert [(one.id, one.second, one.state) for one in found] == [(question_id, 754, "open")]
        assert set(session.scalars(select(Message.work))) == {"chat"}
        assert session.scalars(select(Label.label)).all() == ["question"]
        assert rest_page(session, air.cast.smm) == []


def test_two_who_write_at_once_are_seen_in_the_order_of_their_numbers(air, database) -> None:
    """A page that has seen a line asks only for higher numbers: a lower one must not appear after it."""
    first = threading.Thread(target=lambda: air.say("второе", "Борис"))
    with database.write.begin() as session:
        item = Incoming(
            "room-air", "slow", "первое", START, Person("p", "Анна"), None, "room-air", quiet=True
        )  # fmt: skip
        store_messages(session, air.source_id, "room", [item])
        first.start()
        time.sleep(0.4)
        with database.read.begin() as other:
            assert "второе" not in other.scalars(select(Message.text)).all()
    first.join()
    with database.read.begin() as session:
        lines = [line.text for line in said_after(session, air.cast.smm, air.id)]
    assert lines[-2:] == ["первое", "второе"]


def test_looking_twice_at_once_lifts_once(air, database) -> None:
    for number in range(30):
        air.say(f"Вопрос номер {number}?", f"Автор {number}")
    threads = [threading.Thread(target=run_lift, args=(database, Table())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert air.books().asked == 30


def test_without_a_classifier_plain_words_decide_after_a_while(air, database) -> None:
    air.say("подскажите про оплату")
    air.say("ого")
    assert run_lift(database, None) == 0
    assert run_lift(database, None, utc_now() + 2 * PATIENCE) > 0
    assert air.books().asked == 1


def test_a_comment_under_a_post_on_air_opens_no_case_and_after_it_does(air, database) -> None:
    """A VK post is read like any other; only while it is on air it is a chat."""
    air.say("А где ссылка?", quiet=False)
    air.look()
    with database.write.begin() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 0
        air_row = session.get_one(type(air.row()), air.id)
        air_row.state = "cancelled"
    air.say("А теперь где ссылка?", quiet=False)
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 1


def test_whoever_watches_and_whoever_speaks_hear_of_an_incident_once(air, database) -> None:
    with database.write.begin() as session:
        row = session.get_one(type(air.row()), air.id)
        row.staff_id, row.speaker_id = air.cast.smm.staff_id, air.cast.curator.staff_id
    for number in range(8):
        air.say("звука нет!!!", f"Зритель {number}", 60 + number)
        air.look()
    with database.read.begin() as session:
        told = session.scalars(select(Notice.staff_id).where(Notice.kind == "broadcast.incident"))
        assert set(told) == {air.cast.smm.staff_id, air.cast.curator.staff_id}
        assert session.scalar(select(func.count(Notice.id)).where(Notice.kind == "broadcast.incident")) == 2


def test_five_alike_within_the_window_are_one_incident_and_one_question(air, database) -> None:
    for number in range(4):
        air.say("звука нет!!!", f"Зритель {number}", 60 + number)
    air.look()
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(BroadcastIncident)) == 0
        assert rumours(session, air.row(), 70) == {"sound": 4}
    for number in range(4, 12):
        air.say("нет звука", f"Зритель {number}", 60 + number)
        air.look()
    with database.read.begin() as session:
        incident = session.scalars(select(BroadcastIncident)).one()
        assert (incident.kind, incident.count, incident.state) == ("sound", 12, "open")
        route = session.scalars(select(Route)).one()
        assert route.id == incident.route_id
        assert route.urgent
        assert "нет звука" in route.question
        assert session.scalar(select(func.count()).select_from(Case)) == 1
    assert air.books().asked == 0


def test_under_the_regulation_an_incident_has_a_quarter_of_an_hour(air, database) -> None:
    """domain.md §6.6, TECH0, and scenario 9: twelve «нет звука» are one technical case of priority 0."""
    with database.write.begin() as session:
        session.add(Setting(name="sla", value={"preset": "regulation"}))
        source = session.get_one(Source, air.source_id)
        source.created_at = source.backfilled_at = START - timedelta(days=1)
    air.say_all([("Звука нет!!!", f"Зритель {number}", number) for number in range(12)])
    air.look()
    with database.read.begin() as session:
        case = session.scalars(select(Case)).one()
        assert (case.kind, case.priority, case.number is not None) == ("technical", 0, True)
        clocks = {clock.kind: clock for clock in session.scalars(select(Clock).where(Clock.case_id == case.id))}
        for kind in ("first", "department"):
            one = clocks[kind]
            assert (one.sla_class, one.calendar, one.term_seconds) == ("TECH0", "duty", 900), kind


def test_five_beyond_the_window_or_of_one_person_are_none(air, database) -> None:
    for number in range(5):
        air.say("нет звука", f"Зритель {number}", 60 + number * 200)
    for number in range(6):
        air.say("нет картинки", "Один", 2000 + number)
    air.look()
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(BroadcastIncident)) == 0


def test_many_at_once_make_one_incident(air, database) -> None:
    for number in range(40):
        air.say("звук пропал", f"Зритель {number}", 100 + number)
    threads = [threading.Thread(target=run_lift, args=(database, Table())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read.begin() as session:
        assert session.scalars(select(BroadcastIncident.count)).all() == [40]
        assert session.scalar(select(func.count()).select_from(Route)) == 1


def test_a_fixed_incident_stays_fixed_and_the_same_words_later_begin_another(air, database) -> None:
    air.say_all([("нет звука", f"Зритель {number}", number) for number in range(5)])
    air.look()
    with database.write.begin() as session:
        incident_id = session.scalars(select(BroadcastIncident.id)).one()
        change_incident(session, air.cast.smm, incident_id, "fixed", "кабель")
    air.say_all([("нет звука", f"Зритель {number}", 700 + number) for number in range(5)])
    air.look()
    with database.read.begin() as session:
        states = session.execute(select(BroadcastIncident.state, BroadcastIncident.count)).all()
        assert sorted(states) == [("fixed", 5), ("open", 5)]


def test_a_person_need_not_wait_for_the_fifth(air, database) -> None:
    air.say("нет звука", second=5)
    air.look()
    with database.write.begin() as session:
        report_trouble(session, air.cast.smm, air.id, "sound")
        report_trouble(session, air.cast.smm, air.id, "sound")
    with database.read.begin() as session:
        assert session.scalars(select(BroadcastIncident.count)).all() == [1]
        assert session.scalar(select(func.count()).select_from(Route)) == 1


def test_words_of_trouble() -> None:
    for text in ("Звука нет!!!", "нет звука", "не слышно вас", "звук пропал", "а что со звуком? звук пропал"):
        assert trouble_of(text) == "sound", text
    assert trouble_of("чёрный экран") == "picture"
    assert trouble_of("Кнопка оплаты не работает") == "payment"
    assert trouble_of("ссылка не открывается") == "link"
    assert trouble_of("эфир завис") == "stream"
    assert trouble_of("тут всё лагает") == "stream"
    for text in (
        "звук есть",
        "теперь всё слышно",
        "звук отличный",
        "А когда следующий эфир?",
        "без звука не учу слова" * 9,
    ):
        assert trouble_of(text) is None, text


def test_a_chat_that_nobody_planned_has_a_broadcast_of_its_own(cast, database, air) -> None:
    air.say("Вы тут вообще живые?", container="room-b", publication=None, publication_external_id="room-b")
    air.look()
    with database.read.begin() as session:
        made = session.scalars(select(Broadcast).where(Broadcast.id != air.id)).one()
        assert (made.state, made.kind) == ("live", "stream")
        assert session.scalar(select(func.count()).select_from(Notice)) == 0
        assert session.scalar(select(func.count()).select_from(Tape)) == 0
    assert run_ends(database) == 0
