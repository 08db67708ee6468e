"""VK over HTTP: kinds of tokens, levels and threads of comments, answers in the school's name, messages, events."""

import threading
from typing import Any

import pytest

from sandbox import keys
from sandbox.vk import METHODS
from tests.sandbox.running import Running

OWNER: dict[str, Any] = {"owner_id": -keys.VK_GROUP}
COMMUNITY = keys.VK_COMMUNITY_TOKEN


def code(answer: dict[str, Any]) -> int:
    return int(answer["error"]["error_code"])


def comments(world: Running, post: int = 118, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = world.vk("wall.getComments", **OWNER, post_id=post, **params)["response"]
    return found


@pytest.mark.parametrize("method", [name for name, (kinds, _) in METHODS.items() if "community" not in kinds])
def test_a_community_token_gets_27_where_only_people_may(world: Running, method: str) -> None:
    assert code(world.vk(method, COMMUNITY, **OWNER)) == 27


def test_other_kinds_of_tokens_are_told_apart(world: Running) -> None:
    assert code(world.vk("video.getComments", keys.VK_SERVICE_TOKEN, **OWNER, video_id=7)) == 28
    assert code(world.vk("groups.getTokenPermissions")) == 15
    assert world.vk("wall.get", keys.VK_SERVICE_TOKEN, **OWNER)["response"]["count"] == 7
    permissions = world.vk("groups.getTokenPermissions", COMMUNITY)["response"]["permissions"]
    assert {"wall", "messages"} <= {one["name"] for one in permissions}


def test_errors_are_named_and_do_not_repeat_the_token(world: Running) -> None:
    error = world.vk("wall.get", "stolen", **OWNER)["error"]
    assert error["error_code"] == 5
    assert {"key": "owner_id", "value": str(-keys.VK_GROUP)} in error["request_params"]
    assert "stolen" not in str(error)
    assert code(world.vk("wall.dance", **OWNER)) == 3
    assert code(world.vk("wall.get", v="", **OWNER)) == 8
    assert code(world.vk("wall.get")) == 100
    assert code(world.vk("wall.get", owner_id=-1)) == 15
    assert code(world.vk("wall.getComments", **OWNER, post_id=999)) == 212


def test_the_wall_begins_with_the_pinned_post(world: Running) -> None:
    posts = world.vk("wall.get", **OWNER, count=100, extended=1)["response"]
    assert posts["items"][0]["is_pinned"] == 1
    dates = [post["date"] for post in posts["items"][1:]]
    assert dates == sorted(dates, reverse=True)
    assert [group["id"] for group in posts["groups"]] == [keys.VK_GROUP]
    assert code(world.vk("wall.get", **OWNER, count=101)) == 100


def test_a_level_is_paged_by_its_own_count(world: Running) -> None:
    first = comments(world, count=4, preview_length=0)
    assert len(first["items"]) == 4
    assert first["current_level_count"] < first["count"]
    ids, offset = [], 0
    while offset < first["current_level_count"]:
        page = comments(world, count=4, offset=offset, preview_length=0)["items"]
        ids += [item["id"] for item in page]
        offset += len(page)
    tops = world.truth("vk", kind="post", publication="118", root_external_id=None)
    assert ids == [int(item["external_id"]) for item in tops]
    assert len(comments(world)["items"]) == min(10, len(ids))


def test_replies_come_only_when_asked_and_ten_at_most(world: Running) -> None:
    angry = int(world.truth("vk", key="v07")[0]["external_id"])
    bare = next(item for item in comments(world, count=100)["items"] if item["id"] == angry)
    assert (bare["thread"]["count"], bare["thread"]["items"]) == (13, [])
    full = comments(world, count=100, thread_items_count=10, extended=1, preview_length=0)
    thread = next(item for item in full["items"] if item["id"] == angry)["thread"]
    assert len(thread["items"]) == 10
    assert all(reply["parents_stack"] == [angry] for reply in thread["items"])
    rest = comments(world, comment_id=angry, offset=10, count=100, preview_length=0)
    assert len(rest["items"]) == rest["current_level_count"] - 10 == 3
    named = {profile["id"] for profile in full["profiles"]}
    assert {reply["from_id"] for reply in thread["items"] if reply["from_id"] > 0} <= named
    assert code(world.vk("wall.getComments", **OWNER, post_id=118, thread_items_count=11)) == 100
    assert code(world.vk("wall.getComments", **OWNER, post_id=118, count=101)) == 100


def test_order_and_start_follow_the_request(world: Running) -> None:
    ascending = [item["id"] for item in comments(world, count=100)["items"]]
    assert [item["id"] for item in comments(world, count=100, sort="desc")["items"]] == ascending[::-1]
    start = ascending[2]
    page = comments(world, count=2, start_comment_id=start)
    assert [item["id"] for item in page["items"]] == ascending[2:4]
    assert page["real_offset"] == 2
    page = comments(world, count=2, start_comment_id=start, offset=-1, sort="asc")
    assert [item["id"] for item in page["items"]] == ascending[1:3]


def test_long_text_is_cut_unless_the_whole_is_asked(world: Running) -> None:
    text = "Очень длинный комментарий о расписании. " * 10
    id_ = int(world.says("vk", "vk-club", text)["external_id"])
    cut = next(item for item in comments(world, 130, count=100)["items"] if item["id"] == id_)
    assert cut["text"] == text[:90] + "..."
    whole = next(item for item in comments(world, 130, count=100, preview_length=0)["items"] if item["id"] == id_)
    assert whole["text"] == text


def test_an_answer_is_the_communitys_and_a_guid_makes_it_one(world: Running) -> None:
    asked = int(world.says("vk", "vk-mock", "Когда пробник?")["external_id"])
    params = {**OWNER, "post_id": 124, "reply_to_comment": asked, "from_group": keys.VK_GROUP, "guid": "row-17"}
    first = world.vk("wall.createComment", message="В воскресенье в 10:00", **params)["response"]
    again = world.vk("wall.createComment", message="В воскресенье в 10:00", **params)["response"]
    assert first == again
    assert first["parents_stack"] == [asked]
    standing = world.truth("vk", external_id=str(first["comment_id"]), kind="post")[0]
    assert (standing["author_external_id"], standing["direction"]) == (str(-keys.VK_GROUP), "out")
    item = world.vk("wall.getComment", **OWNER, comment_id=first["comment_id"])["response"]["items"][0]
    assert (item["reply_to_comment"], item["from_id"]) == (asked, -keys.VK_GROUP)


def test_a_token_decides_in_whose_name_one_writes(world: Running) -> None:
    by_person = world.vk("wall.createComment", **OWNER, post_id=124, message="от себя")["response"]["comment_id"]
    by_group = world.vk("wall.createComment", COMMUNITY, **OWNER, post_id=124, message="от школы")["response"]
    authors = {item["external_id"]: item["author_external_id"] for item in world.truth("vk", kind="post")}
    assert authors[str(by_person)] == "990000002"
    assert authors[str(by_group["comment_id"])] == str(-keys.VK_GROUP)


def test_wrong_answers_are_refused(world: Running) -> None:
    def create(**params: Any) -> int:
        return code(world.vk("wall.createComment", **OWNER, **params))

    assert create(post_id=124) == 100
    assert create(post_id=124, message="а" * 16_385) == 100
    assert create(post_id=999, message="а") == 212
    assert create(post_id=124, message="а", reply_to_comment=999_999) == 211


def test_a_deleted_head_stays_as_a_placeholder_while_replies_stand(world: Running) -> None:
    head = world.says("vk", "vk-film", "удалю, но мне ответят")["external_id"]
    world.says("vk", "vk-film", "отвечаю", "boris", parent=head)
    lone = world.says("vk", "vk-film", "удалю, и следа не будет")["external_id"]
    for id_ in (head, lone):
        assert world.vk("wall.deleteComment", **OWNER, comment_id=id_) == {"response": 1}
    items = {item["id"]: item for item in comments(world, 112, count=100)["items"]}
    assert items[int(head)]["deleted"] is True
    assert items[int(head)]["text"] == ""
    assert int(lone) not in items
    assert code(world.vk("wall.deleteComment", **OWNER, comment_id=lone)) == 211
    assert world.vk("wall.restoreComment", **OWNER, comment_id=lone) == {"response": 1}
    assert code(world.vk("wall.restoreComment", **OWNER, comment_id=lone)) == 243
    assert world.truth("vk", external_id=lone, kind="post")[0]["state"] == "published"


def test_only_our_own_words_are_edited(world: Running) -> None:
    own = world.vk("wall.createComment", **OWNER, post_id=124, message="Опечтка")["response"]["comment_id"]
    assert world.vk("wall.editComment", **OWNER, comment_id=own, message="Опечатка") == {"response": 1}
    foreign = world.truth("vk", key="v35")[0]["external_id"]
    assert code(world.vk("wall.editComment", **OWNER, comment_id=foreign, message="нет")) == 15


def test_a_like_counts_once(world: Running) -> None:
    id_ = world.truth("vk", key="v23")[0]["external_id"]
    liked = [world.vk("likes.add", **OWNER, type="comment", item_id=id_)["response"]["likes"] for _ in range(2)]
    assert liked == [1, 1]
    item = next(one for one in comments(world, count=100, need_likes=1)["items"] if one["id"] == int(id_))
    assert item["likes"] == {"can_like": 1, "count": 1, "user_likes": 1}
    assert world.vk("likes.delete", **OWNER, type="comment", item_id=id_)["response"] == {"likes": 0}


def test_a_banned_person_cannot_write(alone: Running) -> None:
    who = alone.truth("vk", key="v28")[0]["author_external_id"]
    assert alone.vk("groups.ban", group_id=keys.VK_GROUP, owner_id=who) == {"response": 1}
    entry = {"platform": "vk", "publication": "vk-club", "author": "promo", "text": "ещё реклама"}
    assert alone.http.post("/_sandbox/comment", json=entry).status_code == 400


def test_videos_and_photos_have_comments_of_their_own(world: Running) -> None:
    video = world.vk("video.get", **OWNER)["response"]["items"][0]
    under = world.vk("video.getComments", **OWNER, video_id=video["id"], thread_items_count=10)["response"]
    assert under["count"] >= 3
    assert [len(item["thread"]["items"]) for item in under["items"]][:2] == [0, 1]
    new = world.vk("video.createComment", **OWNER, video_id=video["id"], message="Архив", from_group=1)["response"]
    assert world.truth("vk", kind="video", external_id=str(new))[0]["author_external_id"] == str(-keys.VK_GROUP)
    photo = world.vk("photos.getAll", **OWNER)["response"]["items"][0]
    bare = world.vk("photos.createComment", **OWNER, photo_id=photo["id"], message="Красота", reply_to_comment=1)
    newest = world.vk("photos.getAllComments", **OWNER)["response"]["items"]
    assert newest[0]["id"] == bare["response"]
    assert (newest[0]["pid"], newest[0]["reply_to_comment"]) == (photo["id"], 1)
    oldest = world.vk("photos.getComments", **OWNER, photo_id=photo["id"], extended=1)["response"]
    assert [item["id"] for item in oldest["items"]] == [item["id"] for item in reversed(newest)]
    assert "thread" not in oldest["items"][0]


def test_people_and_names(world: Running) -> None:
    assert world.vk("users.get")["response"][0]["first_name"] == "Дарья"
    found = world.vk("users.get", COMMUNITY, user_ids="990000101,lev_ars,404")["response"]
    assert [one["first_name"] for one in found] == ["Алина", "Лев"]
    assert world.vk("groups.getById", COMMUNITY)["response"]["groups"][0]["id"] == keys.VK_GROUP
    known = world.vk("utils.resolveScreenName", screen_name=keys.SCREEN_NAME)["response"]
    assert known == {"object_id": keys.VK_GROUP, "type": "group"}
    assert world.vk("utils.resolveScreenName", screen_name="free_name")["response"] == []


def test_messages_are_read_and_sent_once_for_one_random_id(world: Running) -> None:
    asked = world.vk("messages.getConversations", COMMUNITY, extended=1)["response"]
    peers = [entry["conversation"]["peer"]["id"] for entry in asked["items"]]
    assert {990000118, 990000122, 990000128} <= set(peers)
    assert {profile["id"] for profile in asked["profiles"]} >= set(peers)
    params = {"peer_id": 990000122, "message": "Есть место у Олега", "random_id": 4711}
    sent = [world.vk("messages.send", COMMUNITY, **params)["response"] for _ in range(2)]
    assert sent[0] == sent[1]
    history = world.vk("messages.getHistory", COMMUNITY, peer_id=990000122, count=2)["response"]
    assert (history["items"][0]["id"], history["items"][0]["out"]) == (sent[0], 1)
    assert history["items"][0]["random_id"] == 4711
    oldest = world.vk("messages.getHistory", COMMUNITY, peer_id=990000122, rev=1)["response"]["items"]
    assert [item["conversation_message_id"] for item in oldest] == list(range(1, history["count"] + 1))
    assert world.vk("messages.getById", COMMUNITY, message_ids=sent[0])["response"]["count"] == 1


def test_messages_go_only_to_those_who_wrote(alone: Running) -> None:
    def send(**params: Any) -> int:
        return code(alone.vk("messages.send", COMMUNITY, message="Здравствуйте", **params))

    assert send(peer_id=990000101, random_id=1) == 901
    assert send(peer_id=5, random_id=1) == 936
    assert send(peer_id=990000122) == 100
    long = alone.vk("messages.send", COMMUNITY, peer_id=990000122, random_id=2, message="а" * 9001)
    assert code(long) == 914
    assert code(alone.vk("messages.getConversations")) == 15
    assert alone.vk("messages.getConversations", group_id=keys.VK_GROUP)["response"]["count"] >= 3


def test_unread_ends_with_our_answer_or_a_mark(alone: Running) -> None:
    def unread() -> set[int]:
        asked = alone.vk("messages.getConversations", COMMUNITY, filter="unread")["response"]
        return {entry["conversation"]["peer"]["id"] for entry in asked["items"]}

    assert unread() == {990000118, 990000122, 990000128}
    alone.vk("messages.send", COMMUNITY, peer_id=990000118, random_id=9, message="Перевели сегодня")
    alone.vk("messages.markAsRead", COMMUNITY, peer_id=990000122)
    assert unread() == {990000128}


def test_the_long_poll_tells_of_comments_answers_and_messages(alone: Running) -> None:
    server = alone.vk("groups.getLongPollServer", COMMUNITY, group_id=keys.VK_GROUP)["response"]
    asked = {"act": "a_check", "key": server["key"], "ts": server["ts"], "wait": "25"}
    got: list[dict[str, Any]] = []
    poll = threading.Thread(target=lambda: got.append(alone.http.get(server["server"], params=asked).json()))
    poll.start()
    new = alone.says("vk", "vk-club", "А ссылка точно прежняя?")
    poll.join(timeout=5)
    assert [one["type"] for one in got[0]["updates"]] == ["wall_reply_new"]
    assert got[0]["updates"][0]["object"]["id"] == int(new["external_id"])
    alone.http.post("/_sandbox/edit", json={"platform": "vk", "id": new["external_id"], "text": "Ссылка прежняя?"})
    alone.vk("wall.deleteComment", **OWNER, comment_id=new["external_id"])
    alone.says("vk", "dialog", "Пишу лично", "kira")
    alone.vk("messages.send", COMMUNITY, peer_id=990000110, random_id=3, message="Отвечаем лично")
    rest = alone.http.get(server["server"], params={**asked, "ts": got[0]["ts"]}).json()["updates"]
    kinds = ["wall_reply_edit", "wall_reply_delete", "message_new", "message_reply"]
    assert [one["type"] for one in rest] == kinds
    assert len({one["event_id"] for one in got[0]["updates"] + rest}) == 5
    assert alone.http.get(server["server"], params={**asked, "key": "old"}).json() == {"failed": 2}
    assert alone.http.get(server["server"], params={**asked, "ts": "999999"}).json()["failed"] == 1


def test_a_person_may_call_three_times_a_second(alone: Running) -> None:
    answers = [alone.vk("users.get") for _ in range(4)]
    assert ["error" in answer for answer in answers] == [False, False, False, True]
    assert code(answers[3]) == 6
