"""«Правила» and «Журнал действий» as people use them."""

from sqlalchemy import select

from models import Event, Rule
from services.journal import run_seal
from tests.services.test_journal import LATER, utc_now


def test_a_rule_is_tried_kept_moved_and_dropped(enter, database, cast, open_case):
    open_case("Как оформить возврат?")
    head = enter("head")
    assert "Правил пока нет" in head.get("/settings/rules").text
    assert enter("smm").get("/settings/rules").status_code == 403
    form = {"title": "Возвраты", "words": "возврат, вернуть", "staff_id": cast.smm.staff_id}
    assert "Из последних 1" in head.post("/settings/rules/new", **{**form, "try": "1"}).text
    with database.read.begin() as session:
        assert session.scalars(select(Rule)).all() == []
    assert head.post("/settings/rules/new", **{**form, "words": ""}).status_code == 422
    assert "Из последних обращений (1) правило поймало бы ещё 1" in head.post("/settings/rules/new", **form).text
    with database.read.begin() as session:
        assert session.scalars(select(Rule)).all() == []
    assert head.post("/settings/rules/new", **form, sure="1").status_code == 302
    page = head.get("/settings/rules?text=Верните! Возврат денег").text
    assert "Правило: Возвраты" in page
    assert "«Кто за что отвечает»" in head.get("/settings/rules?text=Где вебинар").text
    with database.read.begin() as session:
        rule_id = session.scalars(select(Rule.id)).one()
    assert "возврат, вернуть" in head.get(f"/settings/rules/{rule_id}").text
    head.post(f"/settings/rules/{rule_id}/off", sure="1")
    assert "Правило: Возвраты" not in head.get("/settings/rules?text=Возврат").text
    head.post(f"/settings/rules/{rule_id}/drop")
    with database.read.begin() as session:
        assert session.scalars(select(Rule)).all() == []


def test_the_journal_shows_and_checks_itself(enter, database, cast):
    head = enter("head")
    assert "staff.created" in head.get("/settings/journal").text
    assert enter("curator").get("/settings/journal").status_code == 403
    run_seal(database, utc_now() + LATER)
    assert "Цепочка цела" in head.get("/settings/journal?check=1").text
    with database.write.begin() as session:
        session.scalars(select(Event)).first().staff_id = 99
    assert "Цепочка нарушена" in head.get("/settings/journal?check=1").text
