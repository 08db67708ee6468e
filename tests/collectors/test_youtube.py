"""YouTube through Google's own client, against a platform in memory that checks every request by its schema."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.base import Act, ActKind, ChannelError, SourceState, Target, Visibility, Walk
from collectors.youtube.api import seconds_to_reset
from tests.collectors.desk import Desk
from tests.collectors.youtube_platform import EPOCH, US, Refused, YouTubePlatform, channel


@pytest.fixture
def tube() -> Iterator[YouTubePlatform]:
    platform = YouTubePlatform()
    with respx.mock:
        respx.route(host="tube.example").mock(side_effect=platform)
        yield platform


def truth(tube: YouTubePlatform) -> dict[str, str]:
    return {one.id: one.text for one in tube.comments.values()}


def school(tube: YouTubePlatform, threads: int = 7, replies: int = 0) -> None:
    for number in range(threads):
        top = tube.write(f"vid{number % 3}", f"Вопрос {number}")
        for reply in range(replies):
            tube.write(top.video, f"Ответ {number}.{reply}", top.id)


@pytest.mark.parametrize("walk", list(Walk))
def test_everything_is_read_with_nested_replies(tube: YouTubePlatform, walk: Walk) -> None:
    tube.biggest_page = 3
    school(tube, threads=8, replies=7)
    desk = Desk(channel())
    desk.read(walk)
    assert desk.texts() == truth(tube)
    assert desk.completed


def test_a_message_says_all_that_is_known(tube: YouTubePlatform) -> None:
    top = tube.write("vid1", "Когда вебинар?\x00", edited=500)
    ours = tube.write("vid1", "Завтра", top.id, US)
    desk = Desk(channel())
    desk.read(Walk.NEW)
    question, answer = desk.messages()[top.id], desk.messages()[ours.id]
    assert question.text == "Когда вебинар?"
    assert question.container == "vid1"
    assert question.thread == top.id
    assert question.parent_external_id is None
    assert question.published_at == datetime.fromtimestamp(EPOCH + top.at, UTC)
    assert question.edited_at == datetime.fromtimestamp(EPOCH + 500, UTC)
    assert question.url == f"https://site.example/watch?v=vid1&lc={top.id}"
    assert question.visibility is Visibility.PUBLIC
    assert question.author is not None
    assert (question.author.external_id, question.author.name) == ("UCviewer", "@UCviewer")
    assert question.author.url == "https://site.example/channel/UCviewer"
    assert not question.author.is_us
    assert question.publication is not None
    assert (question.publication.title, question.publication.picture) == ("Видео vid1", "https://i.example/p.jpg")
    assert answer.parent_external_id == top.id
    assert answer.thread == top.id
    assert answer.edited_at is None
    assert answer.author is not None
    assert answer.author.is_us


def test_an_unchanged_comment_keeps_its_digest_and_an_edit_changes_it(tube: YouTubePlatform) -> None:
    school(tube, threads=2, replies=6)
    desk = Desk(channel())
    desk.read(Walk.DEEP)
    desk.changes = 0
    desk.read(Walk.DEEP)
    assert desk.changes == 0
    tube.comments["Ug0001"].text, tube.comments["Ug0001"].edited = "Исправлено", 9000
    desk.read(Walk.NEW)
    assert desk.changes == 1
    assert desk.texts() == truth(tube)


@pytest.mark.parametrize("before", list(Walk))
def test_an_idle_new_walk_costs_one_unit_a_listing(tube: YouTubePlatform, before: Walk) -> None:
    """Also right after a long walk: the cheap one goes on from its cursor."""
    school(tube, replies=7)
    desk = Desk(channel())
    desk.read(before)
    tube.units = 0
    desk.read(Walk.NEW)
    assert tube.units == 3
    assert desk.completed


def test_new_stops_at_the_overlap_and_still_finds_late_replies(tube: YouTubePlatform) -> None:
    tube.biggest_page = 10
    for number in range(60):
        tube.write("vid0", f"Вопрос {number}", at=number * 600)
    desk = Desk(channel())
    desk.read(Walk.NEW)
    late = tube.write("vid0", "А мне?", "Ug0049", at=40_000)
    newest = tube.write("vid0", "Ещё вопрос", at=40_001)
    tube.log.clear()
    desk.read(Walk.NEW)
    assert {late.id, newest.id} <= set(desk.texts())
    listings = [told for name, told, _ in tube.log if name == "commentThreads.list"]
    assert len([one for one in listings if "moderationStatus" not in one]) == 2


def test_held_comments_and_spam_come_with_their_state(tube: YouTubePlatform) -> None:
    top = tube.write("vid0", "Опубликовано")
    tube.write("vid0", "На проверке", state="heldForReview")
    tube.write("vid0", "Купите", state="likelySpam")
    tube.write("vid0", "Скрытый ответ", top.id, state="heldForReview")
    desk = Desk(channel())
    desk.read(Walk.NEW)
    states = {one.text: one.state for one in desk.messages().values()}
    assert states == {
        "Опубликовано": SourceState.PUBLISHED,
        "На проверке": SourceState.HELD,
        "Купите": SourceState.SPAM,
        "Скрытый ответ": SourceState.HELD,
    }
    tube.comments["Ug0002"].state = "published"
    desk.read(Walk.NEW)
    assert desk.messages()["Ug0002"].state is SourceState.PUBLISHED


def test_a_listing_gives_the_state_where_the_comment_does_not(tube: YouTubePlatform) -> None:
    tube.states_told = False
    tube.write("vid0", "На проверке", state="heldForReview")
    desk = Desk(channel())
    desk.read(Walk.DEEP)
    assert [one.state for one in desk.messages().values()] == [SourceState.HELD]


def test_no_right_to_held_comments_is_no_error_and_is_asked_once_a_day(tube: YouTubePlatform) -> None:
    tube.forbidden_states = {"heldForReview", "likelySpam"}
    school(tube)
    desk = Desk(channel())
    desk.read(Walk.NEW)
    assert desk.texts() == truth(tube)
    tube.log.clear()
    desk.read(Walk.NEW)
    assert not [told for _, told, _ in tube.log if "moderationStatus" in told]
    tube.remove("Ug0001")
    desk.read(Walk.DEEP)
    assert desk.texts() == truth(tube)


def test_a_key_alone_reads_what_is_public(tube: YouTubePlatform) -> None:
    school(tube, replies=6)
    tube.write("vid0", "На проверке", state="heldForReview")
    desk = Desk(channel(client_id="", client_secret=None, refresh_token=None, api_key="key"))
    desk.read(Walk.NEW)
    assert desk.texts() == {id_: text for id_, text in truth(tube).items() if text != "На проверке"}
    assert tube.tokens_given == 0
    check = desk.channel.check()
    assert {right.without for right in check.missing} == {"reply", "held"}
    with pytest.raises(ChannelError) as caught:
        desk.channel.act(Act(ActKind.REPLY, 1, "token", Target("vid0", "Ug0001"), "Здравствуйте"))
    assert caught.value.code == "settings"


def test_one_bad_video_stops_no_other(tube: YouTubePlatform) -> None:
    school(tube)
    tube.closed.add("vid1")
    desk = Desk(channel(video_ids=["lost", "vid1", "vid0", "vid2"]))
    for walk in Walk:
        desk.read(walk)
        assert desk.completed
    assert {one.container for one in desk.messages().values()} == {"vid0", "vid2"}
    only_closed = Desk(channel(video_ids=["vid1"]))
    only_closed.read(Walk.NEW)
    assert only_closed.completed
    with pytest.raises(ChannelError) as caught:
        Desk(channel(video_ids=["lost"])).read(Walk.NEW)
    assert caught.value.code == "gone"


@pytest.mark.parametrize("video_ids", [[], ["vid0", "vid1", "vid2"]])
def test_deletions_are_seen_by_a_complete_listing_only(tube: YouTubePlatform, video_ids: list[str]) -> None:
    tube.biggest_page = 2
    school(tube, threads=6, replies=6)
    desk = Desk(channel(video_ids=video_ids))
    desk.read(Walk.DEEP)
    for gone in ("Ug0001", "Ug0029", "Ug0008.r9"):
        tube.remove(gone)
    desk.read(Walk.DEEP, pages=2)
    desk.read(Walk.DEEP)
    assert set(desk.texts()) >= set(truth(tube))
    desk.read(Walk.DEEP)
    assert desk.texts() == truth(tube)


def test_the_last_comment_of_a_video_can_be_deleted_too(tube: YouTubePlatform) -> None:
    school(tube, threads=3)
    desk = Desk(channel())
    desk.read(Walk.NEW)
    tube.remove("Ug0002")
    desk.read(Walk.DEEP)
    assert desk.texts() == truth(tube)


def test_a_thread_with_fewer_replies_than_told_is_no_complete_listing(tube: YouTubePlatform) -> None:
    school(tube, threads=1, replies=7)
    desk = Desk(channel())
    desk.read(Walk.DEEP)

    def lose_replies(name: str, told: dict[str, str]) -> None:
        if name == "comments.list":
            raise Refused(403, "forbidden")

    tube.before = lose_replies
    desk.read(Walk.DEEP)
    assert desk.texts() == truth(tube)


@pytest.mark.parametrize("walk", list(Walk))
def test_a_walk_goes_on_from_every_cursor(tube: YouTubePlatform, walk: Walk) -> None:
    tube.biggest_page = 2
    school(tube, threads=9, replies=6)
    for length in range(1, 12):
        desk = Desk(channel())
        for _ in range(60):
            desk.read(walk, pages=length)
            if desk.completed:
                break
        assert desk.texts() == truth(tube), f"killed after every {length} pages"


@pytest.mark.parametrize("walk", list(Walk))
def test_a_refused_page_token_starts_the_listing_again(tube: YouTubePlatform, walk: Walk) -> None:
    tube.biggest_page = 2
    school(tube, threads=7)
    desk = Desk(channel())
    desk.read(walk, pages=2)
    refusals = 0

    def expire(name: str, told: dict[str, str]) -> None:
        nonlocal refusals
        if "pageToken" in told and refusals < 1:
            refusals += 1
            raise Refused(400, "invalidPageToken")

    tube.before = expire
    desk.read(walk)
    assert desk.texts() == truth(tube)


@pytest.mark.parametrize("call", range(2, 16))
def test_the_quota_may_end_at_any_call(tube: YouTubePlatform, call: int) -> None:
    tube.biggest_page = 3
    school(tube, threads=8, replies=6)
    desk = Desk(channel())
    calls = 0

    def end(name: str, told: dict[str, str]) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise Refused(403, "quotaExceeded", 'exceeded your <a href="/x">quota</a>')

    tube.before = end
    with pytest.raises(ChannelError) as caught:
        desk.read(Walk.NEW)
    assert caught.value.code == "quota"
    assert caught.value.retry_after == pytest.approx(seconds_to_reset(), abs=5)
    assert not caught.value.permanent
    desk.read(Walk.NEW)
    assert desk.texts() == truth(tube)


def test_broken_items_are_kept_and_hurt_no_neighbour(tube: YouTubePlatform) -> None:
    school(tube, threads=2)
    page: dict[str, Any] = {"items": ["?", {"id": "Ug1"}, {"id": "Ug2", "snippet": {"topLevelComment": None}}]}
    whole = tube._thread(tube.comments["Ug0001"], "published", True)
    whole["replies"] = {"comments": [{"id": 7}, "??"]}
    whole["snippet"]["totalReplyCount"] = 2
    bad_time = tube._thread(tube.comments["Ug0002"], "published", True)
    bad_time["snippet"]["topLevelComment"]["snippet"]["publishedAt"] = "вчера"
    page["items"] += [whole, bad_time]
    tube.canned["commentThreads.list"] = page
    pages = list(channel().walk(Walk.DEEP, {}))
    assert not any(one.listed for one in pages)
    raws = [raw for one in pages for raw in one.raws]
    parsed: set[str] = set()
    failed = 0
    for raw in raws:
        try:
            parsed |= {one.external_id for one in channel().parse(raw)}
        except (KeyError, TypeError, ValueError):
            failed += 1
    assert parsed == {"Ug0001"}
    assert failed >= 6


def test_a_very_long_text_and_stray_characters_are_parsed(tube: YouTubePlatform) -> None:
    tube.write("vid0", "ж" * 300_000 + "\x00\ud800конец")
    desk = Desk(channel())
    desk.read(Walk.NEW)
    (text,) = desk.texts().values()
    assert text == "ж" * 300_000 + "конец"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_happens_between_pages_nothing_is_lost(data: st.DataObject) -> None:
    """Random threads, page sizes, kills, and comments that come, change and go while a walk is under way."""
    tube = YouTubePlatform(
        shown_replies=data.draw(st.integers(0, 5)),
        biggest_page=data.draw(st.integers(1, 6)),
        offsets=data.draw(st.booleans()),
        states_told=data.draw(st.booleans()),
    )

    def happen(name: str = "", told: object = None) -> None:
        what = data.draw(st.sampled_from(["", "", "top", "reply", "edit", "delete", "hold"]))
        some = sorted(tube.comments)
        tops = [one for one in some if tube.comments[one].top is None]
        if what == "top":
            tube.write(f"vid{data.draw(st.integers(0, 3))}", f"текст {len(some)}")
        elif what == "reply" and tops:
            top = tube.comments[data.draw(st.sampled_from(tops))]
            tube.write(top.video, f"ответ {len(some)}", top.id)
        elif what == "edit" and some:
            one = tube.comments[data.draw(st.sampled_from(some))]
            one.text, one.edited = f"{one.text}!", (one.edited or one.at) + 1
        elif what == "delete" and some:
            tube.remove(data.draw(st.sampled_from(some)))
        elif what == "hold" and tops and tube.states_told:
            tube.comments[data.draw(st.sampled_from(tops))].state = "heldForReview"

    for _ in range(data.draw(st.integers(0, 12))):
        happen()
    desk = Desk(channel())
    with respx.mock:
        respx.route(host="tube.example").mock(side_effect=tube)
        tube.before = happen
        for _ in range(data.draw(st.integers(0, 4))):
            desk.read(data.draw(st.sampled_from(list(Walk))), pages=data.draw(st.integers(1, 5)))
        tube.before = None
        desk.read(Walk.NEW)
        desk.read(Walk.DEEP)
        desk.read(Walk.DEEP)
        states = {one.external_id: one.state.value for one in desk.messages().values()}
        assert desk.texts() == truth(tube)
        expected = {"published": "published", "heldForReview": "held"}
        assert states == {one.id: expected[one.state] for one in tube.comments.values()}
