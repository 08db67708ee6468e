"""Isso's faults and histories, against one in memory; the real one has its own tests beside this."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.base import Act, ActKind, ChannelError, Raw, Sent, SourceState, Target, Verdict, Walk
from collectors.isso import Settings
from tests.collectors.desk import Desk
from tests.collectors.isso_platform import EPOCH, PAGES, SCHOOL, IssoPlatform, channel


@pytest.fixture
def isso() -> Iterator[IssoPlatform]:
    platform = IssoPlatform()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="isso.example").mock(side_effect=platform)
        router.route(host="blog.example").mock(side_effect=platform.page)
        yield platform


def truth(isso: IssoPlatform) -> dict[str, str]:
    return {str(one.id): one.text for one in isso.comments.values() if one.mode != 2}


def say(text: str = "Здравствуйте", since: datetime | None = None) -> Act:
    return Act(ActKind.MESSAGE, 7, "t", Target("/a/"), text, since)


@pytest.mark.parametrize("most", [1, 2, 3, 1000])
@pytest.mark.parametrize("walk", list(Walk))
def test_hidden_comments_are_asked_for_to_the_last(isso: IssoPlatform, most: int, walk: Walk) -> None:
    isso.most = most
    for number in range(4):
        top = isso.write(f"Вопрос {number}", uri=PAGES[number % 2])
        for reply in range(number):
            isso.write(f"Ответ {reply}", top.id, top.uri)
    desk = Desk(channel())
    desk.read(walk)
    assert desk.texts() == truth(isso)
    assert desk.completed
    listed = {key: ids for page in desk.channel.walk(Walk.DEEP, {}) for key, ids in page.listed.items()}
    assert {one for ids in listed.values() for one in ids} == set(truth(isso))


def test_only_pages_whose_number_changed_are_read_again(isso: IssoPlatform) -> None:
    isso.write("Вопрос")
    desk = Desk(channel())
    desk.read(Walk.NEW)
    isso.write("Поздний ответ", 1)
    isso.requests.clear()
    desk.read(Walk.NEW)
    assert [(one.url.path, one.url.params.get("uri")) for one in isso.requests] == [("/count", None), ("/", "/a/")]
    assert "Поздний ответ" in desk.texts().values()


def test_a_late_approval_changes_the_number(isso: IssoPlatform) -> None:
    held = isso.write("Ждёт", mode=2)
    desk = Desk(channel())
    desk.read(Walk.NEW)
    assert desk.texts() == {}
    held.mode = 1
    desk.read(Walk.NEW)
    assert desk.texts() == {str(held.id): "Ждёт"}


def test_one_broken_page_does_not_stop_the_others(isso: IssoPlatform) -> None:
    isso.write("На первой")
    isso.write("На второй", uri="/b/")
    isso.broken = {"/a/"}
    desk = Desk(channel())
    for walk in (Walk.NEW, Walk.DEEP):
        with pytest.raises(ChannelError) as caught:
            desk.read(walk)
        assert (caught.value.code, caught.value.permanent) == ("server", False)
    assert list(desk.texts().values()) == ["На второй"]
    isso.broken = set()
    desk.read(Walk.NEW)
    assert set(desk.texts().values()) == {"На первой", "На второй"}


@pytest.mark.parametrize("nested", [False, True])
def test_a_page_that_does_not_show_all_is_not_called_complete(isso: IssoPlatform, nested: bool) -> None:
    top = isso.write("Вопрос")
    for number in range(4):
        isso.write(f"Ещё {number}", top.id if nested else None)
    desk = Desk(channel())
    desk.read(Walk.DEEP)
    isso.most, isso.stuck = 2, True
    desk.read(Walk.DEEP)
    assert desk.texts() == truth(isso)
    assert channel().lookup(say("Не писали")).verdict is Verdict.UNKNOWN


def test_a_site_that_is_down_costs_no_comment(isso: IssoPlatform) -> None:
    isso.write("Вопрос")
    isso.site_is_down = True
    desk = Desk(channel())
    desk.read(Walk.NEW)
    assert list(desk.texts().values()) == ["Вопрос"]
    (page,) = [
        one for raw in desk.raws.values() if (one := desk.channel.publication(raw)) and one.external_id == "/a/"
    ]
    assert page.title == "/a/"


def test_a_title_once_known_is_kept_when_the_site_is_down(isso: IssoPlatform) -> None:
    isso.write("Вопрос")
    desk = Desk(channel())
    desk.read(Walk.DEEP)
    isso.site_is_down = True
    desk.read(Walk.DEEP)
    titles = {one.title for raw in desk.raws.values() if (one := desk.channel.publication(raw))}
    assert titles == {"Страница"}


def test_ours_are_known_by_the_hash_and_not_by_the_name(isso: IssoPlatform) -> None:
    isso.write("Мы", author=SCHOOL, hash="0e4dc7bd4e30")
    isso.write("Не мы", author=SCHOOL)
    isso.write("Кто-то", author=None)
    desk = Desk(channel())
    desk.read(Walk.NEW)
    authors = {one.text: one.author for one in desk.messages().values()}
    assert {text: author.is_us for text, author in authors.items() if author} == {
        "Мы": True, "Не мы": False, "Кто-то": False
    }  # fmt: skip
    assert len({author.external_id for author in authors.values() if author}) == 3


def test_the_hash_of_our_mail_address_is_isso_s_own() -> None:
    """The value is what isso.utils.hash.PBKDF2 of version 0.14.0 gives for this address."""
    one = channel(own_hashes=[], email="desk@school.example")
    comment = {"id": 1, "parent": None, "text": "x", "author": "Кто", "mode": 1, "created": 1.5, "modified": None}
    comment["hash"] = "28fa71e709fd"
    raw = Raw("comment", "/a/", "1", json.dumps({"comment": comment, "uri": "/a/"}).encode())
    (message,) = one.parse(raw)
    assert message.author is not None
    assert message.author.is_us
    assert message.published_at == datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC)


def test_pages_may_be_given_as_addresses() -> None:
    told = Settings.model_validate(
        {
            "base_url": "https://isso.example/api",
            "site_url": "https://blog.example",
            "author": SCHOOL,
            "uris": ["https://blog.example/a/", " /b/ ", "/a/", "https://blog.example"],
        }
    )
    assert told.uris == ["/a/", "/b/", "/"]
    assert told.base_url == "https://isso.example/api/"


def test_a_broken_comment_fails_alone() -> None:
    with pytest.raises(KeyError):
        channel().parse(Raw("comment", "/a/", "1", b'{"comment":{"id":1}}'))
    assert channel().parse(Raw("page", "pages", "/a/", b'{"title":""}')) == []


def test_a_reply_is_sent_as_isso_wants_it(isso: IssoPlatform) -> None:
    top = isso.write("Вопрос")
    nested = isso.write("Уточнение", top.id)
    receipt = channel(email="desk@school.example").act(
        Act(ActKind.REPLY, 7, "t", Target("/a/", str(nested.id)), "Да")
    )
    sent = isso.requests[-1]
    assert (sent.method, sent.url.path, dict(sent.url.params)) == ("POST", "/new", {"uri": "/a/"})
    assert json.loads(sent.content) == {
        "text": "Да", "author": SCHOOL, "email": "desk@school.example", "parent": nested.id
    }  # fmt: skip
    own = isso.comments[int(str(receipt.external_id))]
    assert (own.parent, receipt.at) == (top.id, datetime.fromtimestamp(own.created, UTC))
    assert receipt.url == f"https://blog.example/a/#isso-{own.id}"


def test_nothing_is_written_under_a_comment_that_is_gone(isso: IssoPlatform) -> None:
    with pytest.raises(ChannelError) as caught:
        channel().act(Act(ActKind.REPLY, 7, "t", Target("/a/", "5"), "Да"))
    assert (caught.value.code, caught.value.sent) == ("gone", Sent.NO)
    assert isso.comments == {}


@pytest.mark.parametrize(
    ("status", "told", "code", "permanent", "pause"),
    [
        (400, "<h1>Bad Request</h1><p>text is too short (minimum length: 3)</p>", "invalid", True, None),
        (403, '{"message": "403 Forbidden: 10.0.0.0: ratelimit exceeded (1, 2)"}', "rate", False, 60),
        (403, '{"message": "403 Forbidden: edit time frame is still open"}', "rate", False, 900),
        (403, '{"message": "403 Forbidden: 3 direct responses to /a/"}', "rights", True, None),
        (403, '{"message": "403 Forbidden: email address required but not provided"}', "settings", True, None),
        (404, "<h1>Not Found</h1>", "gone", True, None),
        (405, "", "settings", True, None),
        (429, "", "rate", False, 7),
        (301, "", "settings", True, None),
    ],
)
def test_a_refusal_means_not_sent(
    isso: IssoPlatform, status: int, told: str, code: str, permanent: bool, pause: float | None
) -> None:
    more = {429: {"Retry-After": "7"}, 301: {"Location": "https://x.example/"}}.get(status)
    isso.faults = [httpx.Response(status, text=told, headers=more)]
    with pytest.raises(ChannelError) as caught:
        channel().act(say())
    error = caught.value
    assert (error.code, error.permanent, error.retry_after, error.sent) == (code, permanent, pause, Sent.NO)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (httpx.ReadTimeout("x"), "network"),
        (httpx.ReadError("reset"), "network"),
        (httpx.Response(500, text="<h1>"), "server"),
        (httpx.Response(504, text=""), "server"),
        (httpx.Response(200, text="<html>"), "server"),
        (httpx.Response(201, text='{"id": 1, "te'), "server"),
        (httpx.Response(201, json={"id": 1}), "server"),
        (httpx.Response(201, json=None), "server"),
    ],
)
def test_a_broken_answer_leaves_the_outcome_to_lookup(
    isso: IssoPlatform, fault: httpx.Response | Exception, code: str
) -> None:
    isso.lost = [fault]
    with pytest.raises(ChannelError) as caught:
        channel().act(say())
    assert (caught.value.code, caught.value.sent, caught.value.permanent) == (code, Sent.UNKNOWN, False)
    proof = channel().lookup(say(since=datetime.fromtimestamp(EPOCH, UTC)))
    assert (proof.verdict, proof.external_id) == (Verdict.SEEN, "1")


def test_a_refused_connection_is_not_sent(isso: IssoPlatform) -> None:
    isso.faults = [httpx.ConnectError("x")]
    with pytest.raises(ChannelError) as caught:
        channel().act(say())
    assert (caught.value.code, caught.value.sent) == ("network", Sent.NO)
    assert channel().lookup(say()).verdict is Verdict.ABSENT


def test_lookup_looks_no_further_back_than_the_first_attempt(isso: IssoPlatform) -> None:
    one = isso.write("Здравствуйте", author=SCHOOL)
    assert channel().lookup(say(since=datetime.fromtimestamp(one.created + 100, UTC))).verdict is Verdict.SEEN
    assert channel().lookup(say(since=datetime.fromtimestamp(one.created + 200, UTC))).verdict is Verdict.ABSENT


def test_absence_is_not_proven_where_comments_wait_for_approval(isso: IssoPlatform) -> None:
    isso.moderated = True
    assert channel(moderated=True).act(say()).visible is False
    assert channel(moderated=True).lookup(say()).verdict is Verdict.UNKNOWN


STEPS = ["write", "reply", "delete", "edit", "hold", "approve", "read", "kill"]


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 30)), max_size=30), most=st.integers(1, 4))
def test_after_any_history_a_deep_walk_makes_all_equal(steps: list[tuple[str, int]], most: int) -> None:
    isso, desk = IssoPlatform(), Desk(channel(site_url=""))
    isso.most = most
    with respx.mock:
        respx.route(host="isso.example").mock(side_effect=isso)
        for word, number in steps:
            standing = sorted(isso.comments)
            some = standing[number % len(standing)] if standing else 0
            match word:
                case "read":
                    desk.read(Walk.NEW)
                case "kill":
                    desk.read(Walk.DEEP, 1)
                case "write" | "hold":
                    isso.write(f"Т {number}", uri=PAGES[number % 2], mode=1 if word == "write" else 2)
                case "reply" if some and isso.comments[some].mode == 1:
                    isso.write(f"О {number}", some, isso.comments[some].uri)
                case "delete" if some:
                    isso.delete(some)
                case "edit" if some and isso.comments[some].mode == 1:
                    isso.comments[some].text += "!"
                case "approve" if some and isso.comments[some].mode == 2:
                    isso.comments[some].mode = 1
        desk.read(Walk.DEEP)
        desk.read(Walk.DEEP)
    assert desk.texts() == truth(isso)
    deleted = {key for key, one in desk.messages().items() if one.state is SourceState.DELETED}
    assert deleted == {str(one.id) for one in isso.comments.values() if one.mode == 4}
