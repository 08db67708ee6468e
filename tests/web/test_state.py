"""«Состояние», the figures for Prometheus, the file for whoever helps, and a full disk as people meet it."""

import json

from config import Config, WebConfig
from services.address import proof


def test_the_administrator_sees_it_all(enter, desk) -> None:
    page = enter("head").get("/state")
    assert page.status_code == 200
    for words in ("Процессы", "Резервная копия", "Версии", "Площадки", "Файл для того, кто помогает"):
        assert words in page.text
    assert enter("smm").get("/state").status_code == 403
    assert enter("smm").get("/state/file").status_code == 403


def test_the_file_comes_as_a_file(enter) -> None:
    answer = enter("head").get("/state/file")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert json.loads(answer.text)["mode"] == "training"
    assert "school.example" not in answer.text


def test_metrics_are_for_this_machine(app) -> None:
    client = app.test_client()
    assert "otklik_up" in client.get("/metrics").text
    behind = {"X-Forwarded-For": "203.0.113.7"}
    assert client.get("/metrics", headers=behind).status_code == 404
    assert client.get("/metrics", environ_overrides={"REMOTE_ADDR": "203.0.113.7"}).status_code == 404


def test_a_full_disk_is_told_and_nothing_is_written(enter, desk) -> None:
    head = enter("head")
    token = head.token()
    desk.room.note_full()
    page = head.get("/settings")
    assert page.status_code == 200
    assert "Диск заполнен" in page.text
    refused = head.client.post("/notices/seen", data={"csrf_token": token})
    assert refused.status_code == 503
    assert head.get("/health").json["disk"] == "full"
    desk.room._doubted = float("-inf")
    assert "Диск заполнен" not in head.get("/settings").text
    assert head.client.post("/notices/seen", data={"csrf_token": token}).status_code == 302


def test_the_address_is_asked_on_demand_and_health_answers_a_probe(enter, desk, app) -> None:
    head = enter("head")
    assert "web.public_url" in head.get("/state/address").text
    answer = app.test_client().get(f"/health?probe={'a' * 32}").json
    assert answer["proof"] == proof(desk.secret_key, "a" * 32)
    assert answer["seen"] == {"scheme": "http", "host": "localhost"}
    desk.config = Config(web=WebConfig(public_url="http://desk.example"))
    page = head.get("/state/address").text
    assert "http://desk.example — не https" in page
