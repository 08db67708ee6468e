"""Journeys drive the product as a newcomer starts it: one process, a real Chromium, pictures for the docs."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from playwright.sync_api import Error as PlaywrightError

ROOT = Path(__file__).parents[2]
expect.set_options(timeout=15_000)
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "journeys" in str(item.fspath):
            item.add_marker(pytest.mark.journey)
            item.add_marker(pytest.mark.xdist_group("journeys"))
            item.add_marker(pytest.mark.timeout(240))
            item.add_marker(pytest.mark.flaky(reruns=1))  # a busy machine; the summary counts every second try


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failed journey shows what stood in its windows: on a foreign machine there is nothing else to look at."""
    report = yield
    if report.when == "call" and report.failed:
        for visitor in getattr(item, "opened", ()):
            if visitor.page.url.startswith(visitor.running.sandbox):
                continue
            with contextlib.suppress(PlaywrightError):
                shown = visitor.page.locator("body").aria_snapshot(timeout=2000)
                report.sections.append((visitor.page.url, shown[:6000]))
    return report


@dataclass
class Running:
    """A started training desk: its address, the sandbox's, and its process."""

    url: str
    sandbox: str
    password: str
    process: subprocess.Popen[str]
    var: Path

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)


def start_desk(
    folder: Path, *words: str, wait: float = 60, trained: Path | None = None, **variables: str
) -> Running:
    """Starts `python -m cli` with its files in ``folder`` and waits for the printed address; with a classifier that
    is ``trained`` no minute of two cores is lost to training another one.

    A door without a web (`scheduler`) prints none: its ``url`` stays empty.
    """
    ready = folder / "ready"
    ready.unlink(missing_ok=True)
    for place in (folder / "var" / "classifier", folder / "var" / "sandbox" / "classifier") if trained else ():
        if not place.exists():
            shutil.copytree(str(trained), place)
    environment = {
        **os.environ, "OTKLIK_VAR": str(folder / "var"), "OTKLIK_PORT": "0", "OTKLIK_READY_FILE": str(ready),
        "XDG_CONFIG_HOME": str(folder / "home"), "PYTHONUNBUFFERED": "1", **variables,
    }  # fmt: skip
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", *(words or ("up",))], cwd=ROOT, env=environment, stdout=log, stderr=log,
            text=True,
        )  # fmt: skip
    if words[:1] == ("scheduler",):
        return Running("", "", "", process, folder / "var")
    until = time.monotonic() + wait
    while not ready.exists() or not ready.read_text():
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < until, (folder / "log").read_text()
        time.sleep(0.05)
    said = (folder / "log").read_text()
    return Running(ready.read_text(), _after(said, "площадки: "), _after(said, "пароль: "), process, folder / "var")


def _after(text: str, mark: str) -> str:
    return text.rpartition(mark)[2].split()[0].rstrip("/") if mark in text else ""


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, trained: Path) -> Iterator[Running]:
    """One training desk for all journeys, filled and with a trained classifier."""
    desk = start_desk(tmp_path_factory.mktemp("desk"), trained=trained)
    try:
        until = time.monotonic() + 120
        while httpx.get(f"{desk.url}health", trust_env=False).json()["classifier"] != "ready":
            assert time.monotonic() < until, "the classifier did not get ready"
            time.sleep(0.5)
        yield desk
    finally:
        desk.stop()


class Visitor:
    """One person's browser window; it fails on script errors and on any request to a foreign host."""

    def __init__(self, context: BrowserContext, running: Running) -> None:
        self.context, self.running = context, running
        self.page: Page = context.new_page()
        self.troubles: list[str] = []
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", lambda said: self.troubles.append(said.text) if said.type == "error" else None)
        self.page.on("request", self._watch)

    def _watch(self, request: object) -> None:
        address: str = request.url
        if not address.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.troubles.append(f"foreign request {address}")

    def enter_as(self, title: str) -> Page:
        """Enters by a training door; the head, whose day begins on «Утро», goes on to the inbox."""
        self.page.goto(self.running.url + "login")
        self.page.get_by_role("button", name=title).first.click()
        self.page.wait_for_url(lambda address: "/login" not in address)
        if self.page.url.endswith("/morning"):
            self.page.goto(self.running.url + "inbox")
        return self.page

    def open_case(self, text: str, seconds: float = 60) -> Page:
        """Opens the case that shows ``text`` once it has arrived.

        New ones may wait behind the pill, and an ordinary one stands below whatever is urgent, on a later page.
        """
        row, pill = self.page.locator(".row", has_text=text), self.page.locator("[data-pill]")
        until = time.monotonic() + seconds
        while not row.first.is_visible():
            assert time.monotonic() < until, f"«{text}» did not arrive"
            with contextlib.suppress(PlaywrightError):  # the list may be drawn anew under the mouse
                pill.click(timeout=500)
            with contextlib.suppress(PlaywrightError):
                self.page.locator("#more button").click(timeout=500)
        row.first.click()
        expect(self.page.locator("#thread")).to_contain_text(text)
        return self.page

    def picture(self, name: str) -> None:
        """Keeps a picture for the docs when OTKLIK_PICTURES names a folder, else beside the test's output."""
        folder = Path(os.environ.get("OTKLIK_PICTURES") or self.running.var / "pictures")
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png")


@pytest.fixture
def visit(request: pytest.FixtureRequest, chromium: Browser, running: Running) -> Iterator[Callable[..., Visitor]]:
    """Opens a window: visit(), visit(phone=True), visit(dark=True)."""
    opened: list[Visitor] = []
    request.node.opened = opened

    def open_window(*, phone: bool = False, dark: bool = False, locale: str = "ru-RU") -> Visitor:
        context = chromium.new_context(
            viewport=PHONE if phone else WIDE, locale=locale, timezone_id="Europe/Moscow",
            color_scheme="dark" if dark else "light", has_touch=phone,
        )  # fmt: skip
        context.set_default_timeout(15_000)
        opened.append(Visitor(context, running))
        return opened[-1]

    yield open_window
    troubles = [trouble for visitor in opened for trouble in visitor.troubles]
    for visitor in opened:
        visitor.context.close()
    assert not troubles
