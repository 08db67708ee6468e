"""MAX going out: what is sent, what is known when the answer is broken, what a look at the chat proves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx

from collectors.base import Act, ActKind, ChannelError, Sent, Target, Verdict
from collectors.max.message import moment
from tests.collectors.max_platform import BOT, EPOCH, GROUP, MaxPlatform, channel, done, refused


@pytest.fixture
def bots() -> Iterator[MaxPlatform]:
    platform = MaxPlatform()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="max.example").mock(side_effect=platform)
        yield platform


def act(kind: ActKind, mid: str | None = None, text: str = "В семь", since: datetime | None = None) -> Act:
    return Act(kind, 7, "token", Target(str(GROUP), mid), text, since)


def test_a_reply_names_the_message_it_answers(bots: MaxPlatform) -> None:
    mid = bots.write("Когда?")["body"]["mid"]
    receipt = channel().act(act(ActKind.REPLY, mid, "В *семь*"))
    body = {"text": "В *семь*", "notify": True, "link": {"type": "reply", "mid": mid}}
    assert bots.calls == [("POST", "/messages", {"chat_id": str(GROUP)}, body)]
    written = bots.messages[str(receipt.external_id)]
    assert written["link"]["message"]["mid"] == mid
    assert receipt.at == moment(written["timestamp"])


def test_message_edit_and_delete(bots: MaxPlatform) -> None:
    mid = channel().act(act(ActKind.MESSAGE)).external_id
    assert channel().act(act(ActKind.EDIT, mid, "В восемь")).external_id == mid
    assert bots.truth() == {mid: "В восемь"}
    assert channel().act(act(ActKind.DELETE, mid)).external_id == mid
    assert bots.truth() == {}
    assert channel().act(act(ActKind.DELETE, mid)).external_id == mid, "it is gone, as it was meant to be"


@pytest.mark.parametrize("kind", [ActKind.HIDE, ActKind.BAN, ActKind.LIKE, ActKind.PUBLISH])
def test_what_max_cannot_do_is_refused(bots: MaxPlatform, kind: ActKind) -> None:
    with pytest.raises(ChannelError) as caught:
        channel().act(act(kind, "mid.1"))
    assert caught.value.code == "unsupported"
    assert bots.calls == []


@pytest.mark.parametrize(
    ("fault", "code", "sent"),
    [
        (refused(400, "proto.payload"), "invalid", Sent.NO),
        (refused(403, "chat.denied"), "closed", Sent.NO),
        (refused(404, "message.not.found"), "gone", Sent.NO),
        (httpx.Response(429), "rate", Sent.NO),
        (done(success=False, message="nein"), "invalid", Sent.NO),
        (httpx.ConnectError("x"), "network", Sent.NO),
        (httpx.ReadTimeout("x"), "network", Sent.UNKNOWN),
        (httpx.ReadError("x"), "network", Sent.UNKNOWN),
        (httpx.RemoteProtocolError("x"), "network", Sent.UNKNOWN),
        (refused(503, "service.unavailable"), "server", Sent.UNKNOWN),
        (httpx.Response(502, text="<html>"), "server", Sent.UNKNOWN),
        (httpx.Response(404, text="<html>"), "server", Sent.UNKNOWN),
        (httpx.Response(200, text="<html>"), "server", Sent.UNKNOWN),
        (httpx.Response(200, text='{"message": {"bo'), "server", Sent.UNKNOWN),
        (done(message=None), "server", Sent.UNKNOWN),
        (done(message={"body": {}}), "server", Sent.UNKNOWN),
    ],
)
@pytest.mark.parametrize("kind", [ActKind.REPLY, ActKind.EDIT])
def test_what_is_known_when_the_answer_is_broken(
    bots: MaxPlatform, fault: Any, code: str, sent: Sent, kind: ActKind
) -> None:
    mid = bots.write("Когда?")["body"]["mid"]
    bots.faults = [fault]
    with pytest.raises(ChannelError) as caught:
        channel().act(act(kind, mid))
    assert (caught.value.code, caught.value.sent) == (code, sent)
    assert len(bots.calls) == 1, "a write is never repeated by the channel"


def test_a_look_at_the_chat(bots: MaxPlatform) -> None:
    mid = bots.write("Когда?")["body"]["mid"]
    since = moment(EPOCH)
    sought = act(ActKind.REPLY, mid, since=since)
    assert channel().lookup(sought).verdict is Verdict.ABSENT
    bots.write("В семь", to=mid)  # somebody else says the same
    bots.write("В  семь", sender=BOT)  # we say the same, but to nobody
    assert channel().lookup(sought).verdict is Verdict.ABSENT
    bots.lost = [httpx.Response(502)]
    with pytest.raises(ChannelError):
        channel().act(sought)
    proof = channel().lookup(sought)
    assert proof.verdict is Verdict.SEEN
    assert bots.messages[str(proof.external_id)]["link"]["message"]["mid"] == mid
    late = act(ActKind.REPLY, mid, since=datetime.now(UTC) + timedelta(days=9000))
    assert channel().lookup(late).verdict is Verdict.ABSENT, "what stood there before was another attempt's"
    assert channel().lookup(act(ActKind.EDIT, mid)).verdict is Verdict.UNKNOWN


def test_a_look_that_fails_proves_nothing(bots: MaxPlatform) -> None:
    for fault in (refused(503, "x"), httpx.ReadTimeout("x"), done(messages=[{"timestamp": "x"}]), done()):
        bots.faults = [fault]
        with pytest.raises(ChannelError):
            channel().lookup(act(ActKind.MESSAGE))
