"""Web hooks in the settings, as the administrator uses them."""

import re

import pytest
from sqlalchemy import select

from collectors.webhook import Told
from models import Notice, Webhook, WebhookCall, utc_now
from services.webhook_calls import run_webhooks
from tests.web.test_setting_history import hidden, undo_of

URL = "https://robot.example/otklik"


@pytest.fixture
def head(enter):
    return enter("head")


@pytest.fixture
def hook_id(head, database):
    head.post("/settings/api/hooks/new", name="Робот", url=URL, event=["case.opened", "case.closed"])
    with database.read.begin() as session:
        return session.scalars(select(Webhook.id)).one()


@pytest.fixture
def run(database, desk):
    heard = []

    def _run(told=Told(204)):  # noqa: B008
        def post(url, headers, body):
            heard.append(headers["webhook-id"])
            return told

        run_webhooks(database, desk.keyring, post)
        return heard

    return _run


def test_an_address_is_added_and_its_secret_shown_once(head, database):
    assert "Адресов нет" in head.get("/settings/api").text
    made = head.post("/settings/api/hooks/new", name="Робот", url=URL, event="case.opened").text
    found = re.search(r'id="made">(whsec_[A-Za-z0-9+/=]+)<', made)
    assert found is not None
    assert "Робот" in head.get("/settings/api").text
    page = head.get("/settings/api/hooks/1").text
    assert found[1] not in page
    assert "whsec_" not in page
    newer = head.post("/settings/api/hooks/1/secret").text
    assert "whsec_" in newer
    assert found[1] not in newer


def test_what_was_typed_stays_with_the_refusal(head, database):
    answer = head.post("/settings/api/hooks/new", name="Робот", url="http://robot.example/", event="case.closed")
    assert answer.status_code == 422
    assert "Адрес должен начинаться с https://" in answer.text
    assert 'value="http://robot.example/"' in answer.text
    assert re.search(r'value="case.closed"\s+checked', answer.text)
    with database.read.begin() as session:
        assert session.scalars(select(Webhook)).all() == []


def test_it_is_changed_switched_and_deleted(head, hook_id, database):
    where = f"/settings/api/hooks/{hook_id}"
    assert head.post(where, name="Бот", url="https://10.0.0.1/", event="case.closed").status_code == 422
    assert head.post(where, name="Бот", url=URL, event="case.closed").location == where
    head.post(f"{where}/off")
    assert "выключен" in head.get(where).text
    head.post(f"{where}/on")
    assert "включён" in head.get(where).text
    assert head.post(f"{where}/drop").location == "/settings/api"
    assert head.get(where).status_code == 404
    assert head.post(where, name="Бот", url=URL, event="case.closed", htmx=True).status_code == 404
    page = head.get("/settings/api").text
    assert page.index("Адресов нет") < page.index("Удалённые адреса: 1") < page.index("Бот")


def test_a_test_stands_in_the_log_with_what_was_answered(head, hook_id, run):
    where = f"/settings/api/hooks/{hook_id}"
    assert "Ещё ничего не сообщалось" in head.get(where).text
    head.post(f"{where}/test")
    run(Told(500, "<b>нет</b>"))
    page = head.get(where).text
    assert "не принято" in page
    assert "&lt;b&gt;нет&lt;/b&gt;" in page
    head.post("/settings/api/hooks/calls/1/again")
    assert len(set(run())) == 1
    assert "2 попытки" in head.get(where).text


def test_a_case_is_told_and_sent_again(head, hook_id, run, open_case, database):
    case_id = open_case()
    assert len(run(Told(None, code="dns"))) == 1
    page = head.get(f"/settings/api/hooks/{hook_id}").text
    assert "такого имени нет" in page
    assert "не доходит с" in page
    with database.write.begin() as session:
        call = session.scalars(select(WebhookCall)).one()
        assert call.body["data"]["case_id"] == case_id
        call.due_at = utc_now()
    run()
    assert "принято" in head.get(f"/settings/api/hooks/{hook_id}").text
    assert "не доходит" not in head.get(f"/settings/api/hooks/{hook_id}").text


def test_the_notice_leads_there(head, cast, database):
    with database.write.begin() as session:
        session.add(Notice(staff_id=cast.head.staff_id, kind="webhook.failed"))
    assert "сутки ничего не доходило" in head.get("/notices").text
    assert head.post("/notices/1").location == "/settings/api"


def test_others_have_nothing_of_it(smm, hook_id):
    assert smm.get(f"/settings/api/hooks/{hook_id}").status_code == 403
    assert smm.post(f"/settings/api/hooks/{hook_id}/test", htmx=True).status_code == 403


def test_its_history_brings_it_back_without_the_secret(head, hook_id, database):
    where, history = f"/settings/api/hooks/{hook_id}", f"/settings/history/hook:{hook_id}"
    assert history in head.get(where).text
    assert head.post(where, name="Бот", url=URL, event="case.closed", seen="1").location == where
    assert head.post(undo_of(head.get(where).text), htmx=True).headers["HX-Redirect"] == "/settings/api"
    assert head.post(where, name="Кот", url=URL, event="case.closed", seen="1").status_code == 409
    head.post(f"{where}/drop")
    page = head.get(history).text
    for said in ("удалён", "Робот", "Секрет подписи", "секрет нельзя"):
        assert said in page
    asked = head.get(f"{history}/1/back").text
    assert "ждёт нового секрета" in asked
    assert head.post(f"{history}/1/back", **hidden(asked)).location == "/settings/api"
    page = head.get(where).text
    assert "секрета у него больше нет" in page
    assert head.post(f"{where}/on", htmx=True).status_code == 422
    head.post(f"{where}/secret")
    assert head.post(f"{where}/on").location == where


def test_what_waits_is_said_before_it_is_given_up(head, hook_id, open_case, database):
    open_case()
    where = f"/settings/api/hooks/{hook_id}"
    for deed in ("off", "drop"):
        shown = head.post(f"{where}/{deed}")
        assert "1 событие ждёт отправки и не уйдёт" in shown.text
    with database.read.begin() as session:
        assert session.scalars(select(WebhookCall.state)).one() == "queued"
    head.post(f"{where}/drop", **hidden(shown.text))
    with database.read.begin() as session:
        assert session.scalars(select(WebhookCall.state)).one() == "cancelled"


def test_nobody_else_has_its_history(smm, hook_id):
    assert smm.get(f"/settings/history/hook:{hook_id}").status_code == 403
    assert smm.post(f"/settings/history/hook:{hook_id}/1/back", htmx=True).status_code == 403
