"""Telegram going out: what is sent, under what, and what is known when the answer is broken."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx

from collectors.base import Act, ActKind, ChannelError, Sent, Target, Verdict, Walk
from collectors.telegram import Telegram
from collectors.telegram.settings import Settings
from collectors.wire import Wire
from tests.collectors.conftest import CountingLimiter
from tests.collectors.desk import Desk
from tests.collectors.telegram_platform import (
    EPOCH,
    GROUP,
    TOKEN,
    TelegramPlatform,
    channel,
    done,
    group,
    private,
    refused,
)


@pytest.fixture
def bots() -> Iterator[TelegramPlatform]:
    platform = TelegramPlatform()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="bots.example").mock(side_effect=platform)
        yield platform


def act(kind: ActKind, message: dict[str, Any], text: str = "", **more: Any) -> Act:
    return Act(kind, 7, "token", Target(str(message["chat"]["id"]), str(message["message_id"]), **more), text)


def test_a_reply_names_the_comment_it_answers(bots: TelegramPlatform) -> None:
    comment = bots.comment(bots.post())
    receipt = channel().act(act(ActKind.REPLY, comment, "Завтра в *7*"))
    parameters = {"message_id": comment["message_id"], "allow_sending_without_reply": False}
    sent = {"chat_id": GROUP, "text": "Завтра в *7*", "reply_parameters": parameters}
    assert bots.calls == [("sendMessage", sent)]
    number = bots.sent[0]["message_id"]
    assert (receipt.external_id, receipt.container) == (str(number), str(GROUP))
    assert receipt.at == datetime.fromtimestamp(EPOCH + number, UTC)
    assert receipt.url == f"https://t.me/c/1234567890/{number}"


def test_what_was_read_can_be_answered_in_its_topic(bots: TelegramPlatform) -> None:
    created = {"message_id": 5, "forum_topic_created": {"name": "Домашка"}, "date": EPOCH}
    bots.say("В теме", message_thread_id=5, is_topic_message=True, reply_to_message=created)
    direct = {"topic_id": 9, "user": {"id": 42, "first_name": "Вера"}}
    bots.say("Лично", chat=group(id=-1008, is_direct_messages=True), direct_messages_topic=direct)
    desk = Desk(channel())
    desk.read(Walk.NEW)
    for one in desk.messages().values():
        target = Target(one.container, one.external_id, context=one.context)
        desk.channel.act(Act(ActKind.REPLY, 1, "t", target, "Да"))
    (_, topic), (_, personal) = bots.calls[-2:]
    assert topic["message_thread_id"] == 5
    assert personal["direct_messages_topic_id"] == 9


def test_a_message_to_a_post_is_a_comment_of_its_own(bots: TelegramPlatform) -> None:
    post = bots.post()["message_id"]
    target = Target(str(GROUP), publication_external_id=f"{GROUP}:{post}")
    channel().act(Act(ActKind.MESSAGE, 1, "t", target, "Запись открыта"))
    assert bots.calls[-1][1]["reply_parameters"]["message_id"] == post
    channel().act(Act(ActKind.MESSAGE, 1, "t", Target("42", publication_external_id="42"), "Здравствуйте"))
    assert bots.calls[-1][1] == {"chat_id": 42, "text": "Здравствуйте"}


@pytest.mark.parametrize(
    ("kind", "method", "more"),
    [
        (ActKind.EDIT, "editMessageText", {"text": "Стало"}),
        (ActKind.DELETE, "deleteMessage", {}),
        (ActKind.LIKE, "setMessageReaction", {"reaction": [{"type": "emoji", "emoji": "👍"}]}),
    ],
)
def test_acts_on_a_message(bots: TelegramPlatform, kind: ActKind, method: str, more: dict[str, Any]) -> None:
    message = bots.say()
    receipt = channel().act(act(kind, message, "Стало"))
    assert bots.calls == [(method, {"chat_id": GROUP, "message_id": message["message_id"], **more})]
    assert receipt.external_id == str(message["message_id"])


@pytest.mark.parametrize(
    ("author", "method", "params"),
    [("42", "banChatMember", {"user_id": 42}), ("-1005", "banChatSenderChat", {"sender_chat_id": -1005})],
)
def test_a_ban(bots: TelegramPlatform, author: str, method: str, params: dict[str, int]) -> None:
    channel().act(act(ActKind.BAN, bots.say(), author_external_id=author))
    assert bots.calls == [(method, {"chat_id": GROUP, **params})]


def test_what_is_already_so_is_done(bots: TelegramPlatform) -> None:
    message = bots.say()
    channel().act(act(ActKind.DELETE, message))
    assert channel().act(act(ActKind.DELETE, message)).external_id == str(message["message_id"])
    bots.faults = [refused(400, "Bad Request: message is not modified: specified new message content is the same")]
    assert channel().act(act(ActKind.EDIT, bots.say(), "То же")).container == str(GROUP)


@pytest.mark.parametrize(
    "wrong",
    [
        Act(ActKind.HIDE, 1, "t", Target(str(GROUP), "5")),
        Act(ActKind.REPLY, 1, "t", Target("the group", "5"), "Да"),
        Act(ActKind.REPLY, 1, "t", Target(str(GROUP)), "Да"),
        Act(ActKind.DELETE, 1, "t", Target(str(GROUP))),
        Act(ActKind.BAN, 1, "t", Target(str(GROUP), "5")),
    ],
)
def test_what_cannot_be_sent_is_not(bots: TelegramPlatform, wrong: Act) -> None:
    with pytest.raises(ChannelError) as caught:
        channel().act(wrong)
    assert caught.value.code in ("unsupported", "invalid")
    assert (caught.value.permanent, caught.value.sent, bots.calls) == (True, Sent.NO, [])


def test_a_message_follows_a_group_that_moved_and_a_reply_does_not(bots: TelegramPlatform) -> None:
    moved = refused(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-100777)
    bots.faults = [moved]
    receipt = channel().act(Act(ActKind.MESSAGE, 1, "t", Target("-55"), "Здравствуйте"))
    assert [params["chat_id"] for _, params in bots.calls] == [-55, -100777]
    assert receipt.container == "-100777"
    bots.faults = [moved]
    with pytest.raises(ChannelError, match="-100777") as caught:
        channel().act(Act(ActKind.REPLY, 1, "t", Target("-55", "5"), "Да"))
    assert (caught.value.code, caught.value.permanent, caught.value.sent) == ("gone", True, Sent.NO)


@pytest.mark.parametrize(
    ("code", "told", "ours", "permanent"),
    [
        (400, "Bad Request: chat not found", "gone", True),
        (400, "Bad Request: message to be replied not found", "gone", True),
        (400, "Bad Request: MESSAGE_ID_INVALID", "gone", True),
        (400, "Bad Request: message is too long", "invalid", True),
        (400, "Bad Request: message text is empty", "invalid", True),
        (400, "Bad Request: can't parse entities: unclosed", "invalid", True),
        (400, "Bad Request: TOPIC_CLOSED", "closed", True),
        (400, "Bad Request: not enough rights to send text messages to the chat", "rights", True),
        (400, "Bad Request: message can't be deleted for everyone", "rights", True),
        (401, "Unauthorized", "auth", True),
        (403, "Forbidden: bot was blocked by the user", "closed", True),
        (403, "Forbidden: bot was kicked from the supergroup chat", "closed", True),
        (403, "Forbidden: user is deactivated", "closed", True),
        (403, "Forbidden: bot can't initiate conversation with a user", "closed", True),
        (403, "Forbidden: CHAT_WRITE_FORBIDDEN", "rights", True),
        (404, "Not Found", "auth", True),
        (409, "Conflict: terminated by other getUpdates request", "conflict", False),
    ],
)
def test_an_error_that_telegram_tells_means_not_sent(
    bots: TelegramPlatform, code: int, told: str, ours: str, permanent: bool
) -> None:
    bots.faults = [refused(code, told)]
    with pytest.raises(ChannelError) as caught:
        channel().act(act(ActKind.REPLY, bots.say(), "Да"))
    error = caught.value
    assert (error.code, error.permanent, error.sent, error.message) == (ours, permanent, Sent.NO, told)
    assert len(bots.calls) == 1


@pytest.mark.parametrize(
    ("answer", "pause"),
    [
        (refused(429, "Too Many Requests: retry after 31", retry_after=31), 31),
        (httpx.Response(429, text="<html>", headers={"Retry-After": "8"}), 8),
        (httpx.Response(429, text=""), None),
    ],
)
def test_too_many_says_how_long_to_wait(
    bots: TelegramPlatform, answer: httpx.Response, pause: float | None
) -> None:
    bots.faults = [answer]
    with pytest.raises(ChannelError) as caught:
        channel().act(act(ActKind.REPLY, bots.say(), "Да"))
    error = caught.value
    assert (error.code, error.permanent, error.retry_after, error.sent) == ("rate", False, pause, Sent.NO)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (httpx.ReadTimeout("x"), "network"),
        (httpx.WriteError("x"), "network"),
        (httpx.RemoteProtocolError("reset"), "network"),
        (
            httpx.Response(500, json={"ok": False, "error_code": 500, "description": "Internal Server Error"}),
            "server",
        ),
        (httpx.Response(502, text="<html>"), "server"),
        (httpx.Response(200, text="<html>"), "server"),
        (httpx.Response(200, text='{"ok":true,"result":{"message_id":'), "server"),
        (httpx.Response(403, text="<html>proxy"), "server"),
        (httpx.Response(400, text="[" * 100_000), "server"),
        (done({"message_id": 5}), "server"),
        (done(True), "server"),
        (done(None), "server"),
        (done([]), "server"),
    ],
)
def test_a_broken_answer_leaves_the_outcome_unknown(
    bots: TelegramPlatform, fault: httpx.Response | Exception, code: str
) -> None:
    bots.lost = [fault]
    reply = act(ActKind.REPLY, bots.say(), "Да")
    with pytest.raises(ChannelError) as caught:
        channel().act(reply)
    assert (caught.value.code, caught.value.sent, caught.value.permanent) == (code, Sent.UNKNOWN, False)
    assert caught.value.__cause__ is None
    assert len(bots.sent) == 1
    assert channel().lookup(reply).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("fault", [httpx.ConnectError("x"), httpx.ConnectTimeout("x")])
def test_a_refused_connection_is_not_sent(bots: TelegramPlatform, fault: Exception) -> None:
    bots.faults = [fault]
    with pytest.raises(ChannelError) as caught:
        channel().act(act(ActKind.REPLY, bots.say(), "Да"))
    assert (caught.value.code, caught.value.sent) == ("network", Sent.NO)


def test_a_broken_answer_to_a_ban_is_unknown_too(bots: TelegramPlatform) -> None:
    bots.lost = [done({"unexpected": 1})]
    with pytest.raises(ChannelError) as caught:
        channel().act(act(ActKind.BAN, bots.say(), author_external_id="42"))
    assert caught.value.sent is Sent.UNKNOWN


def test_limits_are_those_of_the_chat(bots: TelegramPlatform, limiter: CountingLimiter) -> None:
    one = Telegram(Settings.model_validate({"token": TOKEN, "base_url": "https://bots.example"}), Wire(), limiter)
    one.act(act(ActKind.REPLY, bots.say(), "Да"))
    one.act(act(ActKind.REPLY, bots.say(chat=private()), "Да"))
    assert limiter.calls == [
        (f"telegram:7001:{GROUP}", 20 / 60, 1),
        ("telegram:7001", 30, 1),
        ("telegram:7001:42", 1, 1),
        ("telegram:7001", 30, 1),
    ]


def test_length_is_counted_in_utf16(bots: TelegramPlatform) -> None:
    assert Telegram.can.length("я" * 4096) == Telegram.can.max_length
    assert Telegram.can.length("😀" * 2048) == 4096
    channel().act(act(ActKind.REPLY, bots.say(), "😀" * 2048))
    with pytest.raises(ChannelError, match="too long"):
        channel().act(act(ActKind.REPLY, bots.say(), "😀" * 2049))


def test_our_reply_under_a_post_is_linked_to_it(bots: TelegramPlatform) -> None:
    post = bots.post()
    reply = {"message_id": 99, "chat": group(), "date": EPOCH, "message_thread_id": post["message_id"]}
    bots.lost = [done({**reply, "reply_to_message": post})]
    target = Target(str(GROUP), publication_external_id=f"{GROUP}:{post['message_id']}")
    receipt = channel().act(Act(ActKind.MESSAGE, 1, "t", target, "Запись открыта"))
    assert receipt.url == "https://t.me/slovo_school/77?comment=99"
