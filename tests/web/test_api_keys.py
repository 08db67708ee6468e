"""«Ключи API» and the administrator's list of them, as people use the screens."""

import re

from sqlalchemy import select

from models import ApiKey
from tests.web.program import Program, put_key


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
    smm.post(f"/api-keys/{key_id}/revoke")
    assert "Витрина" not in smm.get("/api-keys").text
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
    assert "робот" in head.get(f"/api-keys/of/{cast.smm.staff_id}").text
    assert head.post("/api-keys/1/revoke").location == f"/api-keys/of/{cast.smm.staff_id}"
    assert "Ключей нет" in head.get("/settings/api").text
    assert smm.get("/settings/api").status_code == 403
    assert smm.get(f"/api-keys/of/{cast.head.staff_id}").status_code == 403


def test_nobody_revokes_anothers(enter, smm, cast, database) -> None:
    put_key(database, cast.head, "cases:read")
    assert smm.post("/api-keys/1/revoke", htmx=True).status_code == 404
    assert "token.revoked" not in enter("head").get("/settings/journal").text
