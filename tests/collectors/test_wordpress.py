"""WordPress against a site in memory that pages, refuses and shifts as core does."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.base import ChannelError, Raw, SourceState, Walk
from collectors.wordpress import walks
from tests.collectors.desk import Desk
from tests.collectors.wordpress_platform import US, WordPressPlatform, channel


@pytest.fixture
def site() -> Iterator[WordPressPlatform]:
    platform = WordPressPlatform()
    with respx.mock:
        respx.route(host="blog.example", path__startswith="/wp-json").mock(side_effect=platform)
        yield platform


@pytest.fixture
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walks, "SIZE", 3)


def truth(site: WordPressPlatform) -> dict[str, str]:
    return {str(one.id): one.text for one in site.comments.values()}


def talk(site: WordPressPlatform, number: int = 11) -> None:
    for turn in range(number):
        top = site.write(12 + turn % 3, f"Вопрос {turn}")
        deep = site.write(top.post, f"Ответ {turn}", top.id)
        site.write(top.post, f"Ответ на ответ {turn}", deep.id, name="Олег")


# In


@pytest.mark.usefixtures("_small_pages")
@pytest.mark.parametrize("walk", list(Walk))
def test_everything_is_read(site: WordPressPlatform, walk: Walk) -> None:
    talk(site)
    desk = Desk(channel())
    desk.read(walk)
    assert desk.texts() == truth(site)
    assert desk.completed


@pytest.mark.usefixtures("_small_pages")
@pytest.mark.parametrize("walk", [Walk.NEW, Walk.DEEP])
def test_a_walk_killed_after_every_page_goes_on(site: WordPressPlatform, walk: Walk) -> None:
    talk(site)
    site.write(12, "Купите часы", status="spam")
    desk = Desk(channel())
    for _ in range(40):
        desk.read(walk, pages=1)
    assert desk.texts().items() >= {key: text for key, text in truth(site).items() if "часы" not in text}.items()
    assert ("Купите часы" in desk.texts().values()) is (walk is Walk.DEEP)


def test_one_look_at_a_quiet_site_is_three_calls_of_one_item(site: WordPressPlatform) -> None:
    talk(site)
    desk = Desk(channel())
    desk.read(Walk.NEW)
    site.requests.clear()
    desk.read(Walk.NEW)
    assert [one.url.path for one in site.requests] == [
        "/wp-json/wp/v2/users/me",
        "/wp-json/wp/v2/comments",
        "/wp-json/wp/v2/comments",
    ]
    assert site.requests[1].url.params["offset"] == "32"


def test_unchanged_comments_keep_their_digest(site: WordPressPlatform) -> None:
    talk(site)
    desk = Desk(channel())
    desk.read(Walk.NEW)
    before = desk.changes
    desk.read(Walk.DEEP)
    assert desk.changes == before


def test_a_late_approval_is_seen_by_the_cheap_walk(site: WordPressPlatform) -> None:
    held = site.write(12, "Можно записаться?", status="hold")
    desk = Desk(channel())
    desk.read(Walk.NEW)
    assert desk.messages()[str(held.id)].state is SourceState.HELD
    site.write(12, "Позже")
    desk.read(Walk.NEW)
    held.status = "approved"
    desk.read(Walk.NEW)
    assert desk.messages()[str(held.id)].state is SourceState.PUBLISHED


@pytest.mark.parametrize(("status", "state"), [("spam", SourceState.SPAM), ("trash", SourceState.DELETED)])
def test_a_held_comment_that_was_thrown_out_is_seen_too(
    site: WordPressPlatform, status: str, state: SourceState
) -> None:
    held = site.write(12, "Купите часы", status="hold")
    desk = Desk(channel())
    desk.read(Walk.NEW)
    held.status = status
    desk.read(Walk.NEW)
    assert desk.messages()[str(held.id)].state is state


def test_the_deep_walk_sees_edits_rescues_and_deletions(site: WordPressPlatform) -> None:
    edited, gone, rescued = (
        site.write(12, "Было"),
        site.write(13, "Сотрут"),
        site.write(12, "Я не спам", status="spam"),
    )
    desk = Desk(channel())
    desk.read(Walk.BACKFILL)
    assert desk.messages()[str(rescued.id)].state is SourceState.SPAM
    edited.text, rescued.status = "Стало", "approved"
    del site.comments[gone.id]  # the only comment of its post: the post must be named all the same
    desk.read(Walk.DEEP)
    assert desk.texts() == truth(site)
    assert desk.messages()[str(rescued.id)].state is SourceState.PUBLISHED


def test_a_comment_that_changed_its_list_while_we_read_is_not_called_deleted(site: WordPressPlatform) -> None:
    talk(site, 2)
    rescued = site.write(12, "Я не спам", status="spam")
    desk = Desk(channel())
    desk.read(Walk.DEEP)

    def rescue(request: httpx.Request) -> None:
        if request.url.params.get("status") == "spam":
            rescued.status = "approved"

    site.before = rescue
    desk.read(Walk.DEEP)
    assert str(rescued.id) in desk.texts()


def test_new_comments_during_the_deep_walk_do_not_spoil_its_proof(site: WordPressPlatform) -> None:
    talk(site, 2)
    gone = site.write(12, "Сотрут")
    desk = Desk(channel())
    desk.read(Walk.DEEP)
    del site.comments[gone.id]
    once = iter([True])

    def arrive(request: httpx.Request) -> None:
        if request.url.params.get("status") == "trash" and next(once, False):
            site.write(13, "Только что")

    site.before = arrive
    desk.read(Walk.DEEP)
    assert desk.texts() == truth(site)


@pytest.mark.usefixtures("_small_pages")
@pytest.mark.parametrize("pages", range(1, 9))
def test_a_deep_walk_that_was_killed_calls_nothing_deleted(site: WordPressPlatform, pages: int) -> None:
    talk(site, 2)
    site.write(12, "Купите часы", status="spam")
    site.write(12, "Купите трусы", status="trash")
    desk = Desk(channel())
    desk.read(Walk.DEEP)
    once = iter([True])

    def arrive(request: httpx.Request) -> None:
        if request.url.params.get("status") == "trash" and next(once, False):
            site.write(13, "Только что")

    site.before = arrive
    desk.read(Walk.DEEP, pages)
    desk.read(Walk.DEEP)
    desk.read(Walk.NEW)
    assert desk.texts() == truth(site)


def test_unreadable_comments_neither_stop_the_walk_nor_hide_others(
    site: WordPressPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "SIZE", 2)
    talk(site, 6)
    site.unreadable = set(sorted(site.comments)[4:13])
    desk = Desk(channel())
    desk.read(Walk.NEW)
    site.write(12, "Ещё")
    desk.read(Walk.NEW)
    readable = {key: text for key, text in truth(site).items() if int(key) not in site.unreadable}
    assert desk.texts() == readable
    for page in desk.channel.walk(Walk.DEEP, {}):
        assert not page.listed  # what we may not read must not look deleted


def test_a_reader_without_rights_sees_what_everybody_sees(site: WordPressPlatform) -> None:
    site.capabilities = {}
    shown, _ = site.write(12, "Видно"), site.write(12, "Не видно", status="hold")
    desk = Desk(channel())
    desk.read(Walk.NEW)
    desk.read(Walk.DEEP)
    assert desk.texts() == {str(shown.id): "Видно"}
    (right,) = desk.channel.check().missing
    assert (right.name, right.without) == ("moderate_comments", "held")


def test_a_wrong_password_is_an_error_although_the_list_would_answer(site: WordPressPlatform) -> None:
    site.write(12, "Видно всем")
    wrong = channel(password="other")
    for attempt in (wrong.check, lambda: list(wrong.walk(Walk.NEW, {}))):
        with pytest.raises(ChannelError) as caught:
            attempt()
        assert (caught.value.code, caught.value.permanent) == ("auth", True)


def test_check_says_who_we_are(site: WordPressPlatform) -> None:
    check = channel().check()
    assert (check.account_id, check.account, check.missing) == (str(US), "Школа «Слово»", ())


# Understanding


def test_a_comment_says_all_that_is_known(site: WordPressPlatform) -> None:
    top = site.write(12, "Добрый день!\n\nГде <b>запись</b> &amp; <a href='https://a.example/x'>тут</a>?\x00")
    nested = site.write(12, "И я", site.write(12, "Да", top.id).id)
    ours = site.write(12, "Вот она", top.id, author=US, name="Школа")
    desk = Desk(channel())
    desk.read(Walk.NEW)
    one, deep, reply = (desk.messages()[str(it.id)] for it in (top, nested, ours))
    assert one.text == "Добрый день!\n\nГде запись & тут (https://a.example/x)?"
    assert (one.container, one.publication_external_id) == ("12", "12")
    assert one.published_at == datetime.fromtimestamp(top.at, UTC)
    assert (one.parent_external_id, one.thread) == (None, str(top.id))
    assert (deep.parent_external_id, deep.thread) == (str(nested.parent), str(top.id))
    assert one.url == f"https://blog.example/posts/12/#comment-{top.id}"
    assert one.author is not None
    assert (one.author.name, one.author.is_us) == ("Вера Полякова", False)
    assert "vera@home.example" not in one.author.external_id
    assert reply.author is not None
    assert (reply.author.is_us, reply.author.external_id) == (True, f"blog.example:{US}")


def test_guests_are_told_apart_by_mail_and_colleagues_are_ours(site: WordPressPlatform) -> None:
    first, second = site.write(12, "а"), site.write(12, "б", mail="other@home.example")
    third, colleague = site.write(13, "в", mail="VERA@home.example"), site.write(13, "г", author=9)
    desk = Desk(channel(our_authors=[9]))
    desk.read(Walk.NEW)
    authors = [desk.messages()[str(one.id)].author for one in (first, second, third, colleague)]
    ids = [author.external_id for author in authors if author]
    assert ids[0] == ids[2] != ids[1]
    assert [author.is_us for author in authors if author] == [False, False, False, True]


def test_titles_come_from_posts_pages_and_other_types(site: WordPressPlatform) -> None:
    for post in (12, 14, 15, 99):
        site.write(post, "Вопрос")
    desk = Desk(channel())
    desk.read(Walk.NEW)
    found = {one.external_id: one for raw in desk.raws.values() if (one := desk.channel.publication(raw))}
    assert set(found) == {"12", "14", "15"}
    assert found["15"].title == "Запись 15 — о падежах"
    assert found["15"].url == "https://blog.example/lessons/15/"
    assert found["15"].published_at == datetime(2026, 9, 1, 8, tzinfo=UTC)


def test_a_broken_comment_fails_alone(site: WordPressPlatform) -> None:
    one = channel()
    with pytest.raises(KeyError):
        one.parse(Raw("comment", "12", "1", b'{"comment":{"id":1,"content":{"raw":"x"}},"us":false}'))
    long = {"comment": {"id": 1, "content": {"raw": "я" * 250_000}, "date_gmt": "2026-09-01T08:00:00"}}
    body = json.dumps({**long, "us": False, "guest": "g", "thread": 1}).encode()
    assert len(one.parse(Raw("comment", "12", "1", body))[0].text) == 250_000


def test_the_root_is_found_by_the_link_header_of_the_site() -> None:
    platform = WordPressPlatform()
    platform.write(12, "Вопрос")
    links = {"Link": '<https://www.blog.example/?rest_route=/>; rel="https://api.w.org/"'}
    with respx.mock:
        home = respx.get("https://blog.example/").respond(200, text="<html></html>", headers=links)
        respx.route(host="www.blog.example").mock(side_effect=platform)
        desk = Desk(channel(base_url="blog.example"))
        desk.read(Walk.NEW)
        assert "Authorization" not in home.calls[0].request.headers
    assert list(desk.texts().values()) == ["Вопрос"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(200, text="<html></html>"), "no REST API"),
        (httpx.Response(301, headers={"Location": "https://new.example/"}), "https://new.example/"),
        (
            httpx.Response(200, headers={"Link": '<https://evil.example/>; rel="https://api.w.org/"'}),
            "evil.example",
        ),
        (httpx.Response(200, headers={"Link": '<http://blog.example/>; rel="https://api.w.org/"'}), "blog.example"),
    ],
)
def test_the_password_is_not_sent_to_a_root_that_is_not_the_sites(answer: httpx.Response, words: str) -> None:
    with respx.mock:
        route = respx.route().mock(return_value=answer)
        with pytest.raises(ChannelError, match=words) as caught:
            channel(base_url="https://blog.example/").check()
        assert all("Authorization" not in call.request.headers for call in route.calls)
    assert caught.value.code == "settings"


# Any history

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["write", "reply", "hold", "approve", "spam", "trash", "erase", "edit"]), st.integers(0, 40)
    ),
    max_size=25,
)


def change(site: WordPressPlatform, step: tuple[str, int]) -> None:
    word, number = step
    standing = sorted(site.comments)
    if word == "write" or not standing:
        site.write(12 + number % 2, f"Текст {number}", status="hold" if number % 3 == 0 else "approved")
        return
    one = site.comments[standing[number % len(standing)]]
    match word:
        case "reply":
            site.write(one.post, f"Ответ {number}", one.id)
        case "erase":
            del site.comments[one.id]
            for child in site.comments.values():
                child.parent = one.parent if child.parent == one.id else child.parent
        case "edit":
            one.text += "!"
        case _:
            one.status = {"hold": "hold", "approve": "approved"}.get(word, word)


@settings(max_examples=150, deadline=None)
@given(before=STEPS, during=STEPS, size=st.integers(2, 4), kills=st.lists(st.integers(1, 4), max_size=3))
def test_after_the_storm_the_desk_holds_what_stands_there(
    before: list[tuple[str, int]], during: list[tuple[str, int]], size: int, kills: list[int]
) -> None:
    """Changes between any two calls, walks killed after any page: one quiet deep walk makes all equal."""
    site, desk, waiting = WordPressPlatform(), Desk(channel()), list(during)
    site.before = lambda request: change(site, waiting.pop(0)) if waiting and request.method == "GET" else None
    with respx.mock, pytest.MonkeyPatch.context() as patch:
        patch.setattr(walks, "SIZE", size)
        respx.route(host="blog.example").mock(side_effect=site)
        for step in before:
            change(site, step)
        for pages in kills:
            desk.read(Walk.NEW, pages)
            desk.read(Walk.DEEP, pages)
        waiting.clear()
        desk.read(Walk.NEW)
        shown = {key for key, one in site.comments.items() if one.status in ("approved", "hold")}
        assert shown <= {int(key) for key in desk.texts()} | set(later(site, desk))
        desk.read(Walk.DEEP)
        desk.read(Walk.DEEP)
    assert desk.texts() == truth(site)
    states = {key: one.state for key, one in desk.messages().items()}
    names = {"approved": SourceState.PUBLISHED, "hold": SourceState.HELD, "spam": SourceState.SPAM}
    assert states == {str(one.id): names.get(one.status, SourceState.DELETED) for one in site.comments.values()}


def later(site: WordPressPlatform, desk: Desk) -> list[int]:
    """What only the deep walk can find: rescued from spam or trash below the last id that was read."""
    return [key for key in site.comments if key <= desk.cursor["new"][1] and str(key) not in desk.texts()]


@settings(max_examples=150, deadline=None)
@given(
    number=st.integers(1, 30),
    size=st.integers(2, 5),
    erased=st.lists(st.integers(0, 60), max_size=12),
    kill=st.integers(1, 9),
)
def test_deletions_between_pages_hide_nothing(number: int, size: int, erased: list[int], kill: int) -> None:
    """The cheap walk alone, with comments vanishing and arriving under it, misses none that stands at its end."""
    site, desk, waiting = WordPressPlatform(), Desk(channel()), list(erased)

    def shift(request: httpx.Request) -> None:
        if waiting and request.url.params.get("status") == "all":
            site.comments.pop(sorted(site.comments)[waiting.pop(0) % len(site.comments)], None)
            site.write(13, "Пришёл между страницами")

    for turn in range(number):
        site.write(12, f"Вопрос {turn}")
    site.before = shift
    with respx.mock, pytest.MonkeyPatch.context() as patch:
        patch.setattr(walks, "SIZE", size)
        respx.route(host="blog.example").mock(side_effect=site)
        desk.read(Walk.NEW, kill)
        waiting.extend(erased)
        desk.read(Walk.NEW)
        waiting.clear()
        desk.read(Walk.NEW)
    assert truth(site).items() <= desk.texts().items()
