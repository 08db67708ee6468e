"""The chat of a broadcast: read on from YouTube's own token, kept without cases, and left when it is over."""

from collections.abc import Iterator
from typing import Any

import pytest
import respx

from collectors.base import Act, ActKind, ChannelError, SourceState, Target, Verdict, Walk
from collectors.youtube import live
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
        tube.before = self.before
        self.tube = tube

    def before(self, name: str, told: dict[str, str]) -> None:
        if name.endswith("liveBroadcasts.list"):
            found = [{"id": VIDEO, "snippet": {"liveChatId": CHAT, "title": "Прямой эфир"}}]
            self.tube.canned[name] = {"items": found if self.running else []}
        if name.endswith("liveChatMessages.list"):
            self.calls.append(told)
            if not self.running and not self.items:
                raise Refused(403, "liveChatEnded")
            start = int(told.get("pageToken") or 0)
            size = int(told["maxResults"])
            page = self.items[start : start + size]
            self.tube.canned[name] = {
                "items": page, "nextPageToken": str(start + len(page)), "pollingIntervalMillis": 4000,
            }  # fmt: skip


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    monkeypatch.setattr(live, "LEAST_SECONDS", 0)
    monkeypatch.setattr(live, "LOOK_SECONDS", 0)
    monkeypatch.setattr(live.time, "time", iter(range(1_790_000_000, 1_799_000_000, 60)).__next__)
    with respx.mock:
        tube = YouTubePlatform()
        respx.route(host="tube.example").mock(side_effect=tube)
        yield Chat(tube)


def test_a_chat_is_read_on_from_its_token_and_nothing_comes_twice(chat: Chat) -> None:
    desk = Desk(channel(live_chat=True))
    chat.items = [said(n, f"привет {n}") for n in range(3)]
    desk.read(Walk.NEW)
    chat.items += [said(3, "Когда следующий эфир?"), said(4, "Скоро!", who=US)]
    desk.read(Walk.NEW)
    assert [one.get("pageToken") for one in chat.calls] == [None, "3"]
    found = {one.text: one for one in desk.messages().values()}
    assert set(found) == {"привет 0", "привет 1", "привет 2", "Когда следующий эфир?", "Скоро!"}
    question, answer = found["Когда следующий эфир?"], found["Скоро!"]
    assert question.quiet
    assert question.container == f"live-{VIDEO}"
    assert question.publication is not None
    assert question.publication.title == "Прямой эфир"
    assert answer.author is not None
    assert answer.author.is_us
    assert not question.author.is_us


def test_what_a_moderator_removed_is_removed_and_silent_events_are_nothing(chat: Chat) -> None:
    desk = Desk(channel(live_chat=True))
    gone = {"messageDeletedDetails": {"deletedMessageId": "m1"}}
    chat.items = [said(1, "спам"), said(2, "", "messageDeletedEvent", **gone), said(3, "", "tombstone")]
    desk.read(Walk.NEW)
    assert desk.messages()["m1"].state is SourceState.DELETED
    assert len(desk.messages()) == 1


def test_a_chat_that_is_over_is_asked_no_more(chat: Chat) -> None:
    desk = Desk(channel(live_chat=True))
    chat.items = [said(1, "всем пока"), said(2, "", "chatEndedEvent")]
    desk.read(Walk.NEW)
    chat.running, chat.items = False, []
    before = len(chat.calls)
    desk.read(Walk.NEW)
    assert len(chat.calls) == before
    assert desk.completed


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
    Desk(channel()).read(Walk.NEW)
    assert not any("live" in name for name, _, _ in chat.tube.log)
