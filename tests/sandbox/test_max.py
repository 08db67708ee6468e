"""MAX of the sandbox: the marker confirms, history runs backwards, what its schema does not have is refused."""

from typing import Any

import httpx

from sandbox import keys
from tests.sandbox.running import Running

GROUP = "-71990000001"


def ask(running: Running, verb: str, path: str, body: Any = None, **params: Any) -> httpx.Response:
    headers = {"Authorization": keys.MAX_TOKEN}
    return running.http.request(verb, f"/max/{path}", params=params, json=body, headers=headers)


def test_without_a_marker_only_the_latest_update_comes_and_a_marker_confirms(alone: Running) -> None:
    for text in ("раз", "два"):
        alone.says("max", "max-group", text)
    first = ask(alone, "GET", "updates", timeout=0).json()
    assert [one["message"]["body"]["text"] for one in first["updates"]] == ["два"]
    alone.says("max", "max-group", "три")
    for _ in range(2):  # asked with the same marker, the same is told again
        told = ask(alone, "GET", "updates", timeout=0, marker=first["marker"]).json()
        assert [one["message"]["body"]["text"] for one in told["updates"]] == ["три"]
    assert ask(alone, "GET", "updates", timeout=0, marker=told["marker"]).json()["updates"] == []


def test_edits_and_removals_are_told_and_own_messages_are_not(alone: Running) -> None:
    marker = ask(alone, "GET", "updates", timeout=0).json()["marker"]
    said = alone.says("max", "max-group", "опечатка")
    entry = {"platform": "max", "id": said["external_id"]}
    alone.http.post("/_sandbox/edit", json={**entry, "text": "без опечатки"})
    alone.http.post("/_sandbox/delete", json=entry)
    ask(alone, "POST", "messages", {"text": "ответ"}, chat_id=GROUP)
    told = ask(alone, "GET", "updates", timeout=0, marker=marker).json()["updates"]
    assert [one["update_type"] for one in told] == ["message_created", "message_edited", "message_removed"]


def test_history_is_newest_first_down_from_a_moment(world: Running) -> None:
    whole = ask(world, "GET", "messages", chat_id=GROUP, count=100).json()["messages"]
    times = [one["timestamp"] for one in whole]
    assert times == sorted(times, reverse=True)
    older = ask(world, "GET", "messages", chat_id=GROUP, count=100, **{"from": times[2]}).json()["messages"]
    assert [one["body"]["mid"] for one in older] == [
        one["body"]["mid"] for one in whole if one["timestamp"] <= times[2]
    ]


def test_a_reply_stands_under_its_message(world: Running) -> None:
    said = world.says("max", "max-group", "Куда нажать?")
    link = {"type": "reply", "mid": said["external_id"]}
    answer = ask(world, "POST", "messages", {"text": "Сюда.", "link": link}, chat_id=GROUP).json()["message"]
    [stands] = world.truth("max", external_id=answer["body"]["mid"])
    assert (stands["parent_external_id"], stands["direction"]) == (said["external_id"], "out")


def test_what_is_wrong_is_refused(world: Running) -> None:
    assert world.http.get("/max/me", headers={"Authorization": "Bearer x"}).status_code == 401
    for verb, path, body, params in (
        ("GET", "messages", None, {"chat_id": GROUP, "count": 101}),
        ("GET", "messages", None, {"chat_id": GROUP, "offset": 1}),
        ("POST", "messages", {"text": ""}, {"chat_id": GROUP}),
        ("POST", "messages", {"text": "x" * 4001}, {"chat_id": GROUP}),
        ("POST", "messages", {"text": "x", "reply_to": 1}, {"chat_id": GROUP}),
        ("POST", "messages", {"text": "x", "link": {"type": "reply", "mid": "no"}}, {"chat_id": GROUP}),
        ("PUT", "messages", {"text": "x"}, {"message_id": "no"}),
        ("POST", "messages", {"text": "x"}, {"chat_id": "1"}),
    ):
        assert ask(world, verb, path, body, **params).status_code in (400, 404), (verb, params)
