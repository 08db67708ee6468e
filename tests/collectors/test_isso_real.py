"""Isso against the real one from PyPI: what viewers write is what the desk holds, what it writes stands there."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from werkzeug import Request, Response

from benchmarks.limits import NoLimits
from collectors.base import Act, ActKind, ChannelError, Sent, SourceState, Target, Verdict, Walk
from collectors.isso import Isso, Settings
from collectors.wire import Guard, Wire
from tests.collectors.desk import Desk

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

PAGE, OTHER = "/blog/padezhi/", "/blog/slova/"
SCHOOL, MAIL = "Школа «Слово & Дело»", "desk@school.example"

CONFIG = """
[general]
dbpath = {folder}/comments.db
host = {site}
latest-enabled = {latest}
max-age = 15m
[server]
listen = http://127.0.0.1:{port}
trusted-proxies = 127.0.0.1
[guard]
enabled = {guard}
[moderation]
enabled = {moderation}
"""


@dataclass
class Running:
    """A started Isso, and viewers who write into it over its own API."""

    url: str
    site: str
    cookies: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Viewers come from another network than the desk does.
        headers = {"Content-Type": "application/json", "X-Forwarded-For": "203.0.113.7"}
        self.http = httpx.Client(base_url=self.url, trust_env=False, headers=headers)

    def write(self, text: str, parent: int | None = None, uri: str = PAGE, name: str = "Вера Полякова") -> int:
        body = {"text": text, "author": name, "email": f"{len(name)}@home.example", "parent": parent, "title": uri}
        answer = self.http.post("new", params={"uri": uri}, json=body)
        assert answer.status_code in (201, 202), answer.text
        number = int(answer.json()["id"])
        self._keep(number, answer)
        return number

    def edit(self, number: int, text: str) -> None:
        answer = self.http.put(f"id/{number}", json={"text": text}, headers={"Cookie": self.cookies[number]})
        assert answer.status_code == 200, answer.text
        self._keep(number, answer)

    def delete(self, number: int) -> None:
        answer = self.http.delete(f"id/{number}", headers={"Cookie": self.cookies[number]})
        assert answer.status_code == 200, answer.text

    def _keep(self, number: int, answer: httpx.Response) -> None:
        self.cookies[number] = answer.headers["Set-Cookie"].split(";")[0]
        self.http.cookies.clear()

    def standing(self, uri: str = PAGE) -> dict[int, dict[str, Any]]:
        """Every comment of a page as Isso itself shows it, by id."""
        top = self.http.get("", params={"uri": uri, "plain": 1}).json()["replies"]
        return {one["id"]: one for parent in top for one in [parent, *parent["replies"]]}

    def channel(self, **given: Any) -> Isso:
        told: dict[str, Any] = {
            "base_url": self.url,
            "site_url": self.site,
            "uris": [PAGE, OTHER],
            "author": SCHOOL,
            "email": MAIL,
            **given,
        }
        pairs = frozenset(one.removeprefix("http://").rstrip("/") for one in (self.url, self.site))
        return Isso(Settings.model_validate(told), Wire(Guard(allow_private=pairs)), NoLimits())


@Request.application
def blog(request: Request) -> Response:
    """The site whose pages are commented on."""
    title = {PAGE: "Падежи без слёз", OTHER: "Слова &amp; смыслы"}.get(request.path)
    page = f"<html><head><title>{title}</title></head><body id='isso-thread'></body></html>"
    return Response(page, 200 if title else 404, content_type="text/html; charset=utf-8")


@pytest.fixture
def isso(tmp_path: Path, serve: Callable[[Any], str]) -> Iterator[Callable[..., Running]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(*, latest: bool = False, guard: bool = False, moderation: bool = False) -> Running:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        site = serve(blog)
        config = tmp_path / "isso.cfg"
        told = {"latest": latest, "guard": guard, "moderation": moderation}
        words = {name: str(value).lower() for name, value in told.items()}
        config.write_text(CONFIG.format(folder=tmp_path, site=site, port=port, **words), encoding="utf-8")
        with (tmp_path / "isso.log").open("wb") as log:
            command = [sys.executable, "-c", "from isso import main; main()", "-c", str(config), "run"]
            started.append(subprocess.Popen(command, stdout=log, stderr=log))
        running = Running(f"http://127.0.0.1:{port}/", site)
        for _ in range(200):
            if started[-1].poll() is not None:
                pytest.fail((tmp_path / "isso.log").read_text())
            try:
                running.http.get("config")
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return running
        pytest.fail("Isso did not start")

    yield start
    for process in started:
        process.terminate()
        process.wait(10)


def reply(one: Any, text: str, since: datetime | None = None) -> Act:
    target = Target(one.container, one.external_id, one.parent_external_id, one.thread, one.publication_external_id)
    return Act(ActKind.REPLY, 7, "token", target, text, since)


def test_a_viewer_is_answered_under_the_comment(isso: Callable[..., Running]) -> None:
    running = isso()
    question = running.write("Сколько уроков в курсе?")
    nested = running.write("И мне интересно", question, name="Олег")
    desk = Desk(running.channel())
    desk.read(Walk.NEW)
    one = desk.messages()[str(question)]
    assert (one.text, one.container, one.thread) == ("Сколько уроков в курсе?", PAGE, str(question))
    assert one.url == f"{running.site.rstrip('/')}{PAGE}#isso-{question}"
    assert one.author is not None
    assert (one.author.name, one.author.is_us) == ("Вера Полякова", False)

    receipt = desk.channel.act(reply(desk.messages()[str(nested)], "Двенадцать & один *пробный*.\nПриходите!"))
    assert receipt.visible
    ours = running.standing()[int(str(receipt.external_id))]
    assert (ours["parent"], ours["text"]) == (question, "Двенадцать & один *пробный*.\nПриходите!")

    desk.read(Walk.NEW)
    back = desk.messages()[str(receipt.external_id)]
    assert back.author is not None
    assert (back.author.name, back.author.is_us, back.parent_external_id) == (SCHOOL, True, str(question))
    assert back.published_at == receipt.at
    assert back.url == receipt.url


def test_edits_and_deletions_are_seen(isso: Callable[..., Running]) -> None:
    running = isso()
    edited, gone = running.write("Было"), running.write("Сотру")
    kept = running.write("Сотру, но отвечено")
    child = running.write("Ответ", kept)
    desk = Desk(running.channel())
    desk.read(Walk.BACKFILL)
    running.edit(edited, "Стало")
    running.delete(kept)
    running.delete(gone)
    desk.read(Walk.NEW)  # the numbers changed
    messages = desk.messages()
    assert set(messages) == {str(edited), str(kept), str(child)}
    placeholder = messages[str(kept)]
    assert (placeholder.state, placeholder.text, placeholder.author) == (SourceState.DELETED, "", None)
    assert messages[str(edited)].text == "Стало"
    assert messages[str(edited)].edited_at is not None
    running.edit(edited, "Стало ещё лучше")
    desk.read(Walk.NEW)  # the numbers did not change
    assert desk.messages()[str(edited)].text == "Стало"
    desk.read(Walk.DEEP)
    assert desk.messages()[str(edited)].text == "Стало ещё лучше"
    with pytest.raises(ChannelError, match="not there") as caught:
        desk.channel.act(reply(placeholder, "Поздно"))
    assert caught.value.code == "gone"


def test_a_quiet_site_is_asked_once(isso: Callable[..., Running]) -> None:
    running = isso()
    running.write("Вопрос")
    desk = Desk(running.channel())
    desk.read(Walk.NEW)
    before = desk.changes
    desk.read(Walk.NEW)
    desk.read(Walk.DEEP)
    assert desk.changes == before
    (page,) = list(desk.channel.walk(Walk.NEW, desk.cursor))
    assert (page.raws, page.complete, page.cursor) == ((), True, desk.cursor)


def test_titles_are_those_of_the_pages(isso: Callable[..., Running]) -> None:
    running = isso()
    running.write("Вопрос")
    running.write("Вопрос", uri=OTHER)
    desk = Desk(running.channel())
    desk.read(Walk.NEW)
    found = {one.external_id: one for raw in desk.raws.values() if (one := desk.channel.publication(raw))}
    assert {key: one.title for key, one in found.items()} == {PAGE: "Падежи без слёз", OTHER: "Слова & смыслы"}
    assert found[PAGE].url == running.site.rstrip("/") + PAGE


def test_pages_are_found_by_latest(isso: Callable[..., Running]) -> None:
    running = isso(latest=True)
    top = running.write("Первый")
    for number in range(3):
        running.write(f"Ответ {number}", top)
    running.write("Новая страница", uri="/novaya/")
    newest = json.loads(running.http.get("latest", params={"limit": 2}).content)
    assert all(one["parent"] for one in newest)  # the trap: a short list never shows the newest top-level comment
    desk = Desk(running.channel(uris=[]))
    desk.read(Walk.NEW)
    assert {one.container for one in desk.messages().values()} == {PAGE, "/novaya/"}
    running.write("Ещё страница", uri="/eshche/")
    desk.read(Walk.NEW)
    assert "/eshche/" in {one.container for one in desk.messages().values()}


def test_without_pages_and_latest_the_settings_are_wrong(isso: Callable[..., Running]) -> None:
    with pytest.raises(ChannelError, match="latest-enabled") as caught:
        isso().channel(uris=[]).check()
    assert caught.value.code == "settings"


def test_check_tells_whether_our_comments_are_recognised(isso: Callable[..., Running]) -> None:
    running = isso()
    question = running.write("Вопрос")
    assert running.channel().check().rights[0].held is None
    desk = Desk(running.channel())
    desk.read(Walk.NEW)
    desk.channel.act(reply(desk.messages()[str(question)], "Ответ"))
    check = running.channel().check()
    assert (check.missing, check.account_id in check.account) == ((), True)
    stranger = running.channel(email="other@school.example").check()
    assert [right.name for right in stranger.missing] == ["own_comments_known"]
    sign = check.account_id
    assert sign in stranger.account
    assert running.channel(email="other@school.example", own_hashes=[sign]).check().missing == ()


def test_a_moderated_reply_is_accepted_but_not_visible(isso: Callable[..., Running]) -> None:
    running = isso(moderation=True)
    receipt = running.channel().act(Act(ActKind.MESSAGE, 7, "t", Target(PAGE), "Начинаем завтра"))
    assert receipt.external_id
    assert receipt.visible is False
    assert running.standing() == {}
    again = Act(ActKind.MESSAGE, 7, "t", Target(PAGE), "Начинаем завтра", datetime.now(UTC))
    assert running.channel(moderated=True).lookup(again).verdict is Verdict.UNKNOWN


def test_lookup_proves_presence_and_absence(isso: Callable[..., Running]) -> None:
    running = isso()
    question, other = running.write("Вопрос"), running.write("Другой")
    running.write("Нет", question, name=SCHOOL)  # somebody took our name, with another text
    desk = Desk(running.channel())
    desk.read(Walk.NEW)
    asked = reply(desk.messages()[str(question)], "Да,  конечно", datetime.now(UTC))
    assert desk.channel.lookup(asked).verdict is Verdict.ABSENT
    desk.channel.act(reply(desk.messages()[str(other)], "Да, конечно"))
    assert desk.channel.lookup(asked).verdict is Verdict.ABSENT
    receipt = desk.channel.act(asked)
    proof = desk.channel.lookup(asked)
    assert (proof.verdict, proof.external_id, proof.at) == (Verdict.SEEN, receipt.external_id, receipt.at)


def test_the_guard_of_isso_is_an_error_to_wait_for(isso: Callable[..., Running]) -> None:
    running = isso(guard=True)
    channel = running.channel()
    for number in range(2):
        channel.act(Act(ActKind.MESSAGE, number, "t", Target(PAGE), f"Сообщение {number}"))
    with pytest.raises(ChannelError, match="ratelimit") as caught:
        channel.act(Act(ActKind.MESSAGE, 3, "t", Target(PAGE), "Сообщение 3"))
    error = caught.value
    assert (error.code, error.permanent, error.retry_after, error.sent) == ("rate", False, 60, Sent.NO)


@pytest.mark.parametrize("text", ["да", " " * 5, "я" * 65_536])
def test_what_isso_does_not_take_is_invalid(isso: Callable[..., Running], text: str) -> None:
    with pytest.raises(ChannelError, match="text is too") as caught:
        isso().channel().act(Act(ActKind.MESSAGE, 3, "t", Target(PAGE), text))
    assert (caught.value.code, caught.value.sent) == ("invalid", Sent.NO)


def test_a_like_is_counted(isso: Callable[..., Running]) -> None:
    running = isso()
    question = running.write("Спасибо!")
    act = Act(ActKind.LIKE, 3, "t", Target(PAGE, str(question)))
    assert running.channel().act(act).external_id == str(question)
    assert running.standing()[question]["likes"] == 1
    with pytest.raises(ChannelError, match="not there"):
        running.channel().act(Act(ActKind.LIKE, 3, "t", Target(PAGE, "999")))
