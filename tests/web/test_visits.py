"""The page of checks: added by the head, noted by one press, with the log below."""

from typing import Any

from tests.web.test_setting_history import hidden, undo_of


def test_a_place_is_added_looked_into_and_dropped(enter: Any, smm: Any) -> None:
    head = enter("head")
    assert "Ручных проверок пока нет" in smm.get("/checks-of-places").text
    fields = {
        "title": "Отзовик",
        "url": "https://example.com/r",
        "every": "120",
        "opens": "0:00",
        "closes": "24:00",
    }
    assert head.post("/checks-of-places", **fields).status_code == 302
    assert head.post("/checks-of-places", **{**fields, "every": "1"}, htmx=True).status_code == 422
    page = smm.get("/checks-of-places").text
    assert "Отзовик" in page
    assert "Новых нет" in page
    smm.post("/checks-of-places/1/note", outcome="nothing")
    page = smm.get("/checks-of-places").text
    assert "Кто смотрел и когда" in page
    assert "Дарья Лис" in page
    assert smm.post("/checks-of-places", **fields).status_code in (302, 403)
    assert head.get("/checks-of-places/1").status_code == 200
    head.post("/checks-of-places/1/drop")
    assert "Ручных проверок пока нет" in smm.get("/checks-of-places").text
    assert enter("curator").get("/checks-of-places").status_code == 403


def test_reports_of_broadcasts_and_checks_open_from_the_list(enter: Any) -> None:
    head = enter("head")
    page = head.get("/reports/all").text
    assert "/reports/all/broadcasts" in page
    assert "/reports/all/visits" in page


def test_the_plan_is_changed_with_a_history(enter: Any) -> None:
    head = enter("head")
    fields = {
        "title": "Отзовик",
        "url": "https://example.com/r",
        "every": "120",
        "opens": "0:00",
        "closes": "24:00",
    }
    head.post("/checks-of-places", **fields, seen="0")
    assert "/settings/history/visits" in head.get("/checks-of-places").text
    head.post("/checks-of-places", **{**fields, "title": "Чат"}, seen="1")  # another one is no conflict
    head.post("/checks-of-places", **{**fields, "every": "60"}, place_id="1", seen="1")
    undo = undo_of(head.get("/checks-of-places").text)
    stale = head.post("/checks-of-places", **{**fields, "every": "30"}, place_id="1", seen="1")
    assert stale.status_code == 409
    assert hidden(stale.text)["every"] == "30"
    history = head.get("/settings/history/visits").text
    for said in ("раз в 1 ч", "раз в 2 ч", "Марина Котова", "Отзовик"):
        assert said in history, said
    assert head.post(undo, htmx=True).headers["HX-Redirect"] == "/checks-of-places"
    head.post("/checks-of-places/1/drop", seen="4")
    assert "больше не проверяется" in head.get("/settings/history/visits").text
    assert enter("smm").get("/settings/history/visits").status_code == 403
