"""Telegram over HTTP: the queue of updates and its confirmation, the discussion group, sending, limits."""

import threading
import time
from typing import Any

import httpx
import pytest

from sandbox import keys
from tests.sandbox.running import Running

GROUP = keys.TELEGRAM_GROUP


def result(answer: httpx.Response) -> Any:
    content = answer.json()
    assert content["ok"], content
    return content["result"]


def refused(answer: httpx.Response) -> tuple[int, str]:
    content = answer.json()
    assert content["ok"] is False
    assert content["error_code"] == answer.status_code
    return answer.status_code, content["description"]


def drained(running: Running) -> int:
    """Confirms everything that waits; returns the offset for what comes next."""
    offset = 0
    while updates := result(running.telegram("getUpdates", offset=offset)):
        offset = updates[-1]["update_id"] + 1
    return offset


def test_updates_wait_until_a_higher_offset_confirms_them(alone: Running) -> None:
    first = result(alone.telegram("getUpdates", limit=3))
    assert result(alone.telegram("getUpdates", limit=3)) == first
    ids = [update["update_id"] for update in first]
    assert ids == [ids[0], ids[0] + 1, ids[0] + 2]
    after = result(alone.telegram("getUpdates", offset=ids[1], limit=3))
    assert after[0] == first[1]
    assert result(alone.telegram("getUpdates", offset=0, limit=1))[0] == first[1]


def test_a_negative_offset_forgets_the_rest(alone: Running) -> None:
    last = result(alone.telegram("getUpdates", offset=-2))
    assert len(last) == 2
    assert result(alone.telegram("getWebhookInfo"))["pending_update_count"] == 2


def test_confirmation_survives_a_kill(alone: Running) -> None:
    offset = drained(alone)
    alone.process.kill()
    alone.close()
    again = Running(alone.folder, "--no-trickle")
    try:
        assert result(again.telegram("getUpdates")) == []
        again.says("telegram", "tg-up", "после перезапуска")
        assert result(again.telegram("getUpdates"))[0]["update_id"] == offset
    finally:
        again.close()


def test_every_seeded_comment_waits_under_its_post(alone: Running) -> None:
    updates, offset = [], 0
    while page := result(alone.telegram("getUpdates", offset=offset)):
        updates += page
        offset = page[-1]["update_id"] + 1
    messages = [update["message"] for update in updates if "message" in update]
    roots = {message["message_id"]: message for message in messages if message.get("is_automatic_forward")}
    assert len(roots) == sum("channel_post" in update for update in updates) == 8
    assert all(root["forward_origin"]["chat"]["id"] == keys.TELEGRAM_CHANNEL for root in roots.values())
    comments = [
        message for message in messages if message["message_id"] not in roots or message["chat"]["id"] != GROUP
    ]
    wanted = alone.truth("telegram", direction="in")
    assert {message["text"] for message in comments} == {item["text"] for item in wanted}
    in_group = [
        message for message in comments if message["chat"]["id"] == GROUP and "message_thread_id" in message
    ]
    assert {message["message_thread_id"] for message in in_group} <= set(roots)
    assert all("reply_to_message" not in message["reply_to_message"] for message in in_group)
    assert sum(message["chat"]["type"] == "private" for message in comments) == 2


def test_a_long_poll_gets_a_comment_at_once(alone: Running) -> None:
    offset = drained(alone)
    got: list[Any] = []
    poll = threading.Thread(
        target=lambda: got.extend(result(alone.telegram("getUpdates", offset=offset, timeout=20)))
    )
    poll.start()
    time.sleep(0.2)
    started = time.monotonic()
    new = alone.says("telegram", "tg-up", "Вернулось всё!")
    poll.join(timeout=5)
    assert time.monotonic() - started < 1
    assert got[0]["message"]["message_id"] == int(new["external_id"])
    assert got[0]["message"]["reply_to_message"]["is_automatic_forward"] is True


def test_two_pollers_conflict_and_the_older_is_told(alone: Running) -> None:
    offset = drained(alone)
    answers: list[httpx.Response] = []
    poll = threading.Thread(target=lambda: answers.append(alone.telegram("getUpdates", offset=offset, timeout=20)))
    poll.start()
    time.sleep(0.2)
    assert result(alone.telegram("getUpdates", offset=offset)) == []
    poll.join(timeout=5)
    code, words = refused(answers[0])
    assert code == 409
    assert "terminated by other getUpdates request" in words


def test_allowed_updates_stay_until_they_are_changed(alone: Running) -> None:
    offset = drained(alone)
    alone.telegram("getUpdates", offset=offset, allowed_updates=["edited_message"])
    new = alone.says("telegram", "tg-up", "этого бот не увидит")
    edit = {"platform": "telegram", "id": new["external_id"], "text": "а правку увидит"}
    alone.http.post("/_sandbox/edit", json=edit)
    got = result(alone.telegram("getUpdates", offset=offset))
    assert [list(update)[1] for update in got] == ["edited_message"]
    assert got[0]["edited_message"]["edit_date"] >= got[0]["edited_message"]["date"]
    assert result(alone.telegram("getWebhookInfo"))["allowed_updates"] == ["edited_message"]
    alone.telegram("getUpdates", allowed_updates=[])
    alone.says("telegram", "tg-up", "снова видно")
    assert "message" in result(alone.telegram("getUpdates"))[-1]


def test_nobody_is_told_of_a_deletion(alone: Running) -> None:
    offset = drained(alone)
    id_ = alone.truth("telegram", key="t44")[0]["external_id"]
    alone.http.post("/_sandbox/delete", json={"platform": "telegram", "id": id_})
    assert result(alone.telegram("getUpdates", offset=offset)) == []
    answer = alone.telegram("sendMessage", chat_id=GROUP, text="а?", reply_parameters={"message_id": int(id_)})
    assert refused(answer) == (400, "Bad Request: message to be replied not found")


def test_an_answer_joins_the_thread_and_does_not_come_back(alone: Running) -> None:
    offset = drained(alone)
    asked = alone.truth("telegram", key="t15")[0]
    params = {"message_id": int(asked["external_id"])}
    sent = result(alone.telegram("sendMessage", chat_id=GROUP, text="Испанский вернём", reply_parameters=params))
    assert sent["message_thread_id"] == 231
    assert sent["reply_to_message"]["text"] == asked["text"]
    assert sent["from"]["id"] == keys.TELEGRAM_BOT
    standing = alone.truth("telegram", external_id=str(sent["message_id"]))[0]
    assert (standing["parent_external_id"], standing["direction"]) == (asked["external_id"], "out")
    assert result(alone.telegram("getUpdates", offset=offset)) == []


def test_parameters_come_as_a_form_too(world: Running) -> None:
    id_ = world.truth("telegram", key="t03")[0]["external_id"]
    form = {"chat_id": str(GROUP), "text": "На второй", "reply_parameters": f'{{"message_id": {id_}}}'}
    sent = result(world.http.post(f"/telegram/bot{keys.TELEGRAM_TOKEN}/sendmessage", data=form))
    assert sent["reply_to_message"]["message_id"] == int(id_)


def test_a_missing_parent_is_an_error_unless_waived(world: Running) -> None:
    params = {"message_id": 999_999}
    answer = world.telegram("sendMessage", chat_id=GROUP, text="кому?", reply_parameters=params)
    assert refused(answer) == (400, "Bad Request: message to be replied not found")
    waived = {**params, "allow_sending_without_reply": True}
    sent = result(world.telegram("sendMessage", chat_id=GROUP, text="всем", reply_parameters=waived))
    assert "reply_to_message" not in sent


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"chat_id": 5, "text": "а"}, "Bad Request: chat not found"),
        ({"chat_id": GROUP, "text": " "}, "Bad Request: message text is empty"),
        ({"chat_id": GROUP, "text": "а" * 4097}, "Bad Request: message is too long"),
        ({"chat_id": GROUP, "text": "<b>а", "parse_mode": "HTML"}, "Bad Request: can't parse entities"),
        ({"chat_id": GROUP, "text": "5.", "parse_mode": "MarkdownV2"}, "Bad Request: can't parse entities"),
    ],
)
def test_wrong_messages_are_refused(world: Running, params: dict[str, Any], words: str) -> None:
    code, description = refused(world.telegram("sendMessage", **params))
    assert code == 400
    assert description.startswith(words)


def test_markup_leaves_the_text(world: Running) -> None:
    sent = result(world.telegram("sendMessage", chat_id=GROUP, text="<b>5 &lt; 6</b>", parse_mode="HTML"))
    assert sent["text"] == "5 < 6"


def test_private_messages_go_only_to_those_who_wrote(world: Running) -> None:
    wrote = world.truth("telegram", key="t46")[0]
    parent = {"message_id": int(wrote["external_id"])}
    chat = int(wrote["publication"])
    sent = result(world.telegram("sendMessage", chat_id=chat, text="Please ask Vera", reply_parameters=parent))
    assert sent["chat"]["type"] == "private"
    code, words = refused(world.telegram("sendMessage", chat_id=7990000101, text="Здравствуйте"))
    assert (code, words) == (403, "Forbidden: bot can't initiate conversation with a user")


def test_own_messages_are_edited_and_any_is_deleted(world: Running) -> None:
    own = result(world.telegram("sendMessage", chat_id=GROUP, text="Опечтка"))["message_id"]
    edited = result(world.telegram("editMessageText", chat_id=GROUP, message_id=own, text="Опечатка"))
    assert edited["edit_date"] >= edited["date"]
    same = world.telegram("editMessageText", chat_id=GROUP, message_id=own, text="Опечатка")
    assert "message is not modified" in refused(same)[1]
    foreign = int(world.says("telegram", "tg-up", "сотрите меня")["external_id"])
    answer = world.telegram("editMessageText", chat_id=GROUP, message_id=foreign, text="а")
    assert refused(answer) == (400, "Bad Request: message can't be edited")
    assert result(world.telegram("deleteMessage", chat_id=GROUP, message_id=foreign)) is True
    answer = world.telegram("deleteMessage", chat_id=GROUP, message_id=foreign)
    assert refused(answer) == (400, "Bad Request: message to delete not found")
    assert world.truth("telegram", external_id=str(foreign), kind="post")[0]["state"] == "deleted"


def test_a_bot_sets_one_reaction(world: Running) -> None:
    id_ = int(world.truth("telegram", key="t28")[0]["external_id"])
    heart = [{"type": "emoji", "emoji": "❤"}]
    assert result(world.telegram("setMessageReaction", chat_id=GROUP, message_id=id_, reaction=heart)) is True
    assert world.truth("telegram", key="t28")[0]["likes"] == 1
    answer = world.telegram("setMessageReaction", chat_id=GROUP, message_id=id_, reaction=heart * 2)
    assert refused(answer) == (400, "Bad Request: REACTIONS_TOO_MANY")


def test_who_the_bot_is_and_where(world: Running) -> None:
    assert result(world.telegram("getMe"))["can_read_all_group_messages"] is True
    assert result(world.telegram("getChat", chat_id=GROUP))["linked_chat_id"] == keys.TELEGRAM_CHANNEL
    channel = result(world.telegram("getChat", chat_id=f"@{keys.SCREEN_NAME}"))
    assert channel["linked_chat_id"] == GROUP
    member = result(world.telegram("getChatMember", chat_id=GROUP, user_id=keys.TELEGRAM_BOT))
    assert (member["status"], member["can_delete_messages"]) == ("administrator", True)
    assert refused(world.telegram("getFile", file_id="x")) == (400, "Bad Request: invalid file_id")


def test_wrong_token_and_method(world: Running) -> None:
    assert refused(world.http.get("/telegram/bot100:other/getMe")) == (401, "Unauthorized")
    assert refused(world.telegram("dance"))[0] == 404


def test_a_group_takes_twenty_a_minute(alone: Running) -> None:
    answers = [alone.telegram("sendMessage", chat_id=GROUP, text=f"ответ {n}") for n in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    content = answers[20].json()
    assert content["description"] == f"Too Many Requests: retry after {content['parameters']['retry_after']}"
    assert 50 <= content["parameters"]["retry_after"] <= 61
    assert len(alone.truth("telegram", direction="out", kind="chat")) == 20
