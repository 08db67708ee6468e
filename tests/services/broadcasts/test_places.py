"""Which broadcast a chat belongs to: by link, by the room's name, by title and time; and never to two."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from collectors.airing import Airing
from collectors.base import Incoming, Person, Publication
from models import Broadcast, BroadcastPlace, Case, Message, Source, utc_now
from services.broadcasts.airing import switch, take_airings
from services.broadcasts.figures import hand_in
from services.broadcasts.lifting import run_lift
from services.broadcasts.places import addresses_of, publications_of
from services.broadcasts.schedule import Plan, plan_broadcast
from services.broadcasts.stream import books_of
from services.broadcasts.wrapping import run_wraps
from services.messages import store_messages
from tests.services.test_cases import Table


def plan(database, cast, title: str = "Вебинар о датах", starts=timedelta(), links=()) -> int:
    at = utc_now() + starts
    with database.write.begin() as session:
        given = Plan("webinar", title, at, at + timedelta(hours=1), "Ольга", None, links)
        return plan_broadcast(session, cast.smm, given).id


def source(database, cast, platform: str) -> int:
    with database.write.begin() as session:
        return cast.add_source(session, platform).id


def say(
    database, source_id: int, platform: str, place: str, title: str, text: str = "Когда запись?", **given
) -> None:
    about = Publication(place, "broadcast", title, **given)
    item = Incoming(
        container=place, external_id=f"m-{place}-{text}", text=text, published_at=utc_now(),
        author=Person("p1", "Анна Яр"), publication=about, publication_external_id=place,
        quiet=platform == "room",
    )  # fmt: skip
    with database.write.begin() as session:
        store_messages(session, source_id, platform, [item])
    run_lift(database, Table())


def rows(database) -> list[Broadcast]:
    with database.read.begin() as session:
        return list(session.scalars(select(Broadcast).order_by(Broadcast.id)))


@pytest.fixture
def room(cast, database) -> int:
    with database.write.begin() as session:
        return cast.add_source(session, "room", secret="").id


def test_a_room_named_by_a_planned_link_speaks_in_that_broadcast(cast, database, room) -> None:
    one = plan(database, cast, links=("https://start.rooms.example/room/12345/demo-25",))
    say(database, room, "room", "room-demo-25", "Как-то иначе названо")
    assert [(row.id, row.state) for row in rows(database)] == [(one, "live")]
    with database.read.begin() as session:
        place = session.scalars(select(BroadcastPlace)).one()
        assert (place.source_id, place.publication, place.platform) == (room, "room-demo-25", "room")
        assert len(publications_of(session, one)) == 1


def test_a_room_of_the_same_title_and_time_too_and_any_other_has_its_own(cast, database, room) -> None:
    one = plan(database, cast, starts=timedelta(minutes=10))
    later = plan(database, cast, starts=timedelta(days=7))
    say(database, room, "room", "room-a", "вебинар о датах!")
    say(database, room, "room", "room-b", "Вебинар о датах")  # a second room of that title is another one
    say(database, room, "room", "room-demo-2", "Вебинар о числах")
    found = {row.id: (row.title, row.state) for row in rows(database)}
    assert found.pop(one) == ("Вебинар о датах", "live")
    assert found.pop(later) == ("Вебинар о датах", "planned")
    assert sorted(found.values()) == [("Вебинар о датах", "live"), ("Вебинар о числах", "live")]


def test_a_name_within_another_word_is_not_the_room(cast, database, room) -> None:
    plan(database, cast, links=("https://rooms.example/demo-251",))
    say(database, room, "room", "room-demo-25", "Другой вебинар")
    assert len(rows(database)) == 2


def test_what_youtube_plans_too_is_not_planned_twice(cast, database, room) -> None:
    one = plan(database, cast, starts=timedelta(hours=3))
    at = rows(database)[0].starts_at + timedelta(minutes=5)
    airing = Airing("v1", "Вебинар о датах", "planned", "room-v1", "https://youtu.be/v1", "chat", at)
    with database.write.begin() as session:
        assert take_airings(session, room, "youtube", [airing]) == 1
        take_airings(session, room, "youtube", [airing])
    assert [(row.id, row.starts_at < at) for row in rows(database)] == [(one, True)]  # a person's word stands


@pytest.mark.parametrize(
    "link",
    [
        "https://vk.com/wall-1_22", "https://m.vk.com/wall-1_22?reply=3", "https://vk.ru/school?w=wall-1_22%2Fall",
        "https://vk.com/school?w=wall-1_22",
    ],
)  # fmt: skip
def test_the_first_comment_under_a_vk_post_on_air_is_chat_however_its_link_was_copied(cast, database, link) -> None:
    vk = source(database, cast, "vk")
    one = plan(database, cast, links=(link,))
    with database.write.begin() as session:
        session.get_one(Broadcast, one).state = "live"
    say(database, vk, "vk", "wall-1_22", "Пост об эфире", url="https://vk.com/wall-1_22")
    with database.read.begin() as session:
        message = session.scalars(select(Message)).one()
        assert (message.work, message.case_id) == ("chat", None)
        assert session.get_one(Source, vk).platform == "vk"


def test_a_telegram_post_is_found_however_its_link_was_copied() -> None:
    for link in ("https://t.me/school/12", "https://t.me/s/school/12?single", "https://telegram.me/school/12/"):
        assert "https://t.me/school/12" in addresses_of(link)
    assert addresses_of("https://example.com/?p=7") == ["https://example.com/?p=7"]
    assert "https://example.com/lesson" in addresses_of("https://example.com/lesson?utm_source=vk")


def finish(database, cast, broadcast_id: int) -> None:
    with database.write.begin() as session:
        switch(session, cast.smm, broadcast_id, "ended")


def test_what_a_person_ended_only_a_person_puts_on_air_again(cast, database, room) -> None:
    live = Airing("v1", "Эфир", "live", "room-v1", "https://youtu.be/v1", "chat")
    with database.write.begin() as session:
        take_airings(session, room, "youtube", [live])
    one = rows(database)[0].id
    finish(database, cast, one)
    with database.write.begin() as session:
        take_airings(session, room, "youtube", [live])  # the stream runs on with music
    say(database, room, "room", "room-v1", "Эфир", "А запись будет?")
    assert [(row.state, row.drops) for row in rows(database)] == [("ended", 0)]
    run_wraps(database)
    with database.write.begin() as session:
        books = books_of(session, one)
        assert (books.asked, books.ends["carried"], books.balanced) == (1, 1, True)
        switch(session, cast.smm, one, "live")
        take_airings(session, room, "youtube", [live])
    assert [(row.state, row.ended_by_id) for row in rows(database)] == [("live", None)]


def test_what_is_asked_after_the_report_becomes_work_at_once_and_the_report_stays(cast, database, room) -> None:
    say(database, room, "room", "room-a", "Эфир")
    one = rows(database)[0].id
    finish(database, cast, one)
    run_wraps(database)
    with database.write.begin() as session:
        hand_in(session, cast.smm, one, "", None, session.get_one(Broadcast, one).version)
    say(database, room, "room", "room-a", "Эфир", "А где запись?")
    say(database, room, "room", "room-a", "Эфир", "спасибо")
    with database.read.begin() as session:
        assert books_of(session, one).asked == 1
        late = session.scalars(select(Message).where(Message.text == "А где запись?")).one()
        assert session.get_one(Case, late.case_id).number is not None
        assert session.scalars(select(Message.case_id).where(Message.text == "спасибо")).one() is None
    assert [row.state for row in rows(database)] == ["reported"]


def test_the_same_room_next_week_is_another_broadcast_and_over_midnight_the_same(cast, database, room) -> None:
    say(database, room, "room", "room-demo.2026-11-25", "Вебинар")
    say(database, room, "room", "room-demo.2026-11-26", "Вебинар", "Ещё вопрос?")
    say(database, room, "room", "room-demo-2.2026-11-26", "Другой", "И тут?")
    assert [row.title for row in rows(database)] == ["Вебинар", "Другой"]
    with database.write.begin() as session:
        assert books_of(session, rows(database)[0].id).asked == 2
        for row in session.scalars(select(Broadcast)):
            row.state, row.ended_at = "review", utc_now() - timedelta(days=7)
    next_week = plan(database, cast, "Следующий вебинар", links=("https://rooms.example/demo",))
    say(database, room, "room", "room-demo.2026-12-02", "Вебинар", "А это новый?")
    with database.read.begin() as session:
        assert books_of(session, next_week).asked == 1
    assert [row.state for row in rows(database)] == ["review", "review", "live"]
