"""VK read against a platform in memory that checks tokens and parameters of every call by the schema."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.base import ChannelError, Raw, SourceState, Visibility, Walk
from collectors.vk.listing import steps
from tests.collectors.desk import Desk
from tests.collectors.vk_platform import EPOCH, GROUP, Item, Refused, VkPlatform, channel

CHAT = 2_000_000_007


@pytest.fixture
def vk() -> Iterator[VkPlatform]:
    platform = VkPlatform(posts=[1, 2, 3], videos=[4], photos=[6])
    with respx.mock:
        respx.route(host="vkapi.example").mock(side_effect=platform)
        yield platform


def school(vk: VkPlatform, comments: int = 3, replies: int = 0) -> None:
    for place in (f"wall-{GROUP}_1", f"wall-{GROUP}_3", f"video-{GROUP}_4", f"photo-{GROUP}_6"):
        for number in range(comments):
            top = vk.write(place, f"Вопрос {number}")
            for reply in range(replies):
                vk.write(place, f"Ответ {reply}", top)
    for peer in (5, 8):
        vk.write(f"peer{peer}", "Здравствуйте", author=peer)
        vk.write(f"peer{peer}", "Добрый день", author=-GROUP)


def truth(vk: VkPlatform) -> dict[tuple[str, str], str]:
    return {(one.container, str(one.id)): "" if one.deleted else one.text for one in vk.items}


def held(desk: Desk) -> dict[tuple[str, str], str]:
    return {key: one.text for key, raw in desk.raws.items() for one in desk.channel.parse(raw)}


def calls(vk: VkPlatform) -> list[str]:
    return [method for method, _ in vk.log]


@pytest.mark.parametrize("walk", list(Walk))
def test_everything_is_read_to_the_last_reply(vk: VkPlatform, walk: Walk) -> None:
    school(vk, comments=205, replies=1)
    long = vk.write(f"wall-{GROUP}_2", "Долгая ветка")
    for number in range(230):
        vk.write(f"wall-{GROUP}_2", f"{number}", long)
    for number in range(450):
        vk.write("peer9", f"{number}", author=9)
    desk = Desk(channel())
    desk.read(walk)
    assert held(desk) == truth(vk)
    assert desk.completed


def test_a_comment_says_all_that_is_known(vk: VkPlatform) -> None:
    place = f"wall-{GROUP}_2"
    top = vk.write(place, "Когда вебинар?\x00")
    ours = vk.write(place, "Завтра", top, -GROUP)
    later = vk.write(place, "Спасибо", ours)
    desk = Desk(channel())
    desk.read(Walk.NEW)
    question, answer, thanks = (desk.messages()[str(one.id)] for one in (top, ours, later))
    assert question.text == "Когда вебинар?"
    assert (question.container, question.thread, question.parent_external_id) == (place, str(top.id), None)
    assert question.published_at == datetime.fromtimestamp(top.at, UTC)
    assert question.url == f"https://site.example/{place}?reply={top.id}"
    assert question.visibility is Visibility.PUBLIC
    assert question.author is not None
    assert (question.author.external_id, question.author.name) == ("5", "Анна №5")
    assert question.author.url == "https://site.example/id5"
    assert question.publication is not None
    assert (question.publication.kind, question.publication.title) == ("post", "Запись 2")
    assert (answer.thread, answer.parent_external_id) == (str(top.id), str(top.id))
    assert answer.url == f"https://site.example/{place}?reply={ours.id}&thread={top.id}"
    assert answer.author is not None
    assert (answer.author.name, answer.author.is_us) == ("Школа", True)
    assert (thanks.thread, thanks.parent_external_id) == (str(top.id), str(ours.id))


def test_a_private_message_says_all_that_is_known(vk: VkPlatform) -> None:
    asked = vk.write("peer5", "Как оплатить?", author=5, edited=EPOCH + 90)
    ours = vk.write("peer5", "Пришлём ссылку", author=-GROUP)
    vk.write(f"peer{CHAT}", "Всем привет", author=8)
    desk = Desk(channel())
    desk.read(Walk.NEW)
    question = desk.messages()[str(asked.id)]
    assert (question.container, question.visibility) == ("peer5", Visibility.PRIVATE)
    assert question.edited_at == datetime.fromtimestamp(EPOCH + 90, UTC)
    assert question.publication is not None
    assert (question.publication.kind, question.publication.title) == ("dialogue", "Анна №5")
    assert question.url == f"https://site.example/gim{GROUP}?sel=5"
    answer = desk.messages()[str(ours.id)].author
    assert answer is not None
    assert answer.is_us
    assert desk.messages()["c1"].container == f"peer{CHAT}"


def test_videos_and_photos_carry_their_titles(vk: VkPlatform) -> None:
    school(vk, comments=1)
    desk = Desk(channel())
    desk.read(Walk.NEW)
    titles = {one.container: one.publication.title for one in desk.messages().values() if one.publication}
    assert titles[f"video-{GROUP}_4"] == "Ролик 4"
    assert titles[f"photo-{GROUP}_6"] == "Фото 6"
    vk.before = lambda method, form: _refuse(method == "photos.getById", 3)
    again = Desk(channel())
    again.read(Walk.NEW)
    assert held(again) == truth(vk)


def _refuse(when: bool, code: int) -> None:
    if when:
        raise Refused(code)


def test_a_placeholder_of_a_deleted_comment_keeps_its_replies(vk: VkPlatform) -> None:
    top = vk.write(f"wall-{GROUP}_1", "Сейчас удалю")
    vk.write(f"wall-{GROUP}_1", "А я отвечу", top)
    desk = Desk(channel())
    desk.read(Walk.NEW)
    vk.remove(top)
    desk.read(Walk.NEW)
    message = desk.messages()[str(top.id)]
    assert (message.state, message.author, message.text) == (SourceState.DELETED, None, "")
    assert held(desk) == truth(vk)


def test_an_unchanged_message_keeps_its_digest(vk: VkPlatform) -> None:
    school(vk, replies=12)
    desk = Desk(channel())
    desk.read(Walk.DEEP)
    desk.changes = 0
    desk.read(Walk.DEEP)
    assert desk.changes == 0
    vk.items[0].text = "Исправлено"
    desk.read(Walk.DEEP)
    assert desk.changes == 1
    assert held(desk) == truth(vk)


@pytest.mark.parametrize("before", list(Walk))
def test_an_idle_new_walk_asks_four_times_and_a_late_reply_costs_one_post(vk: VkPlatform, before: Walk) -> None:
    """Also right after a long walk: the cheap one goes on from its cursor."""
    school(vk)
    desk = Desk(channel())
    desk.read(before)
    vk.log.clear()
    desk.read(Walk.NEW)
    assert calls(vk) == ["wall.get", "video.get", "photos.getAllComments", "messages.getConversations"]
    vk.write(f"wall-{GROUP}_1", "Поздний ответ", vk.items[0])
    vk.write(f"photo-{GROUP}_6", "Под фото")
    vk.write("peer8", "Ещё вопрос", author=8)
    vk.log.clear()
    desk.read(Walk.NEW)
    assert held(desk) == truth(vk)
    assert calls(vk).count("wall.getComments") == 1
    assert calls(vk).count("photos.getComments") == 1
    assert calls(vk).count("messages.getHistory") == 1


def test_a_pinned_post_stands_first_and_is_watched_beside_the_newest(vk: VkPlatform) -> None:
    vk.posts, vk.pinned = list(range(1, 151)), 3
    for post in (3, 150, 60, 20):
        vk.write(f"wall-{GROUP}_{post}", "Вопрос")
    desk = Desk(channel())
    desk.read(Walk.NEW)
    assert {key[0] for key in held(desk)} == {f"wall-{GROUP}_{post}" for post in (3, 150, 60)}
    desk.read(Walk.DEEP)
    assert held(desk) == truth(vk)


@pytest.mark.parametrize("walk", [Walk.NEW, Walk.DEEP])
def test_deletions_are_seen_by_a_complete_listing(vk: VkPlatform, walk: Walk) -> None:
    school(vk, comments=4, replies=12)
    desk = Desk(channel())
    desk.read(walk)
    for item in [one for one in vk.items if one.container.startswith("wall") and one.root]:
        vk.remove(item)
    desk.read(walk)
    assert held(desk) == truth(vk)
    vk.items = [one for one in vk.items if one.container != f"wall-{GROUP}_1"]
    desk.read(walk)
    assert held(desk) == truth(vk)


@pytest.mark.parametrize("level", ["overcount", "thread_overcount"])
def test_a_listing_with_fewer_comments_than_counted_deletes_nothing(vk: VkPlatform, level: str) -> None:
    top = vk.write(f"wall-{GROUP}_1", "Вопрос")
    for number in range(3):
        vk.write(f"wall-{GROUP}_1", f"Ответ {number}", top)
    desk = Desk(channel())
    desk.read(Walk.DEEP)
    before = held(desk)
    setattr(vk, level, 1)
    vk.remove(vk.items[2])
    desk.read(Walk.DEEP)
    assert held(desk) == before


def test_a_late_reply_before_the_place_where_a_walk_was_killed_is_read(vk: VkPlatform) -> None:
    for number in range(250):
        vk.write(f"wall-{GROUP}_1", f"Вопрос {number}")
    desk = Desk(channel())
    desk.read(Walk.NEW, pages=2)
    vk.write(f"wall-{GROUP}_1", "Поздний ответ", vk.items[0])
    desk.read(Walk.NEW)
    assert held(desk) == truth(vk)


@pytest.mark.parametrize("walk", list(Walk))
def test_a_walk_goes_on_from_every_cursor(vk: VkPlatform, walk: Walk) -> None:
    vk.biggest_page = 3
    school(vk, comments=7, replies=12)
    for peer in range(20, 26):
        vk.write(f"peer{peer}", "Здравствуйте", author=peer)
    for length in (1, 2, 3, 5, 8):
        desk = Desk(channel())
        for _ in range(150):
            desk.read(walk, pages=length)
            if desk.completed:
                break
        assert held(desk) == truth(vk), f"killed after every {length} pages"


def test_one_closed_post_and_one_lost_dialogue_stop_no_other(vk: VkPlatform) -> None:
    school(vk)
    vk.refused = {f"wall-{GROUP}_1": 212, f"video-{GROUP}_4": 801, "peer8": 917}
    for walk in Walk:
        desk = Desk(channel())
        desk.read(walk)
        assert {key[0] for key in held(desk)} == {f"wall-{GROUP}_3", f"photo-{GROUP}_6", "peer5"}
        assert desk.completed


def test_the_tokens_that_are_there_decide_what_is_read(vk: VkPlatform) -> None:
    school(vk)
    for tokens, kinds in (
        ({"user_token": None}, {"peer"}),
        ({"community_token": None}, {"wall", "video", "photo"}),
        ({"user_token": None, "community_token": None, "service_token": "service-token"}, {"wall"}),
    ):
        desk = Desk(channel(**tokens))
        desk.read(Walk.NEW)
        assert {key[0].rstrip("-_0123456789") for key in held(desk)} == kinds
    with pytest.raises(ChannelError) as caught:
        Desk(channel(user_token=None, community_token=None)).read(Walk.NEW)
    assert caught.value.code == "settings"


def test_a_dead_token_is_told_but_the_other_one_still_reads(vk: VkPlatform) -> None:
    school(vk)
    desk = Desk(channel(user_token="dead"))
    with pytest.raises(ChannelError) as caught:
        desk.read(Walk.NEW)
    assert (caught.value.code, caught.value.permanent) == ("auth", True)
    assert {key[0] for key in held(desk)} == {"peer5", "peer8"}


def test_a_missing_section_is_no_error_of_the_walk(vk: VkPlatform) -> None:
    school(vk)
    vk.before = lambda method, form: _refuse(method.startswith(("video.", "photos.")), 204)
    desk = Desk(channel())
    desk.read(Walk.DEEP)
    assert desk.completed
    vk.before = lambda method, form: _refuse(True, 15)
    with pytest.raises(ChannelError) as caught:
        desk.read(Walk.NEW)
    assert caught.value.code == "rights"


def test_a_dialogue_that_moves_to_the_top_during_the_walk_is_not_passed_over(vk: VkPlatform) -> None:
    for peer in range(1, 101):
        vk.write(f"peer{peer}", "Первое", author=peer)
        vk.write(f"peer{peer}", "Второе", author=peer)
    desk = Desk(channel(user_token=None))
    asked = 0

    def move(method: str, form: dict[str, str]) -> None:
        nonlocal asked
        asked += method == "messages.getConversations"
        if asked == 2 and method == "messages.getConversations":
            vk.write("peer1", "Я передумал", author=1, at=EPOCH + 5000)

    for walk in (Walk.NEW, Walk.BACKFILL):
        asked = 0
        vk.before = move
        desk = Desk(channel(user_token=None))
        desk.read(walk)
        vk.before = None
        assert held(desk) == truth(vk)


def test_broken_items_are_kept_and_hurt_no_neighbour(vk: VkPlatform) -> None:
    good = vk.write(f"wall-{GROUP}_1", "Хороший")
    odd: list[Any] = ["?", {"text": "без номера"}, {"id": 900, "from_id": 5, "date": "вчера", "text": "x"}]
    items = [*odd, vk._comment(good), {"id": 901, "from_id": 5, "date": 10**18, "text": "x"}]
    items.append({"id": 902, "from_id": "пять", "date": EPOCH, "text": "x"})
    vk.canned["wall.getComments"] = {"response": {"count": 6, "current_level_count": 6, "items": items}}
    desk = Desk(channel())
    desk.read(Walk.NEW)
    good_ones, failed = set(), 0
    for raw in desk.raws.values():
        try:
            good_ones |= {one.external_id for one in desk.channel.parse(raw)}
        except (KeyError, TypeError, ValueError, OverflowError, OSError):
            failed += 1
    assert good_ones == {str(good.id)}
    assert failed == 5


def test_what_a_message_brings_with_it(vk: VkPlatform) -> None:
    photo = {"type": "photo", "photo": {"owner_id": 5, "id": 3, "sizes": [{"url": "https://i.example/?sign=1"}]}}
    link = {"type": "link", "link": {"url": "https://lms.example/", "title": "Урок"}}
    message = {
        "id": 44,
        "date": EPOCH,
        "from_id": 5,
        "text": "ж" * 250_000 + "\ud800",
        "attachments": [photo, link],
        "reply_message": {"id": 40, "text": "…"},
        "fwd_messages": [{"text": "переслано"}],
    }
    entry = {"conversation": {"peer": {"id": 5}}, "last_message": message}
    vk.canned["messages.getConversations"] = {"response": {"count": 1, "items": [entry]}}
    vk.canned["messages.getHistory"] = {"response": {"count": 1, "items": [message]}}
    desk = Desk(channel())
    desk.read(Walk.NEW)
    (one,) = desk.messages().values()
    assert one.text == "ж" * 250_000
    assert one.parent_external_id == "40"
    told = [(each.kind, each.name, each.url) for each in one.attachments]
    assert told == [
        ("photo", "", "https://site.example/photo5_3"),
        ("link", "Урок", "https://lms.example/"),
        ("link", "переслано", None),
    ]
    assert b"sign" not in next(iter(desk.raws.values())).body


def test_a_foreign_raw_is_refused() -> None:
    with pytest.raises(ValueError, match="mail"):
        channel().parse(Raw("mail", "x", "1", b"{}"))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_pages_have_no_hole_whatever_moves(data: st.DataObject) -> None:
    """The listing alone: items come at either end and go anywhere between two pages; all that stay are read."""
    length: int = data.draw(st.integers(0, 60))
    standing = list(range(length))
    stayed = set(standing)
    capped, overcount = data.draw(st.integers(2, 20)), data.draw(st.integers(0, 5))
    fresh = 1000

    def fetch(offset: int) -> tuple[list[int], int | None]:
        nonlocal fresh
        for _ in range(data.draw(st.integers(0, 3))):
            leaves: bool = data.draw(st.booleans())
            if standing and leaves:
                stayed.discard(standing.pop(data.draw(st.integers(0, len(standing) - 1))))
            else:
                fresh += 1
                standing.insert(data.draw(st.sampled_from([0, len(standing)])), fresh)
        told = None if overcount == 5 and capped == 20 else len(standing) + overcount
        return standing[offset : offset + capped], told

    seen: list[int] = []
    whole = False
    with contextlib.suppress(ChannelError):  # it moved faster than it could be read: said, not hidden
        for step in steps(fetch, 20, lambda one: one):
            seen += step.items
            whole = step.whole
        assert step.is_last
    if not step.is_last:
        return
    assert stayed <= set(seen)
    if whole:
        assert len(set(seen)) >= len(standing)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_happens_between_calls_nothing_is_lost(data: st.DataObject) -> None:
    """Random threads, page sizes, kills, and messages that come, change and go while a walk is under way."""
    vk = VkPlatform(
        biggest_page=data.draw(st.sampled_from([2, 3, 7, 200])),
        names_parents=data.draw(st.booleans()),
        posts=[1, 2, 3],
        videos=[4],
        photos=[6],
    )
    places = [f"wall-{GROUP}_1", f"wall-{GROUP}_2", f"video-{GROUP}_4", f"photo-{GROUP}_6", "peer5", "peer8"]

    def happen(method: str = "", form: object = None) -> None:
        what = data.draw(st.sampled_from(["", "", "", "write", "reply", "edit", "delete"]))
        comments = [one for one in vk.items if not one.container.startswith("peer") and not one.deleted]
        if what == "write":
            vk.write(data.draw(st.sampled_from(places)), f"текст {len(vk.items)}")
        elif what == "reply" and comments:
            parent: Item = data.draw(st.sampled_from(comments))
            vk.write(parent.container, f"ответ {len(vk.items)}", parent)
        elif what == "edit" and comments:
            data.draw(st.sampled_from(comments)).text += "!"
        elif what == "delete" and comments:
            vk.remove(data.draw(st.sampled_from(comments)))

    for _ in range(data.draw(st.integers(0, 25))):
        happen()
    desk = Desk(channel())
    with respx.mock:
        respx.route(host="vkapi.example").mock(side_effect=vk)
        vk.before = happen
        for _ in range(data.draw(st.integers(0, 4))):
            desk.read(data.draw(st.sampled_from(list(Walk))), pages=data.draw(st.integers(1, 6)))
        vk.before = None
        desk.read(Walk.NEW)
        desk.read(Walk.DEEP)
        desk.read(Walk.DEEP)
        assert held(desk) == truth(vk)
