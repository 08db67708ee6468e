"""Presence on the screens: told without a row, carried by the stream, drafts of others shown."""

import json

from sqlalchemy import func, select

from models import Event
from services.presence import Here
from web.live import feed_of


def test_a_window_is_noted_and_leaves(smm, desk, open_case, cast) -> None:
    case_id = open_case()
    assert smm.post("/presence", window="w1", case=str(case_id), mode="write").status_code == 204
    assert desk.presence.now() == {case_id: [Here(cast.smm.staff_id, "Дарья Лис", "write")]}
    smm.post("/presence", window="w1", case="")
    assert desk.presence.now() == {}


def test_it_costs_no_row(smm, desk, open_case, database) -> None:
    case_id = open_case()
    with database.read.begin() as session:
        before = session.scalar(select(func.count()).select_from(Event))
    for _ in range(3):
        smm.post("/presence", window="w1", case=str(case_id), mode="look")
    with database.read.begin() as session:
        assert session.scalar(select(func.count()).select_from(Event)) == before


def test_departments_are_not_asked(enter) -> None:
    assert enter("curator").post("/presence", window="w", case="1", htmx=True).status_code == 403


def test_the_stream_begins_with_it_and_hands_on_changes_only(smm, app, desk, open_case, cast) -> None:
    case_id = open_case()
    smm.post("/presence", window="w1", case=str(case_id), mode="look")
    stream = feed_of(app).follow(None, True)
    hello = next(stream)
    said = json.loads(hello.split("event: presence\ndata: ")[1].split("\n")[0])
    assert said == {str(case_id): [[cast.smm.staff_id, "Дарья Лис", "look"]]}
    smm.post("/presence", window="w1", case=str(case_id), mode="look")
    smm.post("/presence", window="w1", case=str(case_id), mode="write")
    news = next(text for text in stream if "presence" in text)
    assert news.count("event: presence") == 1
    assert '"write"' in news
    stream.close()
    desk.closing.set()
    desk.bell.ring()


def test_a_draft_of_a_colleague_is_shown_one_own_is_not(smm, enter, open_case) -> None:
    case_id = open_case()
    smm.post(f"/inbox/{case_id}/draft", text="Начало")
    head = enter("head")
    assert "Неотправленный черновик: Дарья Лис" in head.get("/inbox").text
    assert "Неотправленный черновик: Дарья Лис" in head.get(f"/inbox/{case_id}").text
    assert "Неотправленный черновик" not in smm.get(f"/inbox/{case_id}").text
