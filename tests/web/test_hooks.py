"""The door for programs and visitors: address, secret, repeats, a database that is down, the form's page."""

import json
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from models import Message, RawItem, Source
from services.hooks import Patience, source_token
from services.rights import DESK
from services.sources import add_source, set_state
from web import hooks

SECRET = "hook-secret-1"
CONSENT = "Согласен на обработку имени и почты, чтобы получить ответ."
LETTER = {"email": "vera@example.ru", "text": "Когда начало?", "key": "k1", "consents": {"answer": True}}
VALUES = {
    "form": {"consent": CONSENT, "topics": ["Оплата", "<b>Учёба</b>"]},
    "max": {"token": "f9LH", "webhook_secret": SECRET},
    "getcourse": {"account": "lingva.getcourse.ru"},
}
UPDATE = {
    "update_type": "message_created", "timestamp": 1_790_000_000_000,
    "message": {
        "sender": {"user_id": 42, "first_name": "Вера", "is_bot": False}, "timestamp": 1_790_000_000_000,
        "recipient": {"chat_id": 5, "chat_type": "dialog"},
        "body": {"mid": "mid.1", "seq": 1, "text": "Здравствуйте"},
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def _patient() -> Iterator[None]:
    with patch.object(hooks, "patience", Patience(5, 600)):
        yield


@pytest.fixture
def place(desk, database, cast):
    """Adds a place of a kind; its address and number."""

    def _place(kind: str) -> tuple[str, int]:
        with database.write.begin() as session:
            source = add_source(session, DESK, desk.keyring, platform=kind, title=kind, values=VALUES[kind])
            return source_token(desk.secret_key, source.id), source.id

    return _place


@pytest.fixture
def stored(database):
    def _stored(table) -> int:
        with database.read.begin() as session:
            query = select(func.count()).select_from(table)
            if table is Message:
                query = query.join(Source, Source.id == Message.source_id).where(Source.platform.in_(VALUES))
            return session.scalar(query) or 0

    return _stored


def push(visitor, kind, token, body, **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return visitor.client.post(
        f"/hooks/{kind}/{token}", data=data, content_type="application/json", headers=headers
    )


def test_an_event_becomes_a_message_and_a_repeat_nothing(visitor, place, stored):
    token, _id = place("max")
    for _time in range(3):
        answer = push(visitor, "max", token, UPDATE, **{"X-Max-Bot-Api-Secret": SECRET})
        assert (answer.status_code, answer.text) == (200, "ok")
    assert (stored(RawItem), stored(Message)) == (1, 1)
    assert "Set-Cookie" not in answer.headers


def test_a_process_calls_with_a_query_and_nobody_else_may(visitor, place, stored):
    token, _id = place("getcourse")
    address = f"/hooks/getcourse/{token}"
    asked = {"event": "lesson_comment", "id": "5", "email": "vera@example.ru", "text": "Когда проверят?"}
    for _time in range(3):
        assert visitor.client.get(address, query_string=asked).text == "ok"
    assert visitor.client.post(address, data=asked).status_code == 200
    assert stored(Message) == 1
    assert visitor.client.get(f"{address}0", query_string=asked).status_code == 404
    other, _id = place("max")
    assert visitor.client.get(f"/hooks/max/{other}").status_code == 405


def test_a_wrong_secret_stores_nothing(visitor, place, stored):
    token, _id = place("max")
    for secret in ("", "wrong", SECRET[:-1], SECRET.upper()):
        answer = push(visitor, "max", token, UPDATE, **{"X-Max-Bot-Api-Secret": secret})
        assert (answer.status_code, answer.text) == (403, "refused")
    assert push(visitor, "max", token, UPDATE).status_code == 403
    assert stored(RawItem) == 0


def test_an_address_that_was_not_given_out_is_not_there(visitor, place, stored):
    token, source_id = place("form")
    other, _other_id = place("max")
    sign = token.partition("-")[2]
    wrong = (
        f"{source_id}-{'0' * 32}", f"{source_id}-", sign, "x", "-", f"{source_id + 1}-{sign}", f"0{token}",
        token[:-1], f"{token}0", f"{token} ", "%00", f"{'9' * 30}-{sign}", other, "٣-" + sign, token.upper() + "Z",
    )  # fmt: skip
    for one in wrong:
        assert push(visitor, "form", one, LETTER).status_code == 404, one
        assert visitor.client.get(f"/f/{one}").status_code == 404, one
    assert push(visitor, "vk", token, LETTER).status_code == 404
    assert push(visitor, "max", token, LETTER).status_code == 404
    assert visitor.client.get(f"/hooks/form/{token}").status_code == 405
    assert stored(RawItem) == 0


def test_a_form_letter_by_json_keeps_its_first_consent(visitor, place, database, stored):
    token, _id = place("form")
    forged = {"X-Otklik-Address": "8.8.8.8"}
    assert push(visitor, "form", token, LETTER, **forged).status_code == 200
    with database.read.begin() as session:
        first = session.scalars(select(RawItem.body)).one()
    assert json.loads(first)["address"] == "127.0.0.1"
    assert (
        push(visitor, "form", token, {**LETTER, "name": "Другая", "consents": {"answer": True}}).status_code == 200
    )
    with database.read.begin() as session:
        assert session.scalars(select(RawItem.body)).one() == first
        message = session.scalars(select(Message).join(Source).where(Source.platform == "form")).one()
        assert message.context["consents"].startswith("answer@")
        assert message.case_id is not None or message.work == "received"
    assert push(visitor, "form", token, {**LETTER, "consents": {}}).status_code == 400
    assert push(visitor, "form", token, b"[" * 100_000).status_code == 400
    assert stored(Message) == 1


def test_a_large_body_is_refused(visitor, place, stored):
    token, _id = place("form")
    assert push(visitor, "form", token, b" " * (hooks.MOST_BODY + 1)).status_code == 413
    assert stored(RawItem) == 0


@pytest.mark.parametrize("at", ["services.hooks.find_source", "services.hooks.store_raws"])
def test_while_the_database_is_down_nobody_is_told_ok(visitor, place, stored, at):
    token, _id = place("form")
    with patch(at, side_effect=OperationalError("x", {}, Exception())):
        answer = push(visitor, "form", token, LETTER)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert stored(RawItem) == 0
    assert push(visitor, "form", token, LETTER).status_code == 200
    assert stored(Message) == 1


def test_what_cannot_be_understood_is_kept_and_not_refused(visitor, place, stored):
    token, _id = place("form")
    with patch("collectors.form.Form.parse", side_effect=ValueError("poison")):
        assert push(visitor, "form", token, LETTER).status_code == 200
    assert (stored(RawItem), stored(Message)) == (1, 0)


def test_a_paused_place_is_asked_again_later(visitor, place, database, stored):
    token, source_id = place("form")
    with database.write.begin() as session:
        set_state(session, DESK, source_id, "paused")
    assert push(visitor, "form", token, LETTER).status_code == 503
    assert "Форма сейчас закрыта" in visitor.client.get(f"/f/{token}").text
    assert stored(RawItem) == 0


def test_the_page_works_without_scripts_and_inside_another_site(visitor, place, stored):
    token, _id = place("form")
    page = visitor.client.get(f"/f/{token}", headers={"Referer": "https://blog.example/kurs/?secret=1"})
    assert page.status_code == 200
    assert "frame-ancestors *" in page.headers["Content-Security-Policy"]
    assert CONSENT in page.text
    assert "&lt;b&gt;Учёба" in page.text
    assert "<script" not in page.text
    assert "checked" not in page.text
    assert 'value="https://blog.example/kurs/"' in page.text
    fields = {"key": "k9", "email": "vera@example.ru", "text": "Когда начало?", "topic": "Оплата"}
    refused = visitor.client.post(f"/f/{token}", data=fields)
    assert refused.status_code == 400
    assert "Без согласия" in refused.text
    assert "Когда начало?" in refused.text
    assert 'value="k9"' in refused.text
    for _time in range(2):
        answer = visitor.client.post(f"/f/{token}", data={**fields, "consent_answer": "1"})
        assert answer.status_code == 303
    assert "Спасибо" in visitor.client.get(answer.location).text
    assert stored(Message) == 1


def test_one_address_cannot_flood_the_form(visitor, place, stored):
    token, _id = place("form")
    fields = {"email": "vera@example.ru", "consent_answer": "1"}
    codes = [visitor.client.post(f"/f/{token}", data={**fields, "text": f"Спам {n}"}).status_code for n in range(7)]
    assert codes == [303] * 5 + [429] * 2
    assert stored(Message) == 5


def test_the_place_shows_its_addresses_to_who_may_edit_it(enter, place):
    token, source_id = place("form")
    text = enter("head").get(f"/places/{source_id}").text
    assert f"/hooks/form/{token}" in text
    assert f"/f/{token}" in text
    assert "&lt;iframe src=" in text
