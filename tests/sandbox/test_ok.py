"""Odnoklassniki of the sandbox: every call is signed, pages go by anchor, errors come with HTTP 200."""

from typing import Any

from sandbox import keys, ok
from tests.sandbox.running import Running

TOPIC = "156990000000024"


def rest(running: Running, method: str, **told: str) -> Any:
    told |= {"method": method, "application_key": keys.OK_APPLICATION, "format": "json"}
    told["sig"] = ok.sign(told)
    answer = running.http.post("/ok/fb.do", data={**told, "access_token": keys.OK_TOKEN})
    assert answer.status_code == 200
    return answer.json()


def comments(running: Running, **told: str) -> Any:
    where = {"discussionId": TOPIC, "discussionType": "GROUP_TOPIC", "mark_as_read": "false"}
    return rest(running, "discussions.getComments", **where, **told)


def test_pages_by_anchor_lose_nothing_when_something_is_removed_between(alone: Running) -> None:
    first = comments(alone, anchor="FIRST", direction="FORWARD", count="2")
    assert first["has_more"]
    gone = {"platform": "ok", "id": first["comments"][0]["id"], "kind": "topic"}
    assert alone.http.post("/_sandbox/delete", json=gone).status_code == 200
    rest_of_it = comments(alone, anchor=first["anchor"], direction="FORWARD", count="100")
    assert not rest_of_it["has_more"]
    read = [one["id"] for one in first["comments"] + rest_of_it["comments"]]
    standing = alone.truth("ok", publication=TOPIC, state="published")
    assert set(read) - {gone["id"]} == {one["external_id"] for one in standing}


def test_the_list_begins_with_what_was_written_to_last(alone: Running) -> None:
    alone.says("ok", "ok-start", "А пробное занятие есть?")
    listed = rest(alone, "discussions.getList", types="GROUP_TOPIC", count="1", direction="FORWARD")
    [first] = listed["discussions"]
    assert first["title"].startswith("Английский с нуля")
    assert first["total_comments_count"] == len(
        alone.truth("ok", publication=first["object_id"], state="published")
    )
    assert listed["has_more"]


def test_an_answer_of_the_group_stands_under_its_comment(world: Running) -> None:
    said = world.says("ok", "ok-open", "Во сколько начало?")
    where = {"entityId": said["publication"], "entityType": "GROUP_TOPIC"}
    told = {"comment": "В полдень.", "reply_to_comment_id": said["external_id"], "as_admin": "true"}
    made = rest(world, "discussions.addDiscussionComment", **where, **told)
    [stands] = world.truth("ok", external_id=made["id"])
    assert (stands["parent_external_id"], stands["direction"]) == (said["external_id"], "out")
    assert stands["author_external_id"] == keys.OK_GROUP


def test_messages_of_the_group_run_backwards(world: Running) -> None:
    said = world.says("ok", "dialog", "Вы на связи?", author="zoya")
    chat = said["container_id"]
    key = {"access_token": keys.OK_BOT_TOKEN}
    assert {"chat_id": chat} in world.http.get("/ok/graph/me/chats", params=key).json()["chats"]
    body = {"recipient": {"chat_id": chat}, "message": {"text": "Да!"}}
    assert world.http.post(f"/ok/graph/me/messages/{chat}", params=key, json=body).json()["success"]
    told = world.http.get(f"/ok/graph/me/messages/{chat}", params=key).json()["messages"]
    assert [one["message"]["text"] for one in told[:2]] == ["Да!", "Вы на связи?"]
    assert told[0]["sender"]["user_id"] == f"group:{keys.OK_GROUP}"


def test_what_is_wrong_is_refused_with_a_number(world: Running) -> None:
    unsigned = {"method": "users.getCurrentUser", "application_key": keys.OK_APPLICATION, "sig": "0" * 32}
    answer = world.http.post("/ok/fb.do", data={**unsigned, "access_token": keys.OK_TOKEN})
    assert answer.json()["error_code"] == 104
    assert answer.headers["invocation-error"] == "104"
    assert rest(world, "wall.get")["error_code"] == 3
    assert comments(world, anchor="FIRST", offset="5")["error_code"] == 100
    assert comments(world, anchor="FIRST", count="101")["error_code"] == 100
    where = {"discussionId": TOPIC, "discussionType": "GROUP_TOPIC"}
    assert (
        rest(world, "discussions.editDiscussionComment", **where, comment_id="1", comment="x")["error_code"] == 700
    )
