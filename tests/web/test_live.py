"""The stream: what changed reaches all who listen, carries no words, and ends when its listener goes."""

import contextlib
import json
import threading
import time

import httpx
import pytest

from cli.up import serve
from services.cases import add_note, assign
from services.routing import ask_department
from web import live
from web.live import Feed


@pytest.fixture
def feed(desk, monkeypatch):
    monkeypatch.setattr(live, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.3)
    feed = Feed(desk)
    yield feed
    desk.closing.set()
    desk.bell.ring()
    for _ in range(100):
        if not [thread for thread in threading.enumerate() if thread.name == "live"]:
            break
        time.sleep(0.02)


def parse(message):
    return json.loads(message[message.index("data: ") + 6 :].split("\n")[0])


def next_data(stream):
    return next(parse(message) for message in stream if "data: " in message)


def test_it_begins_with_where_it_stands(feed, open_case):
    open_case()
    hello = parse(next(feed.follow(None, True)))
    assert hello["id"] > 0
    assert (hello["cases"], hello["kinds"]) == ([], [])


def test_a_change_reaches_all_who_listen(feed, open_case, database, cast):
    case_id = open_case()
    streams = [feed.follow(None, True) for _ in range(3)]
    for stream in streams:
        next(stream)
    with database.write.begin() as session:
        assign(session, cast.smm, case_id, cast.smm.staff_id)
    for stream in streams:
        data = next_data(stream)
        assert data["cases"] == [case_id]
        assert data["kinds"] == ["case.assigned"]


def test_what_was_missed_comes_first(feed, open_case, database, cast):
    case_id = open_case()
    last = parse(next(feed.follow(None, True)))["id"]
    with database.write.begin() as session:
        add_note(session, cast.smm, case_id, "Тайна клиента", "n1")
    message = next(feed.follow(last, True))
    assert "note.added" in message
    assert "Тайна" not in message


def test_silence_is_told_too(feed):
    stream = feed.follow(None, True)
    next(stream)
    assert next(stream).startswith(":")


def test_a_listener_who_leaves_is_forgotten_and_the_last_one_stops_the_reading(feed):
    first, second = feed.follow(None, True), feed.follow(None, True)
    next(first), next(second)
    assert feed.listeners == 2
    first.close()
    assert feed.listeners == 1
    second.close()
    for _ in range(100):
        if feed._thread is None:
            break
        time.sleep(0.02)
    assert feed._thread is None


def test_it_ends_at_once_when_the_desk_goes_down(feed, desk, monkeypatch):
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 30.0)
    stream = feed.follow(None, True)
    next(stream)
    ended = threading.Timer(0.1, lambda: (desk.closing.set(), desk.bell.ring()))
    ended.start()
    began = time.monotonic()
    assert list(stream) in ([], [": still here\n\n"])
    assert time.monotonic() - began < 5


def test_it_ends_by_itself_so_that_the_session_is_asked_again(feed, monkeypatch):
    monkeypatch.setattr(live, "LIFE_SECONDS", 0.0)
    assert len(list(feed.follow(None, True))) == 1


def test_where_too_many_listen_they_ask_again_and_miss_nothing(feed, desk, monkeypatch, open_case, database, cast):
    feed._most = 1
    stream = feed.follow(None, True)
    last = parse(next(stream))["id"]
    assert len(list(feed.follow(None, True))) == 1
    case_id = open_case()
    told = list(feed.follow(last, True))
    assert parse(told[0])["cases"] == [case_id]
    assert len(told) == 1
    stream.close()
    assert feed.listeners == 0


def test_only_staff_listen(visitor, enter):
    assert visitor.get("/live").status_code == 401
    answer = enter("curator").client.get("/live")
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert next(answer.response).startswith(b"retry: ")
    answer.close()


def test_a_department_learns_nothing_of_cases(feed, open_case, database, cast, enter):
    case_id = open_case()
    stream = feed.follow(None, False)
    next(stream)
    with database.write.begin() as session:
        assign(session, cast.smm, case_id, cast.smm.staff_id)
        ask_department(session, cast.smm, case_id, cast.departments["curators"], "Когда?", "r-1")
    data = next_data(stream)
    assert (data["cases"], data["kinds"]) == ([], ["route.asked"])
    for who, seen in (("curator", []), ("smm", [case_id])):
        answer = enter(who).client.get("/live?after=0", buffered=False)
        assert parse(next(part.decode() for part in answer.response if b"data: " in part))["cases"] == seen
        answer.close()


def test_a_stop_lets_streams_end_before_the_server_closes(enter, desk, app, caplog) -> None:
    """By the real server: its threads tell its loop that a stream has ended, and that loop must still be there."""
    name = app.config["SESSION_COOKIE_NAME"]
    cookie = enter("smm").client.get_cookie(name)
    desk.config.web.port = 0
    stop = serve(desk, desk.config)
    with (
        httpx.Client(
            base_url=f"http://127.0.0.1:{desk.port}", cookies={name: cookie.value}, trust_env=False
        ) as client,
        contextlib.ExitStack() as streams,
    ):
        lines = [streams.enter_context(client.stream("GET", "/live")).iter_lines() for _ in range(4)]
        assert [next(one) for one in lines] == ["retry: 2000"] * 4
        stop()
        for one in lines:
            assert list(one)  # to its proper end: httpx refuses one that was cut off
    assert not [record for record in caplog.records if record.name == "waitress"]
