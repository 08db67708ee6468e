"""«Начать работу» on the training desk: who sees the door, who may open it."""


def test_the_banner_has_the_door_for_whoever_sets_up(enter, desk) -> None:
    head = enter("head")
    assert "/begin" in head.get("/settings").text
    page = head.get("/begin").text
    assert "python3 run.py work" in page
    desk.start_work = lambda: "http://127.0.0.1:8123/"
    assert "Открыть рабочий стол" in head.get("/begin").text
    assert "http://127.0.0.1:8123/" in head.post("/begin/open").text
    assert enter("smm").get("/begin").status_code == 403


def test_nobody_from_outside_starts_a_process(enter, desk) -> None:
    head = enter("head")
    desk.start_work = lambda: "http://127.0.0.1:8123/"
    token = head.token()
    answer = head.client.post("/begin/open", data={"csrf_token": token}, headers={"X-Forwarded-For": "203.0.113.7"})
    assert answer.status_code == 404
