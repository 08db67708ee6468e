"""Reading live chats: once each, never sooner than allowed, within the day's units, one through drops."""

import threading
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from collectors.airing import Airing
from collectors.base import ChannelError
from models import Broadcast, BroadcastPlace, Message, RawItem, utc_now
from services.broadcasts import chats
from services.broadcasts.airing import GRACE, run_ends, take_airings
from services.broadcasts.chats import run_chats
from services.broadcasts.quota import for_collecting, make_plan
from services.leases import free_the_dead


def airing(video: str = "v1", state: str = "live", **given) -> Airing:
    told = {"title": "Эфир о глаголах", "publication": f"room-{video}", "url": f"https://youtu.be/{video}", **given}
    return Airing(
        video, told.pop("title"), state, told.pop("publication"), told.pop("url"), f"chat-{video}", **told
    )


@pytest.fixture
def source_id(cast, database) -> int:
    with database.write.begin() as session:
        return cast.add_source(session, "room", secret="").id


def take(database, source_id: int, *airings: Airing) -> None:
    with database.write.begin() as session:
        take_airings(session, source_id, "room", airings)


def place(database) -> BroadcastPlace:
    with database.read.begin() as session:
        return session.scalars(select(BroadcastPlace).order_by(BroadcastPlace.id.desc())).first()


def row(database) -> Broadcast:
    with database.read.begin() as session:
        return session.scalars(select(Broadcast)).one()


def due(database) -> None:
    with database.write.begin() as session:
        for one in session.scalars(select(BroadcastPlace).where(BroadcastPlace.due_at.is_not(None))):
            one.due_at = utc_now()


def test_what_the_platform_plans_comes_into_the_schedule_and_follows_it(database, source_id) -> None:
    at = utc_now() + timedelta(days=1)
    take(database, source_id, airing(state="planned", starts_at=at))
    take(database, source_id, airing(state="planned", starts_at=at + timedelta(hours=2)))
    found = row(database)
    assert (found.state, found.title) == ("planned", "Эфир о глаголах")
    assert found.starts_at == at + timedelta(hours=2)
    take(database, source_id, airing(viewers=40), airing(viewers=12))
    assert (row(database).state, row(database).viewers) == ("live", 40)


def test_a_link_that_a_person_entered_is_the_platforms_broadcast(cast, database, source_id) -> None:
    with database.write.begin() as session:
        planned = Broadcast(
            kind="stream",
            title="Наш эфир",
            state="planned",
            starts_at=utc_now(),
            ends_at=utc_now() + timedelta(hours=1),
        )
        session.add(planned)
        session.flush()
        session.add(
            BroadcastPlace(broadcast_id=planned.id, platform="youtube", url="https://www.youtube.com/watch?v=v1")
        )
    take(database, source_id, airing())
    assert row(database).title == "Наш эфир"
    assert place(database).publication == "room-v1"


def test_each_message_comes_once_and_the_pause_is_kept(database, source_id, tube, on_tube) -> None:
    take(database, source_id, airing())
    tube.said = [("1", "Анна", "привет"), ("2", "Борис", "Когда начало?")]
    tube.pause = 7.25
    assert run_chats(database, on_tube, "t") == 2
    asked = place(database)
    assert asked.due_at is not None
    assert asked.read_at is not None
    assert asked.due_at == asked.read_at + timedelta(seconds=7.25)
    assert run_chats(database, on_tube, "t") == 0
    assert len(tube.asked) == 1
    tube.said.append(("3", "Анна", "ясно"))
    due(database)
    assert run_chats(database, on_tube, "t") == 1
    assert tube.asked[-1][1] == {"token": 2}
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 3
        assert set(session.scalars(select(RawItem.state))) == {"parsed"}


def test_two_readers_at_once_ask_once(database, source_id, tube, on_tube) -> None:
    take(database, source_id, airing())
    threads = [threading.Thread(target=run_chats, args=(database, on_tube, f"t{n}")) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tube.asked) == 1


def test_a_reader_that_died_between_two_steps_loses_and_doubles_nothing(
    database, source_id, tube, on_tube, monkeypatch
) -> None:
    take(database, source_id, airing())
    tube.said = [(str(n), "Анна", f"слово {n}") for n in range(10)]

    class Killed(BaseException):
        pass

    def die(*_given) -> None:
        raise Killed

    monkeypatch.setattr(chats, "_understand", die)
    with pytest.raises(Killed):
        run_chats(database, on_tube, "host:1")
    monkeypatch.undo()
    assert run_chats(database, on_tube, "host:2") == 0  # its lease is still held
    with database.write.begin() as session:
        free_the_dead(session, lambda holder: holder.startswith("host:1:"))
    assert run_chats(database, on_tube, "host:2") == 10
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 10


def test_a_message_that_cannot_be_understood_does_not_stop_the_chat(
    database, source_id, tube, on_tube, monkeypatch
) -> None:
    take(database, source_id, airing())
    tube.said = [("1", "Анна", "привет"), ("2", "Борис", "яд"), ("3", "Вера", "пока")]
    parse = tube.parse

    def picky(raw):
        if "яд" in raw.body.decode():
            raise ValueError("no")
        return parse(raw)

    tube.parse = picky
    run_chats(database, on_tube, "t")
    with database.read.begin() as session:
        assert set(session.scalars(select(Message.text))) == {"привет", "пока"}
        assert sorted(session.scalars(select(RawItem.state))) == ["parsed", "parsed", "quarantined"]


def test_a_database_that_went_away_leaves_no_chat_unread(database, source_id, tube, on_tube, trouble) -> None:
    if database.is_sqlite:
        pytest.skip("a file does not go away")
    take(database, source_id, airing())
    tube.said = [("1", "Анна", "привет")]
    trouble("UPDATE broadcast_place SET cursor", "57P01", 2)
    assert run_chats(database, on_tube, "t") == 1
    assert (place(database).lease_holder, place(database).failures) == (None, 0)
    with database.read.begin() as session:
        assert session.scalars(select(Message.text)).all() == ["привет"]


def test_trouble_waits_as_the_platform_says(database, source_id, tube, on_tube) -> None:
    take(database, source_id, airing())
    tube.trouble = ChannelError("slow down", code="quota", retry_after=3600)
    run_chats(database, on_tube, "t")
    found = place(database)
    assert found.error_code == "quota"
    assert str(found.due_at) > str(utc_now() + timedelta(minutes=59))
    tube.trouble = None
    due(database)
    run_chats(database, on_tube, "t")
    assert place(database).error_code is None


def test_a_chat_that_failed_is_asked_again_at_its_own_pause_and_seldom_when_it_is_away_for_long(
    database, source_id, tube, on_tube, monkeypatch
) -> None:
    take(database, source_id, airing())
    tube.pause, tube.limit = 1.5, 100_000
    run_chats(database, on_tube, "t")
    tube.trouble = ChannelError("away", code="network")

    def fail_again() -> float:
        due(database)
        before = utc_now()
        run_chats(database, on_tube, "t")
        found = place(database).due_at
        assert found is not None
        return (found - before).total_seconds()

    assert [1.5 <= fail_again() < 2.5 for _ in range(4)] == [True] * 4
    monkeypatch.setattr(chats, "PATIENT", 4)
    assert fail_again() >= 5
    with database.write.begin() as session:  # never sooner than the units of the day bear
        session.scalars(select(Broadcast)).one().plan = {"pause": 30.0}
    monkeypatch.undo()
    assert fail_again() >= 30


def test_a_chat_that_is_due_in_a_moment_is_read_then_and_not_before(database, source_id, tube, on_tube) -> None:
    take(database, source_id, airing())
    at = utc_now() + timedelta(seconds=0.4)
    with database.write.begin() as session:
        session.scalars(select(BroadcastPlace)).one().due_at = at
    tube.said, told = [("1", "Анна", "привет")], []
    assert run_chats(database, on_tube, "t", lambda: told.append(1)) == 1
    assert str(place(database).read_at) >= str(at)
    assert (len(tube.asked), told) == (1, [1])
    with database.write.begin() as session:
        session.scalars(select(BroadcastPlace)).one().due_at = utc_now() + timedelta(seconds=3)
    assert run_chats(database, on_tube, "t") == 0


def test_a_stream_that_drops_and_comes_back_is_one_broadcast(database, source_id, tube, on_tube) -> None:
    take(database, source_id, airing())
    tube.said = [("1", "Анна", "привет")]
    tube.ended = True
    run_chats(database, on_tube, "t")
    assert place(database).due_at is None
    run_ends(database)
    assert row(database).state == "live"  # a drop is no end
    tube.ended = False
    take(database, source_id, airing())  # the same address again
    assert place(database).due_at is not None
    take(database, source_id, airing(state="over", ended_at=utc_now()))
    take(database, source_id, airing("v2"))  # and a new one of the same name
    found = row(database)
    assert (found.state, found.drops) == ("live", 2)
    assert place(database).publication == "room-v2"
    with database.write.begin() as session:
        for one in session.scalars(select(BroadcastPlace)):
            one.ended_at, one.due_at = utc_now() - 2 * GRACE, None
    run_ends(database)
    assert row(database).state == "ended"
    take(database, source_id, airing("v2"))  # back within the half hour
    assert (row(database).state, row(database).drops) == ("live", 3)


@given(
    left=st.integers(0, 10_000),
    seconds=st.floats(1, 6 * 3600),
    demanded=st.floats(0.5, 30),
    places=st.integers(1, 3),
)
def test_the_pause_is_never_shorter_than_demanded_and_the_units_last(left, seconds, demanded, places) -> None:
    plan = make_plan(
        left=left, spent=0, limit=10_000, cost=5, seconds=seconds, chats=places, demanded=demanded
    )  # fmt: skip
    assert plan.pause >= demanded - 0.001
    assert plan.needs <= left + 5 * places or plan.short
    assert plan.short == (left < 5)


@settings(deadline=None)
@given(
    hours=st.floats(0.5, 4), demanded=st.floats(1, 12), start=st.integers(0, 4000), limit=st.integers(2000, 10_000)
)
def test_a_whole_broadcast_stays_within_the_units_and_its_plan(hours, demanded, start, limit) -> None:
    """The first plan is right within 5 % about what the broadcast will have taken at its planned end."""
    reserve, spent, now, end = 2000, start, 0.0, hours * 3600
    left = max(0, limit - reserve - spent - for_collecting(8 * 3600, 120))
    first = make_plan(left=left, spent=spent, limit=limit, cost=5, seconds=end, chats=1, demanded=demanded)
    if first.short or first.needs < 200:
        return
    taken = 0
    while now < end:
        taken += 5
        rest = max(0, left - taken)
        plan = make_plan(left=rest, spent=spent, limit=limit, cost=5, seconds=end - now, chats=1, demanded=demanded)
        now += plan.pause
    assert taken <= left
    assert abs(taken - first.needs) <= 0.05 * first.needs + 5
