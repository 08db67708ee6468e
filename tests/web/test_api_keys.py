"""«Ключи API» and the administrator's list of them, as people use the screens."""

import re

from sqlalchemy import select

from models import ApiKey
from tests.web.program import Program, put_key
from tests.web.test_setting_history import hidden, undo_of


def test_a_key_is_made_shown_once_and_opens_the_desk(smm, app, database) -> None:
    assert 'href="/api-keys"' in smm.get("/inbox").text
    page = smm.get("/api-keys").text
    assert "Ключей нет" in page
    assert "routes:answer" not in page  # nothing that her role could not do
    made = smm.post("/api-keys", name="Витрина", scope=["cases:read", "replies:write"], days=90)
    found = re.search(r'id="made">(otk_[\w-]{43})<', made.text)
    assert found is not None
    secret = found[1]
    assert made.headers["Cache-Control"] == "no-store"
    assert secret not in smm.get("/api-keys").text
    assert "ещё не использовался" in smm.get("/api-keys").text
    assert Program(app.test_client(), secret).get("/me").get_json()["key"]["name"] == "Витрина"
    assert "ещё не использовался" not in smm.get("/api-keys").text
    with database.read.begin() as session:
        key_id = session.scalars(select(ApiKey.id)).one()
    smm.post(f"/api-keys/{key_id}/revoke", sure="1")
    page = smm.get("/api-keys").text
    assert page.index("Ключей нет") < page.index("Отозванные ключи: 1") < page.index("Витрина")
    assert Program(app.test_client(), secret).get("/me").status_code == 401


def test_what_was_typed_stays_with_the_refusal(smm) -> None:
    answer = smm.post("/api-keys", name="Робот", days=30)
    assert answer.status_code == 422
    assert "Отметьте хотя бы одно" in answer.text
    assert 'value="Робот"' in answer.text
    assert smm.post("/api-keys", name="Робот", scope="routes:answer", days=30).status_code == 422


def test_the_administrator_sees_and_revokes_everybodys(enter, smm, cast, database) -> None:
    put_key(database, cast.smm, "cases:read")
    head = enter("head")
    assert 'href="/settings/api"' in head.get("/settings").text
    page = head.get("/settings/api").text
    assert "Дарья Лис" in page
    assert "/api/v1/openapi.json" in page
    theirs = head.get(f"/api-keys/of/{cast.smm.staff_id}").text
    assert "робот" in theirs
    assert "Новый ключ" not in theirs
    assert "Изменить" not in theirs
    assert head.post("/api-keys/1/revoke").location == f"/api-keys/of/{cast.smm.staff_id}"
    assert "Ключей нет" in head.get("/settings/api").text
    assert smm.get("/settings/api").status_code == 403
    assert smm.get(f"/api-keys/of/{cast.head.staff_id}").status_code == 403


def test_nobody_revokes_anothers(enter, smm, cast, database) -> None:
    put_key(database, cast.head, "cases:read")
    assert smm.post("/api-keys/1/revoke", htmx=True).status_code == 404
    assert "token.revoked" not in enter("head").get("/settings/journal").text


def test_a_key_is_changed_and_taken_back(smm, enter, cast, database) -> None:
    put_key(database, cast.smm, "cases:read", "replies:write")
    page = smm.get("/api-keys/1").text
    assert re.search(r'value="replies:write"\s+checked', page)
    wrong = smm.post("/api-keys/1", name="", scope="cases:read", seen="0")
    assert wrong.status_code == 422
    assert smm.post("/api-keys/1", name="Витрина", scope="cases:read", seen="0").location == "/api-keys"
    undo = undo_of(smm.get("/api-keys").text)
    stale = smm.post("/api-keys/1", name="Касса", scope="cases:read", seen="0")
    assert stale.status_code == 409
    assert "Витрина" in stale.text
    assert hidden(stale.text)["name"] == "Касса"
    history = smm.get("/settings/history/key:1").text
    for said in ("Дарья Лис", "робот", "Витрина", "Вернуть эту версию", "Отозванный ключ остаётся отозванным"):
        assert said in history
    assert "Вернуть эту версию" not in enter("head").get("/settings/history/key:1").text
    assert smm.post(undo, htmx=True).headers["HX-Redirect"] == "/api-keys"
    with database.read.begin() as session:
        assert session.scalars(select(ApiKey.scopes)).one() == ["cases:read", "replies:write"]


def test_whoever_uses_a_key_is_named_before_it_is_revoked(smm, app, cast, database) -> None:
    secret = put_key(database, cast.smm, "cases:read")
    Program(app.test_client(), secret).get("/me")
    for body, words in (
        ({"name": "робот", "scope": "routes:read", "seen": "0"}, "Ей станет нельзя: Читать обращения"),
        (None, "Вернуть отозванный ключ нельзя"),
    ):
        address = "/api-keys/1" if body else "/api-keys/1/revoke"
        shown = smm.post(address, **(body or {}))
        assert shown.status_code == 200
        assert words in shown.text
        assert "Дарья Лис" in shown.text
    assert Program(app.test_client(), secret).get("/me").status_code == 200
    assert smm.post("/api-keys/1/revoke", **hidden(shown.text)).location == "/api-keys"
    page = smm.get("/api-keys").text
    assert "Вернуть, " not in page, "no undo is offered for what cannot be undone"
    assert Program(app.test_client(), secret).get("/me").status_code == 401
    assert "Вернуть эту версию" not in smm.get("/settings/history/key:1").text
    like = smm.get("/api-keys?like=1").text
    assert 'value="робот"' in like
    assert re.search(r'value="cases:read"\s+checked', like)
    assert smm.post("/api-keys/1", name="р", scope="cases:read", htmx=True).status_code == 422


def test_nobody_opens_or_changes_anothers(enter, smm, cast, database) -> None:
    put_key(database, cast.head, "cases:read")
    for address in ("/api-keys/1", "/api-keys?like=1", "/settings/history/key:1", "/settings/history/key:1/1/back"):
        assert smm.get(address).status_code == 404, address
    assert smm.post("/api-keys/1", htmx=True, name="р", scope="cases:read").status_code == 404
    for address in ("/settings/history/key:1/1/back", "/settings/history/key:1/1/undo"):
        assert smm.post(address, htmx=True).status_code == 404
    put_key(database, cast.smm, "cases:read")
    head = enter("head")
    assert head.get("/api-keys/2").status_code == 404
    assert head.post("/api-keys/2", htmx=True, name="р", scope="cases:read").status_code == 404
    assert head.get("/settings/history/key:2").status_code == 200
