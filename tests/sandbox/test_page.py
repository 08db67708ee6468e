"""The viewer's page: what stands on it, writing from it, addresses that lead to it, and life without a reload."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from sandbox import keys
from tests.sandbox.running import Running

ADDRESSES = {
    "/": "YouTube",
    "/?tab=vk": "ВКонтакте",
    "/watch/LpSpeak7min": "Как перестать молчать",
    "/watch?v=LpSpeak7min&lc=x": "Как перестать молчать",
    "/wall/118": "Открыт набор",
    f"/wall-{keys.VK_GROUP}_118?reply=201": "Открыт набор",
    f"/video-{keys.VK_GROUP}_7": "Аудирование",
    f"/photo-{keys.VK_GROUP}_11": "Выпуск весеннего потока",
    "/t/44": "Платформа недоступна",
    f"/{keys.SCREEN_NAME}/44?comment=301": "Платформа недоступна",
    "/t/chat": "Общий чат",
    "/blog/kak-vybratsya-s-plato/": "Как выбраться с языкового плато",
    "/blog/?p=34": "Как выбраться с языкового плато",
    "/dialog/vk/990000122": "Личные сообщения: Светлана Жукова",
    "/dialog/telegram/new": "Написать школе лично",
    f"/gim{keys.VK_GROUP}?sel=990000122": "Личные сообщения: Светлана Жукова",
    "/id990000121": "Открыт набор",
    "/zoya_pavlovna": "Подкаст",
}


@pytest.mark.parametrize("path", ADDRESSES)
def test_addresses_of_the_platforms_lead_to_the_page(world: Running, path: str) -> None:
    answer = world.http.get(path, follow_redirects=True)
    assert answer.status_code == 200
    assert ADDRESSES[path] in answer.text.partition("<title>")[2].partition("</title>")[0]


def test_a_message_of_the_group_leads_to_its_post(world: Running) -> None:
    id_ = world.truth("telegram", key="t21")[0]["external_id"]
    answer = world.http.get(f"/c/9900000002/{id_}", follow_redirects=True)
    assert answer.url.path == "/t/44"
    assert re.search(rf'class="comment[^"]* target" id="comment-{id_}"', answer.text)


@pytest.mark.parametrize(
    "path",
    [
        "/watch/nothing",
        "/nobody",
        "/id5",
        "/?tab=nowhere",
        "/dialog/youtube/new",
        "/blog/nothing/",
        "/c/9900000002/1",
    ],
)
def test_nothing_is_a_404(world: Running, path: str) -> None:
    assert world.http.get(path).status_code == 404


def test_the_page_runs_nothing_of_its_own_and_nothing_foreign(world: Running) -> None:
    answer = world.http.get("/watch/LpSpeak7min")
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|(?:src|href)=\"(?:https?:)?//", answer.text)


def test_text_of_viewers_stays_text(world: Running) -> None:
    world.says("youtube", "yt-spanish", "<script>alert('ой')</script> & <b>жирно</b>", author="<i>Имя</i>")
    page = world.http.get("/watch/LpSpanishGo").text
    assert "&lt;script&gt;alert(&#39;ой&#39;)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "<i>Имя" not in page


def test_a_viewer_writes_and_stands_before_the_own_comment(world: Running) -> None:
    form = {
        "kind": "post",
        "id": "130",
        "author": "kira",
        "stranger": "",
        "parent": "",
        "text": "А вход свободный?",
    }
    answer = world.http.post("/_page/vk", data=form)
    assert answer.status_code == 303
    written = world.truth("vk", text="А вход свободный?")[0]
    assert answer.headers["Location"] == f"/wall/130?as=kira#comment-{written['external_id']}"
    form |= {"stranger": "Пётр", "parent": written["external_id"], "text": "Свободный, я спрашивал"}
    assert world.http.post("/_page/vk", data=form).status_code == 303
    reply = world.truth("vk", text="Свободный, я спрашивал")[0]
    assert (reply["author_name"], reply["root_external_id"]) == ("Пётр", written["external_id"])


def test_a_first_private_message_makes_a_dialogue(world: Running) -> None:
    form = {"kind": "dialog", "id": "", "author": "lev", "text": "Здравствуйте, это Лев"}
    answer = world.http.post("/_page/telegram", data=form)
    assert answer.headers["Location"].startswith("/dialog/telegram/79900001")
    assert world.truth("telegram", kind="dialog", text="Здравствуйте, это Лев")


def test_what_cannot_be_written_is_said_on_the_page(world: Running) -> None:
    form = {"kind": "video", "id": "LpTrailer01", "author": "kira", "text": "сюда нельзя"}
    answer = world.http.post("/_page/youtube", data=form)
    assert answer.status_code == 422
    empty = {"kind": "video", "id": "LpLiveAnswr", "author": "kira", "text": "  "}
    refused = world.http.post("/_page/youtube", data=empty)
    assert "Напишите текст" in refused.text


def test_a_foreign_site_cannot_write_through_the_viewer(world: Running) -> None:
    form = {"kind": "video", "id": "LpLiveAnswr", "author": "kira", "text": "подделка"}
    answer = world.http.post("/_page/youtube", data=form, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert world.truth("youtube", text="подделка") == []


def test_the_fragment_is_told_apart_by_its_content(world: Running) -> None:
    path = "/_page/wordpress?kind=article&id=53"
    first = world.http.get(path)
    same = world.http.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert same.status_code == 304
    world.says("wordpress", "wp-memory", "Сколько карточек в день?")
    changed = world.http.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert "Сколько карточек в день?" in changed.text


def test_an_answer_through_the_wire_is_marked_as_the_schools(world: Running) -> None:
    parent = world.says("wordpress", "wp-memory", "А перерыв делать?")["external_id"]
    body = {"post": 53, "parent": int(parent), "content": "Да &amp; обязательно"}
    id_ = world.blog("POST", "comments", json=body).json()["id"]
    page = world.http.get("/blog/slova-kotorye-ne-zabyvayutsya/").text
    own = page.partition(f'id="comment-{id_}"')[2].partition('class="comment')[0]
    assert "Ответ школы" in own
    assert "Да &amp; обязательно" in own
    assert page.index(f'id="comment-{parent}"') < page.index(f'id="comment-{id_}"')


@pytest.fixture
def browser_page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    yield page
    page.close()


@pytest.mark.journey
def test_a_viewer_asks_on_a_phone_and_sees_the_answer_come(world: Running, browser_page: Page) -> None:
    page = browser_page
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(f"{world.url}/wall/121")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_text("Написать как зритель").click()
    page.get_by_label("Кто пишет").select_option("arslan")
    page.get_by_label("Текст").fill("А второй взнос можно перенести?")
    page.get_by_role("button", name="Отправить").click()
    asked = page.locator(".comment.target", has_text="А второй взнос можно перенести?")
    asked.wait_for()
    id_ = world.truth("vk", text="А второй взнос можно перенести?")[0]["external_id"]
    params = {"owner_id": -keys.VK_GROUP, "post_id": 121, "reply_to_comment": id_, "from_group": keys.VK_GROUP}
    world.vk("wall.createComment", message="Можно, на две недели.", **params)
    answer = page.locator(".replies .comment.ours", has_text="Можно, на две недели.")
    answer.wait_for(timeout=5000)
    assert answer.locator(".badge").inner_text() == "Ответ школы"
    page.locator(".comment", has_text="А второй взнос").get_by_text("Ответить").first.click()
    assert page.locator(".answering b").inner_text() == "Арслан Гиреев"
    assert problems == []


def test_a_deep_link_opens_the_dialogue_with_the_bot(world: Running) -> None:
    for address, platform in ((f"/{keys.TELEGRAM_BOT_NAME}", "telegram"), (f"/m/{keys.TELEGRAM_BOT_NAME}", "max")):
        page = world.http.get(f"{address}?start=desk_1").text
        assert "Олег Сомов" in page
        assert 'value="desk_1"' in page
        answer = world.http.post(f"/_start/{platform}", data={"author": "oleg", "word": "desk_1"})
        assert f"/dialog/{platform}/" in answer.headers["Location"]
    assert world.http.post("/_start/youtube", data={"author": "oleg", "word": "x"}).status_code == 422
    assert world.http.post("/_start/max", data={"author": "oleg", "word": "x" * 65}).status_code == 422
