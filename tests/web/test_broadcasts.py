"""The screens of broadcasts: the week, the desk and its presses, the strip above the inbox, the report on paper."""

import hashlib
import hmac
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from collectors.base import ActKind, Capabilities
from collectors.room import Room
from models import Act, Broadcast, BroadcastPlace, BroadcastQuestion, Message, Tape, utc_now
from services.broadcasts.airing import end, go_live
from services.broadcasts.lifting import run_lift
from services.broadcasts.schedule import Plan, plan_broadcast
from services.broadcasts.tapes import add_tape, play, run_tapes
from services.broadcasts.wrapping import run_wraps
from services.hooks import source_token
from services.rights import DESK
from services.sources import add_source
from tests.services.test_cases import Table

LINES = b"0:05 Anna: hello\n0:10 Boris: When is the recording?\n0:20 Vera: <b>How much?</b>\n1:00 Anna: bye\n"


@pytest.fixture
def on_air(cast: Any, database: Any) -> int:
    """A broadcast with two questions that wait."""
    now = utc_now()
    with database.write.begin() as session:
        row = plan_broadcast(session, cast.smm, Plan("stream", "Эфир о датах", now, now + timedelta(hours=1)))
        tape = add_tape(session, cast.smm, row.id, "chat.txt", LINES)
        play(session, cast.smm, tape.id, 0)
        broadcast_id = row.id
    run_tapes(database)
    run_lift(database, Table())
    return broadcast_id


def question(database: Any, place: int = 0) -> BroadcastQuestion:
    with database.read.begin() as session:
        return session.scalars(select(BroadcastQuestion).order_by(BroadcastQuestion.id)).all()[place]


def test_a_broadcast_is_planned_changed_moved_and_shown_in_its_week(smm: Any, database: Any) -> None:
    fields = {
        "kind": "lesson", "title": "Урок о датах", "starts_at": "2026-12-02T19:00", "ends_at": "2026-12-02T20:30",
        "speaker": "Ольга", "links": "https://example.com/room\n", "staff_id": "",
    }  # fmt: skip
    assert smm.get("/broadcasts/new").status_code == 200
    assert smm.post("/broadcasts/new", **fields).status_code == 302
    week = smm.get("/broadcasts?week=2026-12-01").text
    assert "Урок о датах" in week
    assert "19:00–20:30" in week
    with database.read.begin() as session:
        row = session.scalars(select(Broadcast)).one()
    changed = smm.post(f"/broadcasts/{row.id}/edit", **{**fields, "title": "Урок о числах"}, version=row.version)
    assert changed.status_code == 302
    assert "Урок о числах" in smm.get(f"/broadcasts/{row.id}").text
    stale = smm.post(f"/broadcasts/{row.id}/edit", **fields, version=row.version)
    assert "Урок о числах" in smm.get(f"/broadcasts/{row.id}").text
    assert stale.status_code == 302
    smm.post(f"/broadcasts/{row.id}/move", starts_at="2026-12-03T19:00", reason="спикер болен")
    assert "спикер болен" in smm.get(f"/broadcasts/{row.id}").text
    assert smm.post("/broadcasts/new", **{**fields, "ends_at": "2026-12-02T18:00"}, htmx=True).status_code == 422
    assert smm.get("/broadcasts?week=nonsense").status_code == 200


def test_the_desk_shows_the_chat_and_its_words_are_only_words(smm: Any, on_air: int) -> None:
    page = smm.get(f"/broadcasts/{on_air}").text
    assert "When is the recording?" in page
    assert "&lt;b&gt;How much?&lt;/b&gt;" in page
    assert "<b>How much" not in page
    told = smm.get(f"/broadcasts/{on_air}/news?after=0").json
    assert [one["text"] for one in told["lines"]] == [
        "hello", "When is the recording?", "<b>How much?</b>", "bye"
    ]  # fmt: skip
    assert told["more"] is False
    assert smm.get(f"/broadcasts/{on_air}/news?after={told['lines'][-1]['id']}").json["lines"] == []


def test_a_press_answers_with_the_column_and_the_second_person_is_told(
    smm: Any, enter: Any, on_air: int, database: Any
) -> None:
    first = question(database)
    answer = smm.post(f"/broadcasts/question/{first.id}/aloud", htmx=True, at="1:02:03")
    assert answer.status_code == 200
    assert 'id="column"' in answer.text
    assert "1:02:03" in answer.text
    late = enter("head").post(f"/broadcasts/question/{first.id}/dismiss", htmx=True, reason="repeat")
    assert late.status_code == 409
    assert late.headers["HX-Reswap"] == "none"
    assert "\\u0414\\u0430\\u0440\\u044c\\u044f" in late.headers["HX-Trigger"]  # «Дарья Лис: уже взято»
    back = smm.post(f"/broadcasts/question/{first.id}/back", htmx=True)
    assert back.status_code == 200
    assert smm.post(f"/broadcasts/question/{first.id}/nonsense", htmx=True).status_code == 422
    assert smm.post(f"/broadcasts/question/{first.id}/aloud", htmx=True, at="полдень").status_code == 422
    assert question(database).state == "open"


def test_an_answer_in_the_chat_leaves_by_the_outbox(smm: Any, on_air: int, database: Any, monkeypatch: Any) -> None:
    first = question(database)
    refused = smm.post(f"/broadcasts/question/{first.id}/chat", htmx=True, text="Завтра")
    assert refused.status_code == 422  # a room takes no answers
    acts = frozenset({ActKind.REPLY, ActKind.DELETE})
    monkeypatch.setattr(Room, "can", Capabilities(acts=acts, receive=True, grade="events"))
    assert smm.post(f"/broadcasts/question/{first.id}/chat", htmx=True, text="Завтра").status_code == 200
    with database.read.begin() as session:
        assert [(act.kind, act.text) for act in session.scalars(select(Act))] == [("reply", "Завтра")]


def test_a_signed_hook_of_the_planned_room_speaks_on_its_desk(
    smm: Any, visitor: Any, desk: Any, cast: Any, database: Any
) -> None:
    with database.write.begin() as session:
        room = add_source(session, DESK, desk.keyring, platform="room", title="Комната", values={"secret": "тайна"})
        address = f"/hooks/room/{source_token(desk.secret_key, room.id)}"
        now, link = utc_now(), ("https://rooms.example/demo-25",)
        row = plan_broadcast(
            session, cast.smm, Plan("webinar", "Вебинар", now, now + timedelta(hours=1), links=link)
        )
    said = [{"id": str(n), "author": "Анна Яр", "text": f"Вопрос {n}?"} for n in range(3)]
    body = json.dumps({"room": "demo-25", "messages": said}).encode()
    sign = hmac.new("тайна".encode(), body, hashlib.sha256).hexdigest()

    def push(**headers: str) -> int:
        return int(visitor.client.post(address, data=body, headers=headers).status_code)

    assert push() == push(**{"X-Signature": sign[::-1]}) == 403
    assert smm.get(f"/broadcasts/{row.id}/news?after=0").json["lines"] == []
    assert push(**{"X-Signature": sign}) == push(**{"X-Signature": f"sha256={sign}"}) == 200
    run_lift(database, Table())
    lines = smm.get(f"/broadcasts/{row.id}/news?after=0").json["lines"]
    assert [(line["text"], line["platform"]) for line in lines] == [(f"Вопрос {n}?", "room") for n in range(3)]
    page = smm.get(f"/broadcasts/{row.id}").text
    assert 'data-state="live"' in page
    assert page.count('class="air-q ') == 3


def test_what_was_not_looked_at_yet_is_not_called_nothing(smm: Any, on_air: int, database: Any) -> None:
    with database.write.begin() as session:
        session.execute(update(Message).values(work="live"))
        session.execute(delete(BroadcastQuestion))
    page = smm.get(f"/broadcasts/{on_air}/column").text
    assert "4 сообщения чата ещё не просмотрены" in page
    assert "Вопросов без ответа нет" not in page


def test_a_dropped_stream_says_so_until_it_is_back(smm: Any, on_air: int, database: Any) -> None:
    with database.write.begin() as session:
        place = session.scalars(select(BroadcastPlace)).one()
        place.chat, place.ended_at = "chat", utc_now()
    assert "Трансляция прервалась в" in smm.get(f"/broadcasts/{on_air}/column").text
    with database.write.begin() as session:
        session.scalars(select(BroadcastPlace)).one().ended_at = None
    assert "Трансляция прервалась в" not in smm.get(f"/broadcasts/{on_air}/column").text


def test_whoever_only_looks_may_not_press_and_a_department_not_even_look(
    enter: Any, on_air: int, database: Any, cast: Any
) -> None:
    curator = enter("curator")
    assert curator.get(f"/broadcasts/{on_air}").status_code == 403
    assert curator.post(f"/broadcasts/question/{question(database).id}/aloud").status_code in (302, 403)
    assert question(database).state == "open"


def test_one_row_a_broadcast_stands_above_the_inbox(smm: Any, on_air: int) -> None:
    strip = smm.get("/broadcasts/strip", htmx=True).text
    assert "Эфир о датах" in strip
    assert "4 сообщения, 2 вопроса" in strip
    assert f"/broadcasts/{on_air}" in strip
    assert "/broadcasts/strip" in smm.get("/inbox").text


def test_a_recording_is_put_in_and_nonsense_is_refused(smm: Any, on_air: int, database: Any) -> None:
    sent = smm.post(f"/broadcasts/{on_air}/tape", file=(io.BytesIO(LINES), "again.txt"))
    assert sent.status_code == 302
    assert smm.post(f"/broadcasts/{on_air}/tape", file=(io.BytesIO(b"nonsense"), "a.txt")).status_code == 302
    with database.read.begin() as session:
        names = [tape.name for tape in session.scalars(select(Tape))]
    assert names == ["chat.txt", "again.txt"]


def test_the_check_list_and_the_switch(smm: Any, on_air: int, database: Any) -> None:
    assert "1/8" in smm.post(f"/broadcasts/{on_air}/check/sound", htmx=True, passed="1").text
    assert "0/8" in smm.post(f"/broadcasts/{on_air}/check/sound", htmx=True, passed="0").text
    assert 'data-state="ended"' in smm.post(f"/broadcasts/{on_air}/air", htmx=True, to="ended").text
    assert 'data-state="live"' in smm.post(f"/broadcasts/{on_air}/air", htmx=True, to="live").text


def test_the_report_balances_is_handed_in_and_printed(smm: Any, on_air: int, database: Any) -> None:
    smm.post(f"/broadcasts/question/{question(database).id}/aloud", htmx=True)
    with database.write.begin() as session:
        end(session, DESK, session.get_one(Broadcast, on_air))
    run_wraps(database)
    page = smm.get(f"/broadcasts/{on_air}/report").text
    assert "2 = 1 + 0 + 0 + 1 + 0" in page
    with database.read.begin() as session:
        version = session.get_one(Broadcast, on_air).version
    smm.post(f"/broadcasts/{on_air}/report", do="hand_in", note="Спокойно.", viewers="40", version=version)
    page = smm.get(f"/broadcasts/{on_air}/report").text
    assert "Отчёт сдан" in smm.get(f"/broadcasts/{on_air}").text
    assert "Спокойно." in page
    paper = smm.get(f"/broadcasts/{on_air}/report.pdf")
    assert paper.mimetype == "application/pdf"
    assert paper.data.startswith(b"%PDF")
    import pypdfium2

    text = pypdfium2.PdfDocument(paper.data)[0].get_textpage().get_text_range()
    assert "Эфир о датах" in text
    assert "Вопросов задано" in text


def test_the_calendar_is_had_without_a_login_by_its_own_address_only(smm: Any, visitor: Any, on_air: int) -> None:
    import re

    address = re.search(r"/broadcasts/feed/[^\"]+\.ics", smm.get("/broadcasts").text)
    assert address is not None
    feed = visitor.get(address[0])
    assert feed.mimetype == "text/calendar"
    assert b"BEGIN:VEVENT" in feed.data
    assert visitor.get("/broadcasts/feed/1-00000000000000000000000000000000.ics").status_code == 404


def test_an_empty_week_and_a_desk_before_its_time_say_what_comes_next(smm: Any, cast: Any, database: Any) -> None:
    assert "ничего не запланировано" in smm.get("/broadcasts").text
    now = utc_now() + timedelta(days=1)
    with database.write.begin() as session:
        row = plan_broadcast(session, cast.smm, Plan("webinar", "Позже", now, now + timedelta(hours=1)))
    assert "Эфир ещё не начался" in smm.get(f"/broadcasts/{row.id}").text
    with database.write.begin() as session:
        go_live(session, DESK, session.get_one(Broadcast, row.id))
    assert "Вопросов без ответа нет" in smm.get(f"/broadcasts/{row.id}").text
