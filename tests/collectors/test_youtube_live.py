"""Broadcasts and their chats: read on from YouTube's own token, its pause handed on, left when it is over."""

from collections.abc import Iterator
from typing import Any

import pytest
import respx

from collectors.airing import Airing, ChatPage
from collectors.base import Act, ActKind, ChannelError, SourceState, Target, Verdict, Walk
from tests.collectors.desk import Desk
from tests.collectors.youtube_platform import US, Refused, YouTubePlatform, channel, stamp

CHAT, VIDEO = "chat-1", "vid-live"


def said(number: int, text: str, kind: str = "textMessageEvent", **more: Any) -> dict[str, Any]:
    who = more.pop("who", f"UC{number:022d}")
    snippet = {"type": kind, "publishedAt": stamp(number), "displayMessage": text, **more}
    author = {"channelId": who, "displayName": f"@зритель{number}", "isChatOwner": who == US}
    return {"id": f"m{number}", "snippet": snippet, "authorDetails": author}


class Chat:
    """What YouTube answers: everything once, by a token that counts."""

    def __init__(self, tube: YouTubePlatform) -> None:
        self.items: list[dict[str, Any]] = []
        self.running = True
        self.calls: list[dict[str, str]] = []
        self.forgets = False
        tube.before = self.before
        self.tube = tube

    def before(self, name: str, told: dict[str, str]) -> None:
        if name.endswith("liveBroadcasts.list"):
            air = {"liveChatId": CHAT, "title": "Прямой эфир", "scheduledStartTime": "2026-11-25T16:00:00Z"}
            status = {"lifeCycleStatus": "live" if told["broadcastStatus"] == "active" else "ready"}
            later = {"id": "later", "snippet": {**air, "liveChatId": None}, "status": status}
            now = {"id": VIDEO, "snippet": air, "status": status}
            active = [now] if self.running else []
            self.tube.canned[name] = {"items": active if told["broadcastStatus"] == "active" else [later]}
        if name.endswith("videos.list"):
            details = {"concurrentViewers": "311", "activeLiveChatId": CHAT}
            if not self.running:
                details = {"actualEndTime": "2026-11-25T17:30:00Z"}
            items = [{"id": VIDEO, "snippet": {"title": "Прямой эфир"}, "liveStreamingDetails": details}]
            self.tube.canned[name] = {"items": items if VIDEO in told["id"] else []}
        if name.endswith("liveChatMessages.list"):
            self.calls.append(told)
            if not self.running and not self.items:
                raise Refused(403, "liveChatEnded")
            if self.forgets and told.get("pageToken"):
                raise Refused(400, "invalidPageToken")
            start = int(told.get("pageToken") or 0)
            page = self.items[start : start + int(told["maxResults"])]
            self.tube.canned[name] = {
                "items": page, "nextPageToken": str(start + len(page)), "pollingIntervalMillis": 4321,
            }  # fmt: skip


@pytest.fixture
def chat() -> Iterator[Chat]:
    with respx.mock:
        tube = YouTubePlatform()
        respx.route(host="tube.example").mock(side_effect=tube)
        yield Chat(tube)


AIRING = Airing(VIDEO, "Прямой эфир", "live", f"live-{VIDEO}", "https://www.youtube.com/watch?v=vid-live", CHAT)


def parsed(page: ChatPage) -> list[Any]:
    own = channel()
    return [item for raw in page.raws for item in own.parse(raw)]


def test_what_is_on_air_and_what_is_planned_is_found_with_its_viewers(chat: Chat) -> None:
    found = {one.external_id: one for one in channel().airings()}
    assert (found[VIDEO].state, found[VIDEO].chat, found[VIDEO].viewers) == ("live", CHAT, 311)
    assert found[VIDEO].publication == f"live-{VIDEO}"
    assert (found["later"].state, found["later"].starts_at.hour) == ("planned", 16)
    chat.running = False
    over = {one.external_id: one for one in channel().airings([VIDEO])}[VIDEO]
    assert (over.state, over.ended_at.minute) == ("over", 30)


def test_a_chat_is_read_on_from_its_token_and_the_demanded_pause_is_handed_on(chat: Chat) -> None:
    own = channel()
    chat.items = [said(n, f"привет {n}") for n in range(3)]
    first = own.chat(AIRING, {})
    chat.items += [said(3, "Когда следующий эфир?"), said(4, "Скоро!", who=US)]
    second = own.chat(AIRING, first.cursor)
    assert [one.get("pageToken") for one in chat.calls] == [None, "3"]
    assert first.pause == second.pause == 4.321
    question, answer = parsed(second)
    assert [one.text for one in parsed(first)] == ["привет 0", "привет 1", "привет 2"]
    assert (question.text, question.quiet, question.container) == ("Когда следующий эфир?", True, f"live-{VIDEO}")
    assert question.publication.title == "Прямой эфир"
    assert answer.author.is_us
    assert not question.author.is_us


def test_a_token_that_is_no_longer_known_is_forgotten(chat: Chat) -> None:
    own = channel()
    chat.items = [said(1, "привет")]
    page = own.chat(AIRING, {})
    chat.forgets = True
    assert own.chat(AIRING, page.cursor).cursor == {}


def test_what_a_moderator_removed_is_removed_and_silent_events_are_nothing(chat: Chat) -> None:
    gone = {"messageDeletedDetails": {"deletedMessageId": "m1"}}
    chat.items = [said(1, "спам"), said(2, "", "messageDeletedEvent", **gone), said(3, "", "tombstone")]
    found = parsed(channel().chat(AIRING, {}))
    assert [(one.external_id, one.state) for one in found] == [("m1", SourceState.DELETED)]


def test_a_chat_that_is_over_says_so(chat: Chat) -> None:
    own = channel()
    chat.items = [said(1, "всем пока"), said(2, "", "chatEndedEvent")]
    page = own.chat(AIRING, {})
    assert (page.ended, len(page.raws)) == (True, 1)
    chat.running, chat.items = False, []
    assert own.chat(AIRING, page.cursor).ended


def test_the_ordinary_reading_asks_for_no_chat(chat: Chat) -> None:
    Desk(channel()).read(Walk.NEW)
    assert not any("live" in name for name, _, _ in chat.tube.log)


def test_an_act_in_a_chat_names_the_person_and_its_outcome_is_never_guessed(chat: Chat) -> None:
    tube = chat.tube
    tube.canned["youtube.liveChatMessages.insert"] = tube.canned["liveChatMessages.insert"] = {"id": "ours-1"}
    target = Target(
        f"live-{VIDEO}", "m1", author_name="@зритель1", author_external_id="UC1", context={"chat": CHAT}
    )
    own = channel(live_chat=True)
    receipt = own.act(Act(ActKind.REPLY, 1, "t", target, "В пятницу."))
    assert receipt.external_id == "ours-1"
    sent = next(body for name, _, body in tube.log if name.endswith("liveChatMessages.insert"))
    assert sent["snippet"]["textMessageDetails"]["messageText"] == "@зритель1 В пятницу."
    assert sent["snippet"]["liveChatId"] == CHAT
    assert own.lookup(Act(ActKind.REPLY, 1, "t", target, "В пятницу.")).verdict is Verdict.UNKNOWN
    with pytest.raises(ChannelError) as refused:
        own.act(Act(ActKind.EDIT, 1, "t", target, "иначе"))
    assert refused.value.code == "unsupported"


def test_without_the_setting_nothing_is_asked(chat: Chat) -> None:
    assert channel(live_chat=False).airings() == []
    with pytest.raises(ChannelError) as refused:
        channel(live_chat=False).chat(AIRING, {})
    assert refused.value.code == "settings"
    assert not chat.tube.log
