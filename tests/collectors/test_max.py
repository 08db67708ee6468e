"""MAX coming in: updates by marker, history re-read, edits, removals, our own, the web hook."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.base import Attachment, ChannelError, Raw, SourceState, Visibility, Walk
from collectors.max.message import moment
from tests.collectors.desk import Desk
from tests.collectors.max_platform import BOT, DIALOGUE, EPOCH, GROUP, SECRET, TOKEN, MaxPlatform, channel, refused

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def bots() -> Iterator[MaxPlatform]:
    platform = MaxPlatform()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="max.example").mock(side_effect=platform)
        yield platform


class Shelf(Desk):
    """A desk that also knows of removals told by events."""

    def standing(self) -> dict[str, str]:
        gone = {key[1] for key, raw in self.raws.items() if raw.kind == "removed"}
        found = {}
        for raw in self.raws.values():
            for one in self.channel.parse(raw):
                if one.state is SourceState.PUBLISHED and one.external_id not in gone:
                    found[one.external_id] = one.text
        return found


def test_messages_are_understood(bots: MaxPlatform) -> None:
    question = bots.write("Когда начало?")
    photo = {"type": "image", "payload": {"url": "https://i.example/1", "token": "t", "photo_id": 5}}
    bots.write("", DIALOGUE, body={"mid": "mid.x", "seq": 9, "text": None, "attachments": [photo]})
    answer = bots.write("В семь", sender=BOT, to=question["body"]["mid"])
    bots.write("Отвечу я", sender=77)
    desk = Desk(channel(our_ids=[77]))
    desk.cursor = {"marker": 0}
    desk.read(Walk.NEW)
    first, picture, own, colleague = desk.messages().values()
    assert (first.text, first.container, first.author.name) == ("Когда начало?", str(GROUP), "Вера Полякова")
    assert (first.published_at, first.visibility) == (moment(question["timestamp"]), Visibility.PUBLIC)
    assert (picture.visibility, picture.publication.title) == (Visibility.PRIVATE, "Вера Полякова")
    assert [(file.kind, file.url) for file in picture.attachments] == [("photo", "https://i.example/1")]
    assert (own.author.is_us, own.parent_external_id) == (True, question["body"]["mid"])
    assert own.external_id == answer["body"]["mid"]
    assert colleague.author.is_us
    assert not own.automatic


def test_an_edit_and_a_removal_of_one_page_keep_the_text(bots: MaxPlatform) -> None:
    one, two = (bots.write(text)["body"]["mid"] for text in ("Как записатся?", "Ой, не туда"))
    bots.edit(one, "Как записаться?")
    bots.remove(two)
    raws = [raw for page in channel().walk(Walk.NEW, {"marker": 0}) for raw in page.raws]
    messages = [message for raw in raws for message in channel().parse(raw)]
    assert messages[0].text == "Как записаться?"
    assert messages[0].edited_at == moment(EPOCH + 3)
    assert (messages[-1].state, messages[-1].text, messages[-1].external_id) == (
        SourceState.DELETED,
        "Ой, не туда",
        two,
    )


def test_a_late_creation_does_not_undo_an_edit_of_the_same_page(bots: MaxPlatform) -> None:
    mid = bots.write("Было")["body"]["mid"]
    bots.edit(mid, "Стало")
    bots.queue.reverse()
    desk = Desk(channel())
    desk.cursor = {"marker": 0}
    desk.read(Walk.NEW)
    assert desk.texts() == {mid: "Стало"}


def test_a_removal_of_what_was_never_seen_leaves_a_mark() -> None:
    update = {"update_type": "message_removed", "timestamp": EPOCH, "chat_id": GROUP, "message_id": "mid.1"}
    hook = channel(webhook_secret=SECRET)
    (raw,) = hook.receive(json.dumps(update).encode(), {"X-Max-Bot-Api-Secret": SECRET})
    (message,) = hook.parse(raw)
    assert (message.container, message.state, message.author) == (str(GROUP), SourceState.DELETED, None)


def test_without_a_marker_the_deep_walk_fills_what_the_events_did_not_tell(bots: MaxPlatform) -> None:
    for number in range(7):
        bots.write(f"Вопрос {number}")
    desk = Desk(channel())
    desk.read(Walk.NEW)
    assert len(desk.texts()) == 1, "MAX gives the latest update only to a bot without a marker"
    desk.read(Walk.BACKFILL)
    assert desk.texts() == bots.truth()
    assert desk.completed


def test_the_deep_walk_finds_lost_edits_removals_and_our_own(bots: MaxPlatform) -> None:
    mids = [bots.write(f"Вопрос {number}")["body"]["mid"] for number in range(5)]
    desk = Desk(channel())
    desk.read(Walk.BACKFILL)
    bots.silent = True
    bots.edit(mids[0], "Вопрос 0, исправлен")
    bots.remove(mids[1])
    bots.write("Ответ", sender=BOT, to=mids[2])
    desk.read(Walk.DEEP)
    assert desk.texts() == bots.truth()
    changes = desk.changes
    desk.read(Walk.DEEP)
    assert desk.changes == changes, "views and tokens must not look like edits"


def test_a_closed_chat_does_not_stop_the_others(bots: MaxPlatform) -> None:
    bots.write("Лично", DIALOGUE)
    bots.write("В группе")
    desk = Desk(channel())
    desk.cursor = {"marker": 0}
    desk.read(Walk.NEW)
    bots.denied = {GROUP}
    desk.read(Walk.DEEP)
    assert desk.completed
    assert desk.texts() == bots.truth(), "a refused chat is not an empty one"


@pytest.mark.parametrize("walk", [Walk.DEEP, Walk.BACKFILL])
def test_a_chat_that_was_emptied_unheard_is_found(bots: MaxPlatform, walk: Walk) -> None:
    mids = [bots.write(text)["body"]["mid"] for text in ("Раз", "Два")]
    desk = Desk(channel())
    desk.read(Walk.BACKFILL)
    bots.silent = True
    for mid in mids:
        bots.remove(mid)
    desk.read(walk)
    assert desk.texts() == bots.truth() == {}


def test_a_chat_that_only_looks_empty_is_not(bots: MaxPlatform) -> None:
    bots.write("Раз")
    desk = Desk(channel())
    desk.read(Walk.BACKFILL)
    bots.blind = {GROUP}
    desk.read(Walk.DEEP)
    assert desk.texts() == bots.truth() != {}


def test_our_own_hook_is_no_trouble_and_a_foreign_one_is(bots: MaxPlatform) -> None:
    bots.hooks = [{"url": "https://desk.example/", "time": 1, "update_types": None}]
    assert [page.complete for page in channel(webhook_secret=SECRET).walk(Walk.NEW, {"marker": 3})] == [True]
    with pytest.raises(ChannelError) as caught:
        list(channel().walk(Walk.NEW, {}))
    assert caught.value.code == "conflict"
    assert [right.held for right in channel().check().rights] == [False]
    assert channel(webhook_secret=SECRET).check().missing == ()
    assert channel().check().account_id == str(BOT)


@pytest.mark.parametrize("hooked", [False, True])
def test_longer_silence_than_events_are_kept_is_a_gap(bots: MaxPlatform, hooked: bool) -> None:
    own = channel(webhook_secret=SECRET) if hooked else channel()
    bots.hooks = [{"url": "https://desk.example/hook"}] if hooked else []
    with time_machine.travel(NOW, tick=False) as clock:
        (page,) = own.walk(Walk.NEW, {"marker": 0})
        clock.shift(timedelta(hours=7))
        (page,) = own.walk(Walk.NEW, page.cursor)
        assert page.gap is None
        clock.shift(timedelta(hours=9))
        (page,) = own.walk(Walk.NEW, page.cursor)
        told, since = page.gap, page.gap_since
        (page,) = own.walk(Walk.NEW, page.cursor)
    assert since == NOW + timedelta(hours=7)
    assert told == (
        "no contact from 2026-11-26T19:00:00+00:00 to 2026-11-27T04:00:00+00:00: MAX keeps events for 8 hours"
    )
    assert page.gap is None  # told once


def test_a_web_hook_that_max_has_ended_leaves_a_gap(bots: MaxPlatform) -> None:
    """Our door was shut for eight hours while the clock went on asking: the silence is the hook's, not ours."""
    hooked = channel(webhook_secret=SECRET)
    with time_machine.travel(NOW, tick=False) as clock:
        bots.hooks = [{"url": "https://desk.example/hook"}]
        (page,) = hooked.walk(Walk.NEW, {"marker": 0})
        clock.shift(timedelta(minutes=1))
        bots.hooks = []
        (page,) = hooked.walk(Walk.NEW, page.cursor)
        assert page.gap == "MAX has ended the web hook: nobody had answered it for 8 hours"
        assert page.gap_since == NOW + timedelta(minutes=1) - timedelta(hours=8)
        (page,) = hooked.walk(Walk.NEW, page.cursor)
        assert page.gap is None  # told once


def test_a_web_hook_that_was_given_up_leaves_none(bots: MaxPlatform) -> None:
    bots.hooks = [{"url": "https://desk.example/hook"}]
    (page,) = channel(webhook_secret=SECRET).walk(Walk.NEW, {"marker": 0})
    bots.hooks = []
    (page,) = channel().walk(Walk.NEW, page.cursor)
    assert page.gap is None


def test_a_first_reading_and_one_of_an_older_desk_are_no_silence(bots: MaxPlatform) -> None:
    for cursor in ({}, {"marker": 0}, {"marker": 0, "seen": None}):
        (page,) = channel().walk(Walk.NEW, cursor)
        assert page.gap is None


def test_leaving_a_chat_is_a_gap(bots: MaxPlatform) -> None:
    bots.tell("bot_removed", chat_id=GROUP, user={"user_id": 1})
    (page,) = channel().walk(Walk.NEW, {"marker": 0})
    assert page.gap == f"the bot was removed from chat {GROUP}"


@pytest.mark.parametrize("given_secret", ["", "wrong", SECRET[:-1], SECRET + " ", "секрет", None])
def test_a_hook_without_the_secret_is_refused(given_secret: str | None) -> None:
    headers = {} if given_secret is None else {"X-Max-Bot-Api-Secret": given_secret}
    with pytest.raises(ChannelError) as caught:
        channel(webhook_secret=SECRET).receive(b'{"update_type": "message_created"}', headers)
    assert caught.value.code == "auth"
    with pytest.raises(ChannelError) as caught:
        channel().receive(b"{}", {"X-Max-Bot-Api-Secret": ""})
    assert caught.value.code == "settings"


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b"[" * 100_000, b'{"update_type": 5}', b"\xff"])
def test_a_hook_with_another_body_is_refused(body: bytes) -> None:
    with pytest.raises(ChannelError) as caught:
        channel(webhook_secret=SECRET).receive(body, {"x-max-bot-api-secret": SECRET})
    assert caught.value.code == "invalid"


@pytest.mark.parametrize(
    "update",
    [
        {"update_type": "message_created"},
        {"update_type": "message_created", "message": {"body": None, "recipient": {"chat_id": 1}}},
        {"update_type": "message_edited", "message": {"body": {"mid": "m"}, "recipient": {"chat_id": "x"}}},
        {"update_type": "message_removed", "chat_id": 2**70, "message_id": "m", "timestamp": 1},
    ],
)
def test_an_update_of_another_shape_is_kept_and_fails_alone(update: dict[str, Any]) -> None:
    hook = channel(webhook_secret=SECRET)
    (raw,) = hook.receive(json.dumps(update).encode(), {"X-Max-Bot-Api-Secret": SECRET})
    assert raw.kind == "update"
    with pytest.raises(ValueError, match="unknown shape"):
        hook.parse(raw)


def test_other_updates_are_left_alone() -> None:
    hook = channel(webhook_secret=SECRET)
    update = {"update_type": "bot_started", "timestamp": EPOCH, "chat_id": 1, "user": {"user_id": 2}}
    assert hook.receive(json.dumps(update).encode(), {"X-Max-Bot-Api-Secret": SECRET}) == []


def test_what_has_no_text_is_told_in_words() -> None:
    card = {"vcf_info": "BEGIN:VCARD\r\nTEL;TYPE=cell:79990000000\r\nEND:VCARD", "max_info": {"first_name": "Вера"}}
    files = [{"type": "location", "latitude": 55.5, "longitude": 37.5}, {"type": "contact", "payload": card}]
    message = {
        "sender": {"user_id": 1, "first_name": "В\ud800\x00"}, "timestamp": EPOCH,
        "recipient": {"chat_id": 1, "chat_type": "chat"}, "body": {"mid": "m", "attachments": files},
    }  # fmt: skip
    body = json.dumps({"message": message, "us": False}).encode()
    (one,) = channel().parse(Raw("message", "1", "m", body))
    assert one.text == "55.5, 37.5\nВера 79990000000"
    assert one.author.name == "В"


@pytest.mark.parametrize(
    ("fault", "code", "permanent", "pause"),
    [
        (refused(401, "verify.token"), "auth", True, None),
        (refused(403, "access.denied"), "rights", True, None),
        (refused(403, "chat.denied"), "closed", True, None),
        (refused(404, "not.found"), "gone", True, None),
        (refused(405, "method"), "conflict", False, None),
        (refused(400, "proto.payload"), "invalid", True, None),
        (refused(429, "too.many.requests"), "rate", False, 2),
        (httpx.Response(429, headers={"Retry-After": "9"}), "rate", False, 9),
        (refused(503, "service.unavailable"), "server", False, None),
        (httpx.Response(403, text="<html>"), "server", False, None),
        (httpx.Response(200, text="<html>"), "server", False, None),
        (httpx.Response(200, text='{"updates": ['), "server", False, None),
        (httpx.Response(200, json=[]), "server", False, None),
        (httpx.Response(200, json={}), "server", False, None),
        (httpx.ConnectError("x"), "network", False, None),
    ],
)
def test_faults(bots: MaxPlatform, fault: Any, code: str, permanent: bool, pause: float | None) -> None:
    bots.faults = [fault]
    with pytest.raises(ChannelError) as caught:
        list(channel().walk(Walk.NEW, {"marker": 0}))
    assert (caught.value.code, caught.value.permanent, caught.value.retry_after) == (code, permanent, pause)
    assert TOKEN not in str(caught.value)


@settings(max_examples=80, deadline=None)
@given(data=st.data(), page=st.integers(1, 4), inclusive=st.booleans())
def test_any_history_with_kills_and_lost_events_ends_equal(data: st.DataObject, page: int, inclusive: bool) -> None:
    bots = MaxPlatform(page, inclusive)
    with respx.mock() as router:
        router.route(host="max.example").mock(side_effect=bots)
        desk = Shelf(channel())
        desk.cursor = {"marker": 0}
        for _step in range(data.draw(st.integers(1, 5))):
            bots.silent = data.draw(st.booleans())
            for number in range(data.draw(st.integers(0, 6))):
                happening = data.draw(st.sampled_from(["write", "write", "edit", "remove"]))
                if happening == "write" or not bots.messages:
                    bots.write(f"Текст {number}")
                elif happening == "edit":
                    bots.edit(data.draw(st.sampled_from(sorted(bots.messages))), f"Правка {bots.clock}")
                else:
                    bots.remove(data.draw(st.sampled_from(sorted(bots.messages))))
            desk.read(data.draw(st.sampled_from(list(Walk))), pages=data.draw(st.integers(0, 6)))
        desk.read(Walk.NEW)
        desk.cursor.pop("left", None)
        desk.read(Walk.BACKFILL)
    if bots.messages:
        assert desk.standing() == bots.truth()


SHAPES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.floats()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), kind=st.sampled_from(["message_created", "message_edited", "message_removed", "other"]))
def test_whatever_a_hook_brings_is_kept_in_columns_that_can_hold_it(data: st.DataObject, kind: str) -> None:
    sender = {"user_id": 42, "first_name": "В", "is_bot": False}
    whole: dict[str, Any] = {
        "update_type": kind, "timestamp": EPOCH, "chat_id": 1, "message_id": "mid.1",
        "message": {
            "sender": sender, "timestamp": EPOCH, "recipient": {"chat_id": 1, "chat_type": "chat"},
            "body": {"mid": "mid.1", "text": "Да"},
        },
    }  # fmt: skip
    part = data.draw(
        st.sampled_from([whole, whole["message"], whole["message"]["body"], whole["message"]["recipient"]])
    )
    name = data.draw(st.sampled_from(sorted(set(part) - {"update_type"})))
    part[name] = data.draw(SHAPES)
    hook = channel(webhook_secret=SECRET)
    for raw in hook.receive(json.dumps(whole).encode(), {"X-Max-Bot-Api-Secret": SECRET}):
        assert (raw.container + raw.external_id).encode()
        assert "\x00" not in raw.container + raw.external_id


def test_a_press_that_brought_a_word_is_no_message_but_is_told(bots: MaxPlatform) -> None:
    who = {"user_id": 42, "first_name": "Вера", "last_name": "Полякова", "is_bot": False}
    bots.tell("bot_started", chat_id=DIALOGUE, user=who, payload="desk_Ab-9")
    bots.tell("bot_started", chat_id=DIALOGUE, user=who, payload=None)
    bots.tell("bot_started", chat_id=DIALOGUE, user={}, payload="x")  # of unknown shape: set aside
    desk = Desk(channel())
    desk.cursor = {"marker": 0}
    desk.read(Walk.NEW)
    found = [one for raw in desk.raws.values() if raw.kind == "start" for one in desk.channel.parse(raw)]
    assert [(one.start, one.text, one.author.external_id, one.container) for one in found] == [
        ("desk_Ab-9", "", "42", str(DIALOGUE))
    ]
    assert [raw.kind for raw in desk.raws.values()].count("update") == 1
    assert "bot_started" in next(call for call in bots.calls if call[1] == "/updates")[2]["types"]
    made = channel()
    assert made.start_address(made.settings, "school_bot", "w") == "https://max.ru/school_bot?start=w"


@respx.mock
def test_a_file_of_a_message_is_fetched_without_our_token() -> None:
    lies = respx.get("https://files.example/1").mock(return_value=httpx.Response(200, content=b"voice"))
    made = channel()
    assert made.fetch(Attachment("voice", url="https://files.example/1"), 10) == b"voice"
    assert "Authorization" not in lies.calls.last.request.headers
    lies.mock(return_value=httpx.Response(404))
    for file in (Attachment("voice", url="https://files.example/1"), Attachment("voice")):
        with pytest.raises(ChannelError):
            made.fetch(file, 10)
