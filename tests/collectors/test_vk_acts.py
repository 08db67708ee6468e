"""What the desk does on VK: the right token and parent, the error table, and what is known of a lost answer."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx

from collectors.base import Act, ActKind, ChannelError, Sent, Target, Verdict, Walk
from collectors.vk import Vk
from collectors.wire import Guard, Wire
from tests.collectors.conftest import CountingLimiter
from tests.collectors.desk import Desk
from tests.collectors.vk_platform import BASE, EPOCH, GROUP, Refused, VkPlatform, channel

NOW = datetime.fromtimestamp(EPOCH, UTC)
TEXT = "Добрый день! Вебинар завтра."
WALL, VIDEO, PHOTO = f"wall-{GROUP}_1", f"video-{GROUP}_4", f"photo-{GROUP}_6"
CHAT = 2_000_000_007


@pytest.fixture
def vk() -> Iterator[VkPlatform]:
    platform = VkPlatform(posts=[1], videos=[4], photos=[6])
    for place in (WALL, VIDEO, PHOTO):
        platform.write(place, "Когда вебинар?")
    platform.write("peer5", "Как оплатить?", author=5)
    with respx.mock:
        respx.route(host="vkapi.example").mock(side_effect=platform)
        yield platform


def act(kind: ActKind = ActKind.REPLY, container: str = WALL, id_: str | None = "1", **more: Any) -> Act:
    told = {"thread": id_, "author_external_id": "5", "context": {}, **more.pop("target", {})}
    return Act(kind, 7, "guid-7", Target(container, id_, **told), more.pop("text", TEXT), **more)


def failure(of: Act, channel_: Vk | None = None) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        (channel_ or channel()).act(of)
    return caught.value


# What is sent


@pytest.mark.parametrize(
    ("container", "id_", "method", "told"),
    [
        (
            WALL,
            "1",
            "wall.createComment",
            {"owner_id": "-77", "post_id": "1", "from_group": "77", "reply_to_comment": "1", "guid": "guid-7"},
        ),
        (
            VIDEO,
            "2",
            "video.createComment",
            {"owner_id": "-77", "video_id": "4", "from_group": "1", "reply_to_comment": "2", "guid": "guid-7"},
        ),
        (
            PHOTO,
            "3",
            "photos.createComment",
            {"owner_id": "-77", "photo_id": "6", "from_group": "1", "reply_to_comment": "3", "guid": "guid-7"},
        ),
        ("peer5", "4", "messages.send", {"peer_id": "5", "random_id": "7"}),
    ],
)
def test_a_reply_stands_under_its_parent_and_comes_back_as_ours(
    vk: VkPlatform, container: str, id_: str, method: str, told: dict[str, str]
) -> None:
    receipt = channel().act(act(container=container, id_=id_))
    assert vk.log == [(method, {**told, "message": TEXT})]
    sent = vk.find(int(receipt.external_id or 0))
    assert (sent.text, sent.container, receipt.container) == (TEXT, container, container)
    desk = Desk(channel())
    desk.read(Walk.NEW)
    ours = desk.messages()[str(sent.id)]
    assert ours.author is not None
    assert ours.author.is_us
    if container != "peer5":
        assert ours.parent_external_id == id_
        assert ours.url == receipt.url


def test_a_reply_to_a_reply_names_the_reply(vk: VkPlatform) -> None:
    reply = vk.write(WALL, "И мне", vk.find(1))
    receipt = channel().act(act(id_=str(reply.id), target={"thread": "1"}))
    assert vk.log[-1][1]["reply_to_comment"] == str(reply.id)
    assert receipt.url == f"https://site.example/{WALL}?reply={receipt.external_id}&thread=1"


@pytest.mark.parametrize(
    ("given", "method", "told"),
    [
        (
            act(ActKind.MESSAGE, id_=None),
            "wall.createComment",
            {"owner_id": "-77", "post_id": "1", "from_group": "77", "message": TEXT, "guid": "guid-7"},
        ),
        (
            act(ActKind.MESSAGE, "peer5", None),
            "messages.send",
            {"peer_id": "5", "random_id": "7", "message": TEXT},
        ),
        (act(ActKind.EDIT), "wall.editComment", {"owner_id": "-77", "comment_id": "1", "message": TEXT}),
        (
            act(ActKind.EDIT, "peer5", "4"),
            "messages.edit",
            {"peer_id": "5", "message_id": "4", "message": TEXT},
        ),
        (act(ActKind.DELETE, VIDEO, "2"), "video.deleteComment", {"owner_id": "-77", "comment_id": "2"}),
        (act(ActKind.DELETE, PHOTO, "3"), "photos.deleteComment", {"owner_id": "-77", "comment_id": "3"}),
        (
            act(ActKind.DELETE, "peer5", "4"),
            "messages.delete",
            {"peer_id": "5", "message_ids": "4", "delete_for_all": "1"},
        ),
        (act(ActKind.BAN), "groups.ban", {"group_id": "77", "owner_id": "5"}),
        (act(ActKind.LIKE), "likes.add", {"type": "comment", "owner_id": "-77", "item_id": "1"}),
        (act(ActKind.LIKE, VIDEO, "2"), "likes.add", {"type": "video_comment", "owner_id": "-77", "item_id": "2"}),
        (act(ActKind.LIKE, PHOTO, "3"), "likes.add", {"type": "photo_comment", "owner_id": "-77", "item_id": "3"}),
    ],
)
def test_each_act_is_the_schemas_own_call(vk: VkPlatform, given: Act, method: str, told: dict[str, str]) -> None:
    channel().act(given)
    assert vk.log == [(method, told)]


def test_in_a_chat_the_answer_quotes_by_the_number_there(vk: VkPlatform) -> None:
    receipt = channel().act(act(container=f"peer{CHAT}", id_="c3", target={"context": {"cmid": "3"}}))
    quote = vk.log[-1][1]["forward"]
    assert quote == f'{{"peer_id": {CHAT}, "conversation_message_ids": [3], "is_reply": true}}'
    assert receipt.external_id is None


def test_what_cannot_be_done_is_refused_unasked(vk: VkPlatform) -> None:
    assert failure(act(ActKind.HIDE)).code == "unsupported"
    assert failure(act(ActKind.LIKE, "peer5", "4")).code == "unsupported"
    assert failure(act(container="elsewhere")).code == "invalid"
    assert failure(act(id_=None)).code == "invalid"
    assert failure(act(ActKind.BAN, target={"author_external_id": None})).code == "invalid"
    assert failure(act(ActKind.DELETE), channel(user_token=None)).code == "settings"
    assert failure(act(container="peer5"), channel(community_token=None)).code == "settings"
    assert vk.log == []


def test_a_user_token_answers_where_the_community_has_none(vk: VkPlatform) -> None:
    assert channel(community_token=None).act(act()).external_id


def test_each_token_has_a_limit_of_its_own_whose_name_tells_nothing(vk: VkPlatform) -> None:
    own = channel()
    own.api._limiter = limiter = CountingLimiter()
    own.act(act())
    own.act(act(ActKind.LIKE))
    (first, fast, _), (second, slow, _) = limiter.calls
    assert (fast, slow) == (20.0, 3.0)
    assert first != second
    assert "token" not in first + second


# Errors


@pytest.mark.parametrize(
    ("numbers", "code", "permanent", "wait"),
    [
        ((5, 1117), "auth", True, None),
        ((6,), "rate", False, 1.0),
        ((7, 15, 203), "rights", True, None),
        ((8, 100, 113, 125, 222, 914), "invalid", True, None),
        ((9,), "rate", False, 900.0),
        ((14, 3300), "captcha", False, 3600.0),
        ((17,), "captcha", True, None),
        ((18, 30, 104, 936), "gone", True, None),
        ((19, 210, 211, 212, 213, 801, 900, 901, 902, 950, 962, 985), "closed", True, None),
        ((23,), "unsupported", True, None),
        ((27, 28), "settings", True, None),
        ((29,), "quota", False, 21600.0),
        ((223,), "rate", False, 3600.0),
        ((4242,), "server", False, None),
    ],
)
def test_the_error_table(
    vk: VkPlatform, numbers: tuple[int, ...], code: str, permanent: bool, wait: float | None
) -> None:
    for number in numbers:

        def refuse(method: str, form: dict[str, str], number: int = number) -> None:
            raise Refused(number, "no: community-token")

        vk.before = refuse
        error = failure(act())
        told = (error.code, error.permanent, error.retry_after, error.sent)
        assert told == (code, permanent, wait, Sent.NO), number
        assert str(number) in error.message
        assert "secret" not in error.message
        assert "community-token" not in error.message


@pytest.mark.parametrize("number", [1, 10, 36])
def test_a_failure_inside_vk_may_have_written(vk: VkPlatform, number: int) -> None:
    def refuse(method: str, form: dict[str, str]) -> None:
        raise Refused(number)

    vk.before = refuse
    error = failure(act())
    assert (error.code, error.permanent, error.sent) == ("server", False, Sent.UNKNOWN)
    with pytest.raises(ChannelError) as caught:
        channel().check()
    assert caught.value.sent is Sent.NO


@pytest.mark.parametrize(
    ("answer", "code", "sent"),
    [
        (httpx.Response(500, html="<h1>500</h1>"), "server", Sent.UNKNOWN),
        (httpx.Response(200, html="<html>Проверка браузера</html>"), "server", Sent.UNKNOWN),
        (httpx.Response(200, content=b'{"response": {"comment_'), "server", Sent.UNKNOWN),
        (httpx.Response(200, content=b'{"a":' * 50_000), "server", Sent.UNKNOWN),
        (httpx.Response(200, json=[]), "server", Sent.UNKNOWN),
        (httpx.Response(200, json={}), "server", Sent.UNKNOWN),
        (httpx.Response(200, json={"response": {}}), "server", Sent.UNKNOWN),
        (httpx.Response(200, json={"response": True}), "server", Sent.UNKNOWN),
        (httpx.Response(200, content=b"\xff\xfe"), "server", Sent.UNKNOWN),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example/"}), "server", Sent.UNKNOWN),
        (httpx.Response(413, html="too large"), "server", Sent.UNKNOWN),
        (httpx.Response(429, html="slow down", headers={"Retry-After": "17"}), "rate", Sent.NO),
        (httpx.ReadTimeout("x"), "network", Sent.UNKNOWN),
        (httpx.ReadError("x"), "network", Sent.UNKNOWN),
        (httpx.RemoteProtocolError("x"), "network", Sent.UNKNOWN),
        (httpx.ConnectError("x"), "network", Sent.NO),
        (httpx.ConnectTimeout("x"), "network", Sent.NO),
    ],
)
def test_what_is_known_of_a_write_that_failed(answer: httpx.Response | Exception, code: str, sent: Sent) -> None:
    with respx.mock:
        route = respx.post(f"{BASE}method/wall.createComment")
        route.mock(side_effect=answer if isinstance(answer, Exception) else [answer])
        error = failure(act())
    assert (error.code, error.sent) == (code, sent)
    assert error.retry_after == (17 if code == "rate" else None)
    assert route.call_count == 1


def test_a_real_server_that_cuts_the_answer(serve: Any) -> None:
    calls = 0

    def cut(environ: Any, start: Any) -> list[bytes]:
        nonlocal calls
        calls += 1
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", "500")])
        return [b'{"response": {"comment_id": 12']

    base = serve(cut)
    wire = Wire(Guard(allow_private=frozenset({base.removeprefix("http://").rstrip("/")})))
    own = channel(base, wire)
    error = failure(act(), own)
    own.close()
    assert (error.code, error.sent, calls) == ("network", Sent.UNKNOWN, 1)


# Who we are


def test_check_tells_rights_held_and_missing(vk: VkPlatform) -> None:
    check = channel().check()
    assert (check.account_id, check.account, check.missing) == (str(-GROUP), "Школа", ())

    def missing(**more: Any) -> list[str]:
        return [right.without for right in channel(**more).check().missing]

    assert missing(user_token=None) == ["comments", "media", "moderate"]
    assert missing(community_token=None) == ["messages"]
    assert missing(user_token=None, community_token=None, service_token="service-token") == [
        "media",
        "messages",
        "reply",
        "moderate",
    ]
    vk.canned["groups.getById"] = {"response": [{"id": GROUP, "name": "Школа", "is_admin": 0}]}
    assert missing() == ["moderate"]


def test_check_refuses_a_dead_token_and_a_foreign_community(vk: VkPlatform) -> None:
    for more, code in (
        ({"user_token": "dead"}, "auth"),
        ({"group_id": 78}, "settings"),
        ({"user_token": None, "community_token": None}, "settings"),
    ):
        with pytest.raises(ChannelError) as caught:
            channel(**more).check()
        assert caught.value.code == code


# What became of it


@pytest.mark.parametrize(("container", "id_"), [(WALL, "1"), (VIDEO, "2"), (PHOTO, "3"), ("peer5", "4")])
def test_lookup_sees_what_was_sent_and_is_absent_before(vk: VkPlatform, container: str, id_: str) -> None:
    given = act(container=container, id_=id_, since=NOW)
    own = channel()
    assert own.lookup(given).verdict is Verdict.ABSENT
    for number in range(230):
        vk.write(container, f"{number}", None if container == "peer5" else vk.find(int(id_)))
    receipt = own.act(given)
    proof = own.lookup(given)
    assert (proof.verdict, proof.external_id) == (Verdict.SEEN, receipt.external_id)
    assert proof.at == datetime.fromtimestamp(vk.find(int(receipt.external_id or 0)).at, UTC)
    assert proof.url == receipt.url


def test_lookup_minds_author_text_time_and_parent(vk: VkPlatform) -> None:
    other = vk.write(WALL, "Другой")
    reply = vk.write(WALL, "Ответ зрителя", vk.find(1))
    vk.write(WALL, TEXT, vk.find(1))
    vk.write(WALL, TEXT, other, -GROUP)
    vk.write(WALL, TEXT, reply, -GROUP)
    vk.write(WALL, "Не то", vk.find(1), -GROUP)
    vk.write(WALL, TEXT, vk.find(1), -GROUP, at=EPOCH - 121)
    own = channel()
    assert own.lookup(act(since=NOW)).verdict is Verdict.ABSENT
    assert own.lookup(act(ActKind.MESSAGE, id_=None, since=NOW)).verdict is Verdict.ABSENT
    near = vk.write(WALL, f"[id5|Анна], {TEXT}  ", vk.find(1), -GROUP, at=EPOCH - 119)
    vk.write(WALL, TEXT, vk.find(1), -GROUP, at=EPOCH + 600)
    assert own.lookup(act(since=NOW)).external_id == str(near.id)


def test_of_two_equal_private_messages_the_one_with_our_number_is_meant(vk: VkPlatform) -> None:
    vk.write("peer5", TEXT, author=-GROUP, random_id=6)
    ours = act(container="peer5", id_="4", since=NOW)
    assert channel().lookup(ours).verdict is Verdict.ABSENT
    sent = vk.write("peer5", "VK изменил текст", author=-GROUP, random_id=7)
    assert channel().lookup(ours).external_id == str(sent.id)


def test_lookup_is_unknown_where_nobody_may_read_or_not_all_is_shown(vk: VkPlatform) -> None:
    assert channel(user_token=None).lookup(act(since=NOW)).verdict is Verdict.UNKNOWN
    assert channel().lookup(act(ActKind.LIKE)).verdict is Verdict.UNKNOWN
    vk.refused[WALL] = 212
    assert channel().lookup(act(since=NOW)).verdict is Verdict.UNKNOWN
    vk.refused.clear()
    vk.overcount = 1
    message = act(ActKind.MESSAGE, id_=None, since=NOW)
    assert channel().lookup(message).verdict is Verdict.UNKNOWN
    vk.before = lambda method, form: _cut()
    with pytest.raises(ChannelError):
        channel().lookup(message)


def _cut() -> None:
    raise httpx.ReadError("x")


@pytest.mark.parametrize(("container", "id_"), [(WALL, "1"), (PHOTO, "3"), ("peer5", "4")])
def test_lookup_of_edits_and_deletions(vk: VkPlatform, container: str, id_: str) -> None:
    own, since = channel(), NOW + timedelta(seconds=1)
    edit, delete = (act(kind, container, id_, since=since) for kind in (ActKind.EDIT, ActKind.DELETE))
    for given in (edit, delete):
        assert own.lookup(given).verdict is Verdict.ABSENT
        own.act(given)
        assert own.lookup(given).verdict is Verdict.SEEN
    assert own.lookup(edit).verdict is Verdict.ABSENT
