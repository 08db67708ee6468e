"""Odnoklassniki: discussions to the last comment, messages, signed acts, broken answers, proofs."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.base import Act, ActKind, ChannelError, Raw, Sent, SourceState, Target, Verdict, Visibility, Walk
from collectors.ok.api import signature
from collectors.ok.items import moment
from tests.collectors.desk import Desk
from tests.collectors.ok_platform import CHAT, EPOCH, GROUP, KEYS, ME, OkPlatform, channel, refused

TOPIC, OTHER = "GROUP_TOPIC:11", "GROUP_PHOTO:22"


@pytest.fixture
def group() -> Iterator[OkPlatform]:
    platform = OkPlatform()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="ok.example").mock(side_effect=platform)
        yield platform


def act(kind: ActKind, id_: str | None, text: str = "В семь", container: str = TOPIC, since: Any = None) -> Act:
    return Act(kind, 7, "token", Target(container, id_), text, since)


def test_the_signature_leaves_the_token_out() -> None:
    told = {"b": "2", "a": "1", "access_token": "t"}
    assert signature(told, "s") == hashlib.md5(b"a=1b=2s").hexdigest()


def test_comments_and_messages_are_understood(group: OkPlatform) -> None:
    top = group.write(TOPIC, "Когда начало?")
    group.write(TOPIC, "В семь", author=GROUP, to=top)
    group.write(TOPIC, "И я так думаю", author="77")
    group.say("Здравствуйте")
    group.say("Добрый день", f"group:{GROUP}")
    desk = Desk(channel())
    desk.read(Walk.BACKFILL)
    assert desk.texts() == group.truth()
    question, answer, colleague, own, hello = desk.messages().values()
    assert (question.author.name, question.author.is_us) == ("Человек 42", False)
    assert (answer.author.is_us, answer.parent_external_id, colleague.author.is_us) == (True, top, True)
    assert question.published_at == datetime.fromtimestamp(EPOCH / 1000 + 1, UTC)
    assert question.url == f"https://ok.ru/group/{GROUP}/topic/11"
    assert (hello.visibility, hello.container, hello.publication.title) == (
        Visibility.PRIVATE,
        CHAT,
        "Вера Полякова",
    )
    assert (hello.author.is_us, own.author.is_us) == (False, True)
    raw = next(raw for raw in desk.raws.values() if raw.kind == "discussion")
    assert desk.channel.publication(raw).title == f"Тема {TOPIC}"


def test_only_discussions_whose_number_changed_are_read_again(group: OkPlatform) -> None:
    group.write(TOPIC, "Раз")
    group.write(OTHER, "Два")
    desk = Desk(channel(messages=False))
    desk.read(Walk.BACKFILL)
    group.calls.clear()
    desk.read(Walk.NEW)
    assert [method for method, _told in group.calls] == ["discussions.getList"]
    group.write(TOPIC, "Поздний ответ", to="c1")
    group.calls.clear()
    desk.read(Walk.NEW)
    assert [told["discussionId"] for method, told in group.calls if method.endswith("getComments")] == ["11"]
    assert desk.texts() == group.truth()


def test_the_deep_walk_finds_edits_and_deletions_and_likes_are_no_edits(group: OkPlatform) -> None:
    first, second = group.write(TOPIC, "Раз"), group.write(TOPIC, "Два")
    desk = Desk(channel(messages=False))
    desk.read(Walk.BACKFILL)
    group.topics[TOPIC] = [
        {**one, "text": "Раз!", "like_count": 99} for one in group.topics[TOPIC] if one["id"] == first
    ]
    desk.read(Walk.DEEP)
    assert desk.texts() == {first: "Раз!"}, second
    changes = desk.changes
    group.topics[TOPIC][0]["like_count"] = 100
    desk.read(Walk.DEEP)
    assert desk.changes == changes


def test_a_closed_discussion_does_not_stop_the_others(group: OkPlatform) -> None:
    group.write(TOPIC, "Раз")
    group.write(OTHER, "Два")
    group.write("GROUP_TOPIC:9999", "В чужой группе")
    desk = Desk(channel(messages=False))
    desk.read(Walk.BACKFILL)
    group.broken = {OTHER}
    desk.read(Walk.DEEP)
    assert desk.completed
    assert sorted(desk.texts().values()) == ["Два", "Раз"]


def test_check_names_what_is_missing(group: OkPlatform) -> None:
    assert [(right.name, right.held) for right in channel().check().rights] == [
        ("comments", True),
        ("messages", True),
    ]
    assert [right.name for right in channel(messages=False).check().missing] == ["messages"]
    group.faults = [refused(10)]
    assert [right.name for right in channel().check().missing] == ["comments"]
    assert channel().check().account_id == ME


def test_acts(group: OkPlatform) -> None:
    top = group.write(TOPIC, "Когда?")
    reply = channel().act(act(ActKind.REPLY, top)).external_id
    assert group.topics[TOPIC][-1] | {"id": reply} == group.topics[TOPIC][-1]
    assert (group.topics[TOPIC][-1]["reply_to_comment_id"], group.topics[TOPIC][-1]["author_id"]) == (top, GROUP)
    channel().act(act(ActKind.EDIT, reply, "В восемь"))
    assert group.truth()[str(reply)] == "В восемь"
    channel().act(act(ActKind.LIKE, top))
    assert group.liked == [top]
    channel().act(act(ActKind.DELETE, reply))
    channel().act(act(ActKind.DELETE, reply))  # it is gone, as it was meant to be
    channel().act(act(ActKind.BAN, top))
    assert group.blocked == ["42"]
    assert group.topics[TOPIC] == []
    group.say("Здравствуйте")
    message = channel().act(act(ActKind.REPLY, "mid:1", "Добрый день", CHAT)).external_id
    assert group.truth()[str(message)] == "Добрый день"


@pytest.mark.parametrize("kind", [ActKind.HIDE, ActKind.PUBLISH])
@pytest.mark.parametrize("container", [TOPIC, CHAT])
def test_what_cannot_be_done(group: OkPlatform, kind: ActKind, container: str) -> None:
    with pytest.raises(ChannelError) as caught:
        channel().act(act(kind, "c1", container=container))
    assert caught.value.code == "unsupported"
    assert group.calls == []


@pytest.mark.parametrize(
    ("fault", "code", "sent"),
    [
        (refused(1), "server", Sent.UNKNOWN),
        (refused(2), "server", Sent.UNKNOWN),
        (refused(8), "rate", Sent.NO),
        (refused(10), "rights", Sent.NO),
        (refused(11), "quota", Sent.NO),
        (refused(102), "auth", Sent.NO),
        (refused(104), "settings", Sent.NO),
        (refused(300), "gone", Sent.NO),
        (refused(454), "invalid", Sent.NO),
        (refused(456), "closed", Sent.NO),
        (refused(12345), "server", Sent.UNKNOWN),
        (httpx.Response(429), "rate", Sent.NO),
        (httpx.Response(502), "server", Sent.UNKNOWN),
        (httpx.Response(200, text="<html>"), "server", Sent.UNKNOWN),
        (httpx.Response(200, text='{"id": "c'), "server", Sent.UNKNOWN),
        (httpx.Response(200, json={}), "server", Sent.UNKNOWN),
        (httpx.ReadTimeout("x"), "network", Sent.UNKNOWN),
        (httpx.ConnectError("x"), "network", Sent.NO),
    ],
)
@pytest.mark.parametrize("container", [TOPIC, CHAT])
def test_broken_answers(group: OkPlatform, fault: Any, code: str, sent: Sent, container: str) -> None:
    group.write(TOPIC, "Когда?")
    group.faults = [fault]
    with pytest.raises(ChannelError) as caught:
        channel().act(act(ActKind.REPLY, "c1", container=container))
    assert (caught.value.code, caught.value.sent) == (code, sent)
    assert KEYS["access_token"] not in str(caught.value)
    assert len(group.calls) == 1


def test_proofs(group: OkPlatform) -> None:
    top = group.write(TOPIC, "Когда?")
    since = datetime.fromtimestamp(EPOCH / 1000, UTC)
    sought = act(ActKind.REPLY, top, since=since)
    group.write(TOPIC, "В семь", to=top)
    group.write(TOPIC, "В семь", author=GROUP)
    assert channel().lookup(sought).verdict is Verdict.ABSENT
    group.lost = [httpx.Response(502)]
    with pytest.raises(ChannelError):
        channel().act(sought)
    assert channel().lookup(sought).verdict is Verdict.SEEN
    assert channel().lookup(act(ActKind.REPLY, top, since=since + timedelta(days=9))).verdict is Verdict.ABSENT
    private = act(ActKind.REPLY, "mid:1", container=CHAT, since=since)
    group.say("В семь")
    assert channel().lookup(private).verdict is Verdict.ABSENT
    channel().act(private)
    assert channel().lookup(private).verdict is Verdict.SEEN


def test_times_and_removed_comments() -> None:
    assert moment({"date": "2026-11-25 12:00:00"}) == datetime(2026, 11, 25, 9, tzinfo=UTC)
    body = b'{"comment":{"id":"1","author_id":"2","date_ms":1,"type":"REMOVED"},"author":{},"us":false}'
    assert channel().parse(Raw("comment", TOPIC, "1", body))[0].state is SourceState.DELETED
    for poison in (b"", b"{}", b"[]", b'{"comment":{},"author":{},"us":false}'):
        with pytest.raises((ValueError, KeyError, TypeError)):
            channel().parse(Raw("comment", TOPIC, "1", poison))


def test_a_walk_cut_short_leaves_nothing_behind_it(group: OkPlatform) -> None:
    """Found by the test below: what stood further down in the list than a killed walk had come."""
    group.page = 1
    desk = Desk(channel())
    group.write(TOPIC, "Раз")
    group.write(OTHER, "Два")
    desk.read(Walk.DEEP, pages=1)
    group.write(OTHER, "Три")
    group.write(TOPIC, "Четыре")
    desk.read(Walk.NEW, pages=1)
    desk.read(Walk.NEW)
    assert desk.texts() == group.truth()


@settings(max_examples=80, deadline=None)
@given(data=st.data(), page=st.integers(1, 4))
def test_any_history_with_kills_is_read_to_the_last(data: st.DataObject, page: int) -> None:
    group = OkPlatform(page)
    with respx.mock() as router:
        router.route(host="ok.example").mock(side_effect=group)
        desk = Desk(channel())
        for step in range(data.draw(st.integers(1, 5))):
            for number in range(data.draw(st.integers(0, 6))):
                where = data.draw(st.sampled_from([TOPIC, OTHER, "GROUP_TOPIC:33", CHAT]))
                if where == CHAT:
                    group.say(f"{step}.{number}")
                else:
                    group.write(where, f"{step}.{number}")
            desk.read(data.draw(st.sampled_from(list(Walk))), pages=data.draw(st.integers(0, 5)))
        desk.read(Walk.NEW)
        desk.read(Walk.DEEP)
    assert desk.texts() == group.truth()
