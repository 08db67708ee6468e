"""Telegram coming in: nothing is confirmed before it was stored, and a message is understood as it was meant."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import httpx
import pytest
import respx
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.base import ChannelError, Incoming, Walk
from tests.collectors.desk import Desk
from tests.collectors.telegram_platform import (
    BOT,
    CHANNEL,
    EPOCH,
    GROUP,
    TOKEN,
    TelegramPlatform,
    channel,
    group,
    private,
    refused,
)

SECRET = "hook-secret_1"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def bots() -> Iterator[TelegramPlatform]:
    platform = TelegramPlatform()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="bots.example").mock(side_effect=platform)
        yield platform


def read(bots: TelegramPlatform, **given: Any) -> Desk:
    desk = Desk(channel(**given))
    desk.read(Walk.NEW)
    return desk


def only(desk: Desk) -> Incoming:
    (message,) = desk.messages().values()
    return message


# Fetching


def test_an_update_is_confirmed_only_after_its_page_was_stored(bots: TelegramPlatform) -> None:
    for number in range(230):
        bots.say(f"Вопрос {number}")
    walk = channel().walk(Walk.NEW, {})
    first = next(walk)
    assert len(first.raws) == 100
    assert "offset" not in bots.calls[-1][1]
    assert len(bots.queue) == 230  # the page is in our hands, and Telegram still keeps it
    second = next(walk)
    assert bots.calls[-1][1]["offset"] == first.cursor["offset"]
    assert len(bots.queue) == 130
    assert (first.complete, second.complete, next(walk).complete) == (False, False, True)


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_a_killed_walk_loses_nothing(bots: TelegramPlatform, pages: int) -> None:
    texts = {f"Вопрос {number}" for number in range(230)}
    for text in sorted(texts):
        bots.say(text)
    desk = Desk(channel())
    for _ in range(4):
        desk.read(Walk.NEW, pages)
    assert set(desk.texts().values()) == texts
    desk.read(Walk.NEW)
    assert bots.queue == []


def test_what_is_asked_for_is_named(bots: TelegramPlatform) -> None:
    read(bots)
    method, params = bots.calls[-1]
    assert (method, params["timeout"], params["limit"]) == ("getUpdates", 0, 100)
    assert params["allowed_updates"] == [
        "message",
        "edited_message",
        "channel_post",
        "edited_channel_post",
        "my_chat_member",
    ]


def test_there_is_nothing_to_re_read(bots: TelegramPlatform) -> None:
    bots.say()
    for walk in (Walk.DEEP, Walk.BACKFILL):
        (page,) = channel().walk(walk, {"bot": BOT, "offset": 5})
        assert (page.raws, page.complete, page.cursor) == ((), True, {"bot": BOT, "offset": 5})
    assert bots.calls == []


def test_listening_waits_and_stops(bots: TelegramPlatform) -> None:
    bots.say("Первый")
    stop, pages = Event(), []
    for page in channel().listen({}, stop):
        pages.append(page)
        if len(pages) == 2:
            stop.set()
        else:
            bots.say("Второй")
    assert [len(page.raws) for page in pages] == [1, 1]
    assert [params["timeout"] for method, params in bots.calls if method == "getUpdates"] == [25, 25]
    assert bots.calls[-1][1]["offset"] == pages[0].cursor["offset"]


def test_a_day_of_silence_is_a_gap(bots: TelegramPlatform) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        (page,) = channel().walk(Walk.NEW, {})
        clock.shift(timedelta(hours=23))
        (page,) = channel().walk(Walk.NEW, page.cursor)
        assert page.gap is None
        clock.shift(timedelta(hours=25))
        (page,) = channel().walk(Walk.NEW, page.cursor)
    assert page.gap is not None
    assert page.gap.startswith("no contact from 2026-11-26T11:00:00+00:00 to 2026-11-27T12:00:00+00:00: ")


def test_after_a_quiet_week_ids_may_begin_anew(bots: TelegramPlatform) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        bots.say("Давно")
        (page,) = channel().walk(Walk.NEW, {})
        clock.shift(timedelta(days=8))
        bots.queue, bots.update_id = [], 3
        bots.say("Снова")
        (page,) = channel().walk(Walk.NEW, page.cursor)
        assert len(page.raws) == 1
        assert "offset" not in bots.calls[-1][1]
        (page,) = channel().walk(Walk.NEW, page.cursor)
    assert bots.calls[-1][1]["offset"] == 5


def test_another_bot_does_not_inherit_the_offset(bots: TelegramPlatform) -> None:
    bots.say()
    (page,) = channel().walk(Walk.NEW, {"bot": 1, "offset": 10**6})
    assert len(page.raws) == 1


def test_being_put_out_of_the_group_is_a_gap(bots: TelegramPlatform) -> None:
    change = {"chat": group(), "new_chat_member": {"status": "kicked", "user": bots.me}}
    bots.arrive(change, "my_chat_member")
    bots.arrive({"chat": private(), "new_chat_member": {"status": "kicked"}}, "my_chat_member")
    (page,) = channel(chat_id=GROUP).walk(Walk.NEW, {})
    assert page.gap == f"the bot was removed from chat {GROUP}"


def test_one_group_and_every_dialogue_are_watched(bots: TelegramPlatform) -> None:
    bots.say("В группе")
    bots.say("В чужой", chat=group(id=-100555))
    bots.say("Лично", chat=private())
    desk = read(bots, chat_id=GROUP)
    assert set(desk.texts().values()) == {"В группе", "Лично"}
    assert set(read(bots).texts().values()) == {"В группе", "В чужой", "Лично"}


def test_an_upgraded_group_is_followed(bots: TelegramPlatform) -> None:
    old, new = {"id": -55, "type": "group", "title": "Чат"}, group(id=-100777)
    bots.say(None, chat=old, migrate_to_chat_id=-100777)
    bots.say("После переезда", chat=new)
    desk = read(bots, chat_id=-55)
    assert only(desk).container == "-100777"
    bots.say("И позже", chat=new)
    desk.read(Walk.NEW)
    assert set(desk.texts().values()) == {"После переезда", "И позже"}


@pytest.mark.parametrize(
    "strange", [{}, [], "x", None, {"message_id": 1}, {"message_id": "1", "chat": {"id": 5}}, 7]
)
def test_an_update_of_unknown_shape_is_kept_and_fails_alone(bots: TelegramPlatform, strange: Any) -> None:
    bots.arrive(strange)
    bots.say("Дальше")
    (page,) = channel().walk(Walk.NEW, {})
    broken, fine = page.raws
    with pytest.raises(ValueError, match="unknown shape"):
        channel().parse(broken)
    assert channel().parse(fine)[0].text == "Дальше"


def test_an_edit_is_the_same_message_with_another_digest(bots: TelegramPlatform) -> None:
    message = bots.say("Было")
    desk = read(bots)
    before = next(iter(desk.raws.values()))
    bots.arrive(message)  # delivered twice
    desk.read(Walk.NEW)
    assert next(iter(desk.raws.values())).digest == before.digest
    bots.arrive({**message, "text": "Стало", "edit_date": EPOCH + 500}, "edited_message")
    desk.read(Walk.NEW)
    one = only(desk)
    assert (one.text, one.external_id) == ("Стало", str(message["message_id"]))
    assert one.edited_at == datetime.fromtimestamp(EPOCH + 500, UTC)


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.sampled_from(["say", "edit", "read", "kill", "repeat"]), max_size=40), size=st.integers(1, 4)
)
def test_any_history_ends_equal(steps: list[str], size: int) -> None:
    bots, desk, truth = TelegramPlatform(), Desk(channel()), dict[str, Any]()
    with respx.mock(assert_all_called=False) as router, pytest.MonkeyPatch.context() as patch:
        patch.setattr("collectors.telegram.LIMIT", size)
        router.route(host="bots.example").mock(side_effect=bots)
        for number, step in enumerate(steps):
            if step == "say" or not truth:
                message = bots.say(f"Текст {number}")
                truth[str(message["message_id"])] = message
            elif step == "edit":
                key = list(truth)[number % len(truth)]
                truth[key] = bots.arrive(
                    {**truth[key], "text": f"Правка {number}", "edit_date": EPOCH}, "edited_message"
                )
            elif step == "read":
                desk.read(Walk.NEW)
            elif step == "kill":
                desk.read(Walk.NEW, 1)
            else:
                key = list(truth)[-1]
                bots.arrive(truth[key], "edited_message")  # the same once more
        desk.read(Walk.NEW)
        desk.read(Walk.NEW)
    assert desk.texts() == {key: message["text"] for key, message in truth.items()}


# Web hook


def test_a_web_hook_needs_the_secret(bots: TelegramPlatform) -> None:
    update = json.dumps({"update_id": 1, "message": bots.say("Вопрос")}).encode()
    hooked = channel(webhook_secret=SECRET)
    (raw,) = hooked.receive(update, {"X-Telegram-Bot-Api-Secret-Token": SECRET})
    assert hooked.parse(raw)[0].text == "Вопрос"
    (page,) = channel().walk(Walk.NEW, {})
    assert page.raws[0].digest == raw.digest  # the same by both ways
    near = [SECRET[:-1], SECRET + "x", SECRET.upper(), "", " ", "\ud800"]
    for headers in [{}, *({"x-telegram-bot-api-secret-token": wrong} for wrong in near)]:
        with pytest.raises(ChannelError) as caught:
            hooked.receive(update, headers)
        assert (caught.value.code, caught.value.permanent) == ("auth", True)
    for empty in (None, ""):
        with pytest.raises(ChannelError) as caught:
            channel(webhook_secret=empty).receive(update, {"X-Telegram-Bot-Api-Secret-Token": ""})
        assert caught.value.code == "settings"


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"null", b"{}", b'{"update_id":"1"}', b'{"update_id":true}', b"\xff", b"[" * 100_000,
     b'{"update_id":1' + b"0" * 30 + b"}", b"1" * 5000],
)  # fmt: skip
def test_a_signed_body_that_is_no_update_is_refused(payload: bytes) -> None:
    with pytest.raises(ChannelError) as caught:
        channel(webhook_secret=SECRET).receive(payload, {"x-telegram-bot-api-secret-token": SECRET})
    assert (caught.value.code, caught.value.permanent) == ("invalid", True)


FIELDS = [
    "message_id", "chat", "id", "type", "title", "text", "from", "sender_chat", "date", "reply_to_message",
    "entities", "message_thread_id", "is_automatic_forward", "forward_origin", "photo", "migrate_to_chat_id",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    changed=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4),
    inner=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4),
    where=st.sampled_from(["", "chat", "from", "sender_chat", "reply_to_message"]),
    kind=st.sampled_from(["message", "edited_message", "channel_post", "my_chat_member", "poll"]),
)
def test_a_signed_update_of_any_shape_is_kept_or_left(
    changed: dict[str, Any], inner: dict[str, Any], where: str, kind: str
) -> None:
    """Whatever it carries, receive() gives raws whose parsing fails, if at all, by itself."""
    hooked = channel(webhook_secret=SECRET)
    message = {**TelegramPlatform().say(), "is_automatic_forward": "reply" in changed, **changed}
    if where:
        message[where] = {"id": 5, "type": "private", "is_automatic_forward": True, **inner}
    payload = json.dumps({"update_id": 1, kind: message}).encode()
    raws = hooked.receive(payload, {"x-telegram-bot-api-secret-token": SECRET})
    assert len(raws) == (kind in ("message", "edited_message", "channel_post"))
    for raw in raws:
        try:
            found = hooked.parse(raw)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
            continue
        assert all(isinstance(one, Incoming) for one in found)


# Who we are, and what goes wrong


def test_check_tells_what_is_missing(bots: TelegramPlatform) -> None:
    full = channel(chat_id=GROUP).check()
    assert (full.account_id, full.account) == (str(BOT), "@slovo_bot")
    assert [right.name for right in full.missing] == ["can_restrict_members"]
    bots.member = {"status": "member"}
    bots.hook = "https://elsewhere.example/"
    poor = channel(chat_id=GROUP).check()
    assert {right.name: right.without for right in poor.missing} == {
        "no_foreign_webhook": "collect",
        "can_delete_messages": "delete",
        "can_restrict_members": "ban",
        "can_read_all_group_messages": "collect",
    }
    with pytest.raises(ChannelError) as caught:
        read(bots)
    assert (caught.value.code, caught.value.permanent) == ("conflict", False)


def test_a_group_that_cannot_be_reached_does_not_stop_dialogues(bots: TelegramPlatform) -> None:
    bots.say("Лично", chat=private())
    bots.faults = [refused(400, "Bad Request: chat not found")]
    assert only(read(bots, chat_id=GROUP)).text == "Лично"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, text='{"ok":true,"resu'),
        httpx.Response(200, json={"ok": True, "result": {}}),
        httpx.Response(200, json={"ok": True, "result": [{"message": {}}]}),
        httpx.Response(200, text="[" * 100_000),
        httpx.Response(502, text=""),
    ],
)
def test_a_broken_answer_moves_nothing(bots: TelegramPlatform, answer: httpx.Response) -> None:
    bots.say("Вопрос")
    bots.faults = [answer]
    desk = Desk(channel())
    with pytest.raises(ChannelError) as caught:
        desk.read(Walk.NEW)
    assert (caught.value.code, caught.value.permanent) == ("server", False)
    desk.read(Walk.NEW)
    assert only(desk).text == "Вопрос"


def test_the_token_is_nowhere_in_logs_and_errors(bots: TelegramPlatform, caplog: pytest.LogCaptureFixture) -> None:
    for name in (None, "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, name)
    faults: list[httpx.Response | Exception] = [
        refused(401, f"Unauthorized {TOKEN}"),
        httpx.ConnectError(f"https://bots.example/bot{TOKEN}/getMe"),
        httpx.Response(500, text=f"/bot{TOKEN}/"),
    ]
    told = []
    for fault in faults:
        bots.faults = [fault]
        with pytest.raises(ChannelError) as caught:
            channel().check()
        assert caught.value.__cause__ is None
        told.append(str(caught.value))
    assert "bots.example/bot***/getMe" in caplog.text
    assert TOKEN.partition(":")[2] not in caplog.text + "".join(told) + repr(channel().settings)


def test_the_channel_id_of_the_group_is_learned_from_its_forwards(bots: TelegramPlatform) -> None:
    bots.post()
    assert read(bots).cursor["ours"] == [CHANNEL]
