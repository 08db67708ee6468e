"""Live broadcasts of the sandbox through Google's own client: pause, token, writing, the end and the return."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.limits import NoLimits
from collectors.base import Act, ActKind, ChannelError, Target
from collectors.wire import Guard, Wire
from collectors.youtube import Settings, YouTube
from sandbox import keys
from tests.sandbox.running import Running
from tests.sandbox.test_youtube import client, refused

PAUSE = 2.05


@pytest.fixture
def tube(world: Running) -> Iterator[Any]:
    with client(world) as service:
        yield service


def control(world: Running, **given: Any) -> dict[str, Any]:
    answer = world.http.post("/_sandbox/live", json=given)
    assert answer.status_code == 200, answer.text
    return answer.json()[-1]


def messages(tube: Any, chat: str, token: str | None = None) -> dict[str, Any]:
    more = {"pageToken": token} if token else {}
    return tube.liveChatMessages().list(liveChatId=chat, part="id,snippet,authorDetails", **more).execute()


def test_a_chat_from_its_beginning_to_its_end(world: Running, tube: Any) -> None:
    live = control(world, title="Эфир о предлогах", minutes=30)
    asked = tube.liveBroadcasts().list(part="id,snippet,status", broadcastStatus="active", broadcastType="all")
    assert live["id"] in [one["id"] for one in asked.execute()["items"]]
    told = tube.videos().list(part="liveStreamingDetails", id=live["id"]).execute()["items"][0]
    assert told["liveStreamingDetails"]["activeLiveChatId"] == live["chat"]
    control(world, chat=live["chat"], say=[["Анна", "Когда запись?"], ["Борис", "привет"]])
    first = messages(tube, live["chat"])
    assert [one["snippet"]["displayMessage"] for one in first["items"]] == ["Когда запись?", "привет"]
    call = tube.liveChatMessages().list(liveChatId=live["chat"], part="id")
    assert refused(call) == (403, "rateLimitExceeded")
    body = {
        "snippet": {
            "liveChatId": live["chat"], "type": "textMessageEvent", "textMessageDetails": {"messageText": "Завтра!"}
        }
    }  # fmt: skip
    sent = tube.liveChatMessages().insert(part="snippet", body=body).execute()
    time.sleep(PAUSE)
    second = messages(tube, live["chat"], first["nextPageToken"])
    assert [one["id"] for one in second["items"]] == [sent["id"]]
    assert second["items"][0]["authorDetails"]["isChatOwner"]
    control(world, chat=live["chat"], do="finish")
    time.sleep(PAUSE)
    last = messages(tube, live["chat"], second["nextPageToken"])
    assert [one["snippet"]["type"] for one in last["items"]] == ["chatEndedEvent"]
    assert "offlineAt" in last
    assert refused(tube.liveChatMessages().insert(part="snippet", body=body)) == (403, "liveChatEnded")
    assert control(world, chat=live["chat"], do="resume")["status"] == "live"


def test_our_channel_reads_and_writes_it(world: Running) -> None:
    source = keys.sources(world.url)[0]
    settings = Settings(**source["settings"], **source["secrets"])
    own = YouTube(settings, Wire(Guard(allow_private=frozenset({world.url.removeprefix("http://")}))), NoLimits())
    live = control(world, title="Эфир для канала", minutes=30)
    found = next(one for one in own.airings() if one.external_id == live["id"])
    assert (found.state, found.viewers) == ("live", 311)
    control(world, chat=live["chat"], say=[["Анна", "Сколько стоит?"]])
    page = own.chat(found, {})
    assert page.pause == 2.0
    [question] = [item for raw in page.raws for item in own.parse(raw)]
    assert (question.text, question.quiet, question.context["limit"]) == ("Сколько стоит?", True, "200")
    with pytest.raises(ChannelError) as hasty:
        own.chat(found, page.cursor)
    assert hasty.value.code == "rate"
    target = Target(question.container, question.external_id, author_name="Анна", context=question.context)
    receipt = own.act(Act(ActKind.REPLY, 1, "t", target, "Пять тысяч."))
    lines = control(world, chat=live["chat"])["lines"]
    assert [(one["id"], one["text"]) for one in lines if one["ours"]] == [
        (receipt.external_id, "@Анна Пять тысяч.")
    ]
    own.act(Act(ActKind.DELETE, 2, "t", target))
    time.sleep(PAUSE)
    gone = [item for raw in own.chat(found, page.cursor).raws for item in own.parse(raw)]
    assert question.external_id in [one.external_id for one in gone if one.state == "deleted"]
    own.close()
