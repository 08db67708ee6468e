"""The schedule: states, the watcher's notice, the check-list, links, the calendar's feed; recordings that play."""

import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar
from sqlalchemy import func, select

from models import Broadcast, BroadcastPlace, BroadcastQuestion, Message, Notice, Staff, Tape, Task, utc_now
from services.broadcasts import schedule, tapes
from services.broadcasts.feed import calendar_of, feed_token, person_of
from services.broadcasts.figures import hand_in
from services.broadcasts.lifting import run_lift
from services.broadcasts.places import platform_of, resolve, video_of
from services.broadcasts.recordings import read_recording
from services.broadcasts.schedule import Plan, run_notices
from services.broadcasts.stream import books_of, read_second, second_now
from services.broadcasts.wrapping import report_due, run_wraps
from services.errors import Forbidden, NotFound, Refused
from services.notices import notices_of
from services.rights import DESK
from tests.services.broadcasts.conftest import START
from tests.services.test_cases import Table


def plan(database, cast, **given) -> int:
    values = {
        "kind": "webinar",
        "title": "Вебинар о датах",
        "starts_at": START,
        "ends_at": START + timedelta(hours=1),
    }
    with database.write.begin() as session:
        return schedule.plan_broadcast(session, cast.smm, Plan(**{**values, **given})).id


def get(database, broadcast_id: int) -> Broadcast:
    with database.read.begin() as session:
        return session.get_one(Broadcast, broadcast_id)


def test_a_plan_is_made_changed_moved_and_cancelled(cast, database) -> None:
    one = plan(database, cast, staff_id=cast.smm.staff_id, links=("https://www.youtube.com/watch?v=v1",))
    assert get(database, one).state == "duty"
    with database.write.begin() as session:
        moved = schedule.move_broadcast(session, cast.smm, one, START + timedelta(days=1), "спикер болен").id
    assert (get(database, one).state, get(database, one).moved_to_id) == ("moved", moved)
    assert (get(database, moved).state, get(database, moved).ends_at) == (
        "duty",
        START + timedelta(days=1, hours=1),
    )
    with database.write.begin() as session:
        assert session.scalars(select(BroadcastPlace.broadcast_id)).all() == [moved]
        schedule.cancel_broadcast(session, cast.smm, moved, "нет студии")
    with pytest.raises(Refused), database.write.begin() as session:
        schedule.cancel_broadcast(session, cast.smm, one, "ещё раз")
    with database.write.begin() as session:
        schedule.restore_broadcast(session, cast.smm, moved)
    assert get(database, moved).state == "duty"


def test_who_may_plan_and_what_is_refused(cast, database) -> None:
    with pytest.raises(Forbidden), database.write.begin() as session:
        schedule.plan_broadcast(session, cast.curator, Plan("stream", "Эфир", START, START + timedelta(hours=1)))
    for wrong in (
        {"title": " "}, {"kind": "party"}, {"ends_at": START}, {"links": ("javascript:alert(1)",)},
        {"staff_id": cast.curator.staff_id},
    ):  # fmt: skip
        with pytest.raises(Refused):
            plan(database, cast, **wrong)


def test_the_watcher_is_told_once_a_quarter_of_an_hour_before(cast, database) -> None:
    plan(database, cast, staff_id=cast.smm.staff_id)
    assert run_notices(database, START - timedelta(minutes=16)) == 0
    assert run_notices(database, START - timedelta(minutes=15)) == 1
    assert run_notices(database, START - timedelta(minutes=1)) == 0
    with database.read.begin() as session:
        assert session.scalars(select(Notice.staff_id)).all() == [cast.smm.staff_id]
        lines = notices_of(session, cast.smm, START)
        assert [(line.notice.kind, line.text) for line in lines] == [("broadcast.soon", "Вебинар о датах")]
        assert notices_of(session, cast.head, START) == []


def test_of_a_broadcast_without_a_watcher_all_who_may_are_told(cast, database) -> None:
    plan(database, cast)
    run_notices(database, START - timedelta(minutes=10))
    with database.read.begin() as session:
        assert set(session.scalars(select(Notice.staff_id))) == {cast.smm.staff_id, cast.head.staff_id}


def test_a_speaker_of_the_school_is_told_too_and_a_guest_is_only_a_name(cast, database) -> None:
    one = plan(database, cast, staff_id=cast.smm.staff_id, speaker=" Олег Сомов ")
    plan(database, cast, staff_id=cast.smm.staff_id, speaker="Гость из Перми")
    assert run_notices(database, START - timedelta(minutes=5)) == 2
    with database.read.begin() as session:
        told = select(Notice.staff_id).order_by(Notice.staff_id)
        assert list(session.scalars(told)) == sorted([cast.smm.staff_id] * 2 + [cast.curator.staff_id])
        assert [line.text for line in notices_of(session, cast.curator, START)] == ["Вебинар о датах"]
        names = schedule.speakers(session)
        assert {"Олег Сомов", "Гость из Перми"} <= set(names)
        assert len(names) == len(set(names))
    with database.write.begin() as session:
        there = schedule.get_broadcast(session, cast.smm, one)
        changed = Plan("stream", there.title, there.starts_at, there.ends_at, "Гость", there.staff_id)
        assert schedule.change_broadcast(session, cast.smm, one, changed, there.version).speaker_id is None


def test_the_check_list_keeps_the_last_word(cast, database) -> None:
    one = plan(database, cast)
    with database.write.begin() as session:
        schedule.tick(session, cast.smm, one, "sound", False)
        schedule.tick(session, cast.head, one, "sound", True)
        found = schedule.checks_of(session, one)
        assert [(code, check.passed, check.staff_id) for code, check in found.items()] == [
            ("sound", True, cast.head.staff_id)
        ]
        with pytest.raises(Refused):
            schedule.tick(session, cast.smm, one, "weather", True)


def test_links_lead_to_places(cast, database) -> None:
    assert platform_of("https://vk.com/wall-1_2") == "vk"
    assert platform_of("https://example.com/live") == "link"
    for link in (
        "https://youtu.be/v9",
        "https://www.youtube.com/live/v9?a=1",
        "https://www.youtube.com/watch?v=v9",
    ):
        assert video_of(link) == "v9"
    one = plan(database, cast, links=("https://blog.example/17",))
    cast.write("До эфира")  # its publication is met now
    with database.write.begin() as session:
        place = session.scalars(select(BroadcastPlace)).one()
        assert place.broadcast_id == one
        assert resolve(session, place)
        assert (place.source_id, place.publication) == (cast.source_id, "17")


def test_the_feed_is_an_icalendar_of_ones_own_and_ends_with_the_sessions(cast, database) -> None:
    one = plan(database, cast, links=("https://youtu.be/v9",), speaker="Ольга")
    gone = plan(database, cast, title="Отменённый")
    with database.write.begin() as session:
        schedule.cancel_broadcast(session, cast.smm, gone, "нет студии")
        staff = session.get_one(Staff, cast.smm.staff_id)
        token = feed_token(b"k", staff)
        assert person_of(session, b"k", token).staff_id == staff.id
        content = calendar_of(session, "https://desk.example/", "Эфиры", START)
        staff.session_key = "another"
        with pytest.raises(NotFound):
            person_of(session, b"k", token)
        with pytest.raises(NotFound):
            person_of(session, b"k", "1-" + "0" * 32)
    events = {str(event["uid"]): event for event in Calendar.from_ical(content).walk("VEVENT")}
    first = events[f"broadcast-{one}@otklik"]
    assert first.decoded("dtstart") == START
    assert str(first["location"]) == "https://youtu.be/v9"
    assert str(first["status"]) == "CONFIRMED"
    assert str(events[f"broadcast-{gone}@otklik"]["status"]) == "CANCELLED"


YOUTUBE = b"""{"items": [
 {"id": "b", "snippet": {"publishedAt": "2026-11-25T16:01:00Z", "displayMessage": "when?"},
  "authorDetails": {"displayName": "@anna"}},
 {"id": "a", "snippet": {"publishedAt": "2026-11-25T16:00:00+00:00", "displayMessage": "hi"}}]}"""
TEXT = "00:00:05 Анна: Всем привет\nи ещё строка\n[01:02] Борис: А запись будет?\n1:00:00 - без имени\n".encode()
TABLE = "Время;Автор;Сообщение;Площадка\n0:05;Анна;Привет;vk\n1:02;Борис;А запись будет?;telegram\n".encode()


def test_three_forms_of_recordings() -> None:
    form, lines = read_recording("chat.json", YOUTUBE)
    assert (form, [(one.second, one.text, one.key) for one in lines]) == (
        "youtube", [(0, "hi", "a"), (60, "when?", "b")]
    )  # fmt: skip
    form, lines = read_recording("chat.txt", TEXT)
    assert (form, [(one.second, one.author, one.text) for one in lines]) == (
        "text",
        [(5, "Анна", "Всем привет\nи ещё строка"), (62, "Борис", "А запись будет?"), (3600, "", "без имени")],
    )
    form, lines = read_recording("chat.csv", TABLE)
    assert [(one.second, one.author, one.platform) for one in lines] == [
        (5, "Анна", "vk"),
        (62, "Борис", "telegram"),
    ]
    assert read_recording("chat.csv", TABLE.decode().encode("cp1251"))[1] == lines


@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)),
    st.sampled_from(["a.csv", "a.json", "a"]),
)
def test_what_is_no_recording_is_refused_with_a_word(content: bytes, name: str) -> None:
    with contextlib.suppress(Refused):  # nothing else may come out of it
        form, lines = read_recording(name, content)
        assert form in ("youtube", "csv", "text")
        assert len({line.key for line in lines}) == len(lines)


def test_a_recording_plays_at_its_speed_and_doubles_nothing(cast, database) -> None:
    one = plan(database, cast)
    lines = "".join(f"0:{n // 60:02}:{n % 60:02} Автор {n % 7}: Вопрос {n}?\n" for n in range(0, 600, 10)).encode()
    with database.write.begin() as session:
        tape_id = tapes.add_tape(session, cast.smm, one, "chat.txt", lines).id
        tapes.play(session, cast.smm, tape_id, 60)
        tape = session.get_one(Tape, tape_id)
        begins = tape.clock_at
    assert get(database, one).state == "live"
    assert tapes.run_tapes(database, begins + timedelta(seconds=5)) == 31
    assert tapes.run_tapes(database, begins + timedelta(seconds=5)) == 0
    with database.write.begin() as session:
        assert second_now(session, session.get_one(Broadcast, one), begins + timedelta(seconds=5)) == 300
        tape = session.get_one(Tape, tape_id)
        tape.clock_at = utc_now() - timedelta(seconds=5)
        tapes.pause(session, cast.smm, tape_id)
    assert tapes.run_tapes(database, begins + timedelta(hours=1)) == 0
    with database.write.begin() as session:
        tapes.play(session, cast.smm, tape_id, 0)
    assert tapes.run_tapes(database) == 29
    run_lift(database, Table())
    with database.read.begin() as session:
        assert session.get_one(Tape, tape_id).state == "done"
        assert session.scalar(select(func.count()).select_from(Message)) == 60
        assert session.scalars(select(BroadcastQuestion.second).order_by(BroadcastQuestion.id)).all() == list(
            range(0, 600, 10)
        )
    with database.write.begin() as session:  # the same file again
        again = tapes.add_tape(session, cast.smm, one, "chat.txt", lines).id
        tapes.play(session, cast.smm, again, 0)
    tapes.run_tapes(database)
    with database.read.begin() as session:
        assert books_of(session, one).messages == 60


def test_the_report_is_due_on_the_next_working_day_at_noon_and_is_a_task(cast, database, air) -> None:
    with database.write.begin() as session:
        friday = START + timedelta(days=2)
        assert report_due(session, friday).isoformat() == "2026-11-30T12:00:00+03:00"
        row = session.get_one(Broadcast, air.id)
        row.state, row.ended_at, row.staff_id = "ended", friday, cast.smm.staff_id
    air.look()
    run_wraps(database)
    run_wraps(database)
    with database.write.begin() as session:
        task = session.scalars(select(Task)).one()
        assert (task.staff_id, task.due_at.isoformat()) == (cast.smm.staff_id, "2026-11-30T09:00:00+00:00")
        hand_in(session, cast.smm, air.id, "", None, session.get_one(Broadcast, air.id).version)
        assert session.scalars(select(Task.state)).one() == "done"
    assert DESK.may("broadcast.watch")


def test_times_of_a_recording_are_read_as_people_write_them() -> None:
    assert [read_second(text) for text in ("1:02:03", "62:03", "3723")] == [3723, 3723, 3723]
    for wrong in ("", "1:2:3:4", "час", "-5"):
        with pytest.raises(Refused):
            read_second(wrong)
