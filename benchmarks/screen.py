"""`bench screen`: the inbox in Chromium over a filled desk: first page, key to painted case, news, memory.

OTKLIK_BENCH_SCREEN («100000 2000 4 20 46») names messages, cases opened (0: memory is left out), browsers that wait
for news on this machine, comments, and browsers of other machines (benchmarks/listeners.py); OTKLIK_BENCH_DATABASES
sqlite and postgresql (sqlite); OTKLIK_BENCH_FOLDER a folder in which filled desks are kept.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from sqlalchemy import select

from benchmarks.figures import Figure, finish, header, p95, row
from benchmarks.inbox import databases, filled, kept_folder, make_desk
from benchmarks.inbox_data import fill
from benchmarks.scale import _incoming
from bootstrap import Desk
from cli.up import serve
from collectors.base import Person
from config import Config
from models import Base, Message, Source, Staff
from models.database import Database
from services.backup import reset_sequences
from services.cases import Judged, settle_cases
from services.messages import store_messages
from web import create_app

CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser")
COOKIE = "otklik_work"
COLD, KEYS, EARLY = 5, 120, 200
READING = 300
"""Milliseconds that a case is looked at before the next key: three a second, faster than anybody reads."""
SETTLED, APART = 3.0, 1.5
"""Seconds until the live lines of all browsers stand, and between two comments, so that each is seen by itself."""
PAINTED = """() => {
  window.took = [];
  let began = null;
  addEventListener("keydown", (event) => { if (event.code === "KeyJ") began = performance.now(); }, true);
  let shown = document.getElementById("case")?.dataset.case;
  new MutationObserver(() => {
    const now = document.getElementById("case")?.dataset.case;
    if (!now || now === shown || began === null) return;
    shown = now;
    const at = began;
    began = null;
    requestAnimationFrame(() => setTimeout(() => window.took.push(performance.now() - at)));
  }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-case"] });
}"""
"""From the press of the key to the end of the frame in which another case stands."""
NEWS = """() => {
  window.news = [];
  const told = () => ["pill", "views"].map((id) => document.getElementById(id)?.textContent ?? "").join();
  const shown = () => told() + [...document.querySelectorAll("#rows > .row")].map((row) => row.id).join();
  let said = shown();
  const look = () => {
    const now = shown();
    if (now !== said) { said = now; window.news.push(Date.now()); }
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) window.shift += one.value;
  }).observe({ type: "layout-shift", buffered: false });
}"""
"""When the screen told of a comment, by its line, the pill or the counters."""


def main() -> int:
    header()
    count, opened, browsers, comments, others = (
        int(one) for one in os.environ.get("OTKLIK_BENCH_SCREEN", "100000 2000 4 20 46").split()
    )
    figures: list[Figure] = []
    with kept_folder() as folder, databases(folder) as make, sync_playwright() as play:
        for kind in os.environ.get("OTKLIK_BENCH_DATABASES", "sqlite").split():
            database = make(kind, count)
            filled(database, count, fill, f"{kind} {count}", folder)
            if not database.is_sqlite:  # its rows came with their numbers
                with database.write.begin() as session:
                    reset_sequences(session, [table for table in Base.metadata.sorted_tables if "id" in table.c])
            print(f"── {kind}", flush=True)
            with _running(database, folder) as (desk, address, cookie), _browser(play) as chromium:
                found = _first_page(chromium, address, cookie)
                found += _keys(chromium, address, cookie)
                found += _news(chromium, desk, address, cookie, browsers, comments, others)
                found += _memory(chromium, address, cookie, opened) if opened else []
            figures += [replace(one, name=f"{kind}.{one.name}") for one in found]
    return finish(figures)


@contextmanager
def _browser(play: Playwright) -> Iterator[Browser]:
    path = next((one for one in CHROMIUM if Path(one).exists()), None)
    chromium = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--js-flags=--expose-gc"])
    try:
        yield chromium
    finally:
        chromium.close()


@contextmanager
def _running(database: Database, folder: Path) -> Iterator[tuple[Desk, str, str]]:
    """A filled desk behind the real server; its address and the cookie of somebody who is in."""
    desk = make_desk(database, folder)
    with database.read.begin() as session:
        key = session.scalars(select(Staff.session_key).where(Staff.session_key.is_not(None)).limit(1)).one()
    client = create_app(desk).test_client()
    with client.session_transaction() as cookie:
        cookie["key"] = key
    kept = client.get_cookie(COOKIE)
    web = Config().web.model_copy(update={"port": 0})
    stop = serve(desk, Config().model_copy(update={"web": web}))
    try:
        yield desk, f"http://127.0.0.1:{desk.port}", kept.value if kept else ""
    finally:
        stop()


def _context(chromium: Browser, address: str, cookie: str) -> BrowserContext:
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, locale="ru-RU", timezone_id="Europe/Moscow"
    )
    context.add_cookies([{"name": COOKIE, "value": cookie, "url": address}])
    return context


def _first_page(chromium: Browser, address: str, cookie: str) -> list[Figure]:
    """Of a browser that has never been here: from the request to the standing list, and what came over the wire."""
    took: list[float] = []
    weight = whole = 0.0
    for _ in range(COLD):
        context = _context(chromium, address, cookie)
        page = context.new_page()
        wire = context.new_cdp_session(page)
        wire.send("Network.enable")
        kinds: dict[str, str] = {}
        came: dict[str, float] = {}
        wire.on(
            "Network.responseReceived", lambda told, kinds=kinds: kinds.update({told["requestId"]: told["type"]})
        )
        wire.on(
            "Network.loadingFinished",
            lambda told, came=came: came.update({told["requestId"]: float(told["encodedDataLength"])}),
        )
        began = time.perf_counter()
        page.goto(f"{address}/inbox", wait_until="commit")
        page.locator("#rows .row").first.wait_for()
        took.append((time.perf_counter() - began) * 1000)
        page.wait_for_load_state("load")
        page.wait_for_timeout(500)
        code = sum(size for key, size in came.items() if kinds.get(key) in ("Script", "Stylesheet"))
        weight, whole = max(weight, code / 1024), max(whole, sum(came.values()) / 1024)
        context.close()
    row("first page, cold", took, "ms")
    print(f"with the page itself, pictures and fonts {whole:.0f} KB")
    return [Figure("first_page_ms", p95(took), 800), Figure("code_kb", weight, 250)]


def _keys(chromium: Browser, address: str, cookie: str) -> list[Figure]:
    context = _context(chromium, address, cookie)
    page = context.new_page()
    page.goto(f"{address}/inbox")
    page.locator("#rows .row").first.wait_for()
    page.locator("#rows .row a").first.click()
    page.locator("#case[data-case]").wait_for()
    page.wait_for_timeout(500)
    page.evaluate(PAINTED)
    _walk(page, KEYS, READING)
    took: list[float] = page.evaluate("window.took")
    row("key to painted case", took, "ms")
    page.evaluate("window.took = []")
    _walk(page, KEYS // 2, 0)
    row("the same, a key at once after each case", page.evaluate("window.took"), "ms")
    context.close()
    return [Figure("key_to_case_ms", p95(took), 100), Figure("cases_by_key", len(took), KEYS * 0.9, at_least=True)]


def _walk(page: Page, presses: int, reading: float) -> None:
    """J as one reads: the next one once the case stands; at the end of what is loaded the list grows by itself."""
    for _ in range(presses):
        before = page.evaluate("document.getElementById('case')?.dataset.case")
        page.keyboard.press("j")
        try:
            page.wait_for_function(
                "before => document.getElementById('case')?.dataset.case !== before", arg=before, timeout=2000
            )
        except PlaywrightTimeout:  # the last row that is loaded
            page.locator("#more button").click(timeout=2000)
            page.wait_for_timeout(300)
        page.wait_for_timeout(reading)


@contextmanager
def _listening(desk: Desk, cookie: str, others: int, source_id: int) -> Iterator[None]:
    """So many browsers of other machines."""
    command = [sys.executable, "-m", "benchmarks.listeners", str(desk.port), f"{COOKIE}={cookie}", str(others)]
    child = subprocess.Popen([*command, str(source_id)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        if child.stdout.readline() != b"ready\n":
            raise SystemExit("the listeners did not begin")
        yield
        if child.poll() is not None:
            raise SystemExit("the listeners did not go on")
    finally:
        child.kill()
        child.wait()


def _news(
    chromium: Browser, desk: Desk, address: str, cookie: str, browsers: int, comments: int, others: int
) -> list[Figure]:
    """Comments one after another with so many browsers open; nothing that stands may jump."""
    contexts = [_context(chromium, address, cookie) for _ in range(browsers)]
    pages = [context.new_page() for context in contexts]
    with desk.database.write.begin() as session:
        # A place of its own: in the list of all the urgent ones of such a desk fill pages, and counters say «999+».
        place = Source(platform="youtube", title="Новое", settings={}, every_seconds=3600)
        session.add(place)
        session.flush()
        source_id = place.id
    for page in pages:
        page.goto(f"{address}/inbox?source={source_id}")
        page.locator("#views").wait_for()
        page.evaluate(NEWS)
    stored: list[float] = []
    mark = int(time.time()) * 1000
    with _listening(desk, cookie, others, source_id):
        time.sleep(SETTLED)
        for number in range(comments):
            with desk.database.write.begin() as session:
                # Somebody new each time: another word of an author whose case is open changes no counter.
                new = replace(_incoming(mark + number), author=Person(f"news-{mark + number}", f"Зритель {number}"))
                store_messages(session, source_id, "youtube", [new])
                came = session.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()
                settle_cases(session, [Judged(came, "question", True, True)])  # no labeller runs beside this server
            stored.append(time.time() * 1000)
            desk.bell.ring()
            time.sleep(APART)
    late: list[float] = []
    missed = 0
    for page in pages:
        seen: list[float] = page.evaluate("window.news")
        for began in stored:
            after = [at - began for at in seen if 0 <= at - began < 1000 * APART]
            late += after[:1]
            missed += not after
    shift = max(page.evaluate("window.shift") for page in pages)
    for context in contexts:
        context.close()
    row(f"news on {browsers} screens beside {others} of other machines", late or [0.0], "ms")
    return [
        Figure("news_ms", p95(late) if late else 1e9, 1000), Figure("news_worst_ms", max(late, default=1e9), 1000),
        Figure("news_missed", missed, 0), Figure("layout_shift", shift, 0),
    ]  # fmt: skip


def _memory(chromium: Browser, address: str, cookie: str, opened: int) -> list[Figure]:
    """The heap of scripts and the nodes of the page, early and late."""
    context = _context(chromium, address, cookie)
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Performance.enable")
    page.goto(f"{address}/inbox")
    page.locator("#rows .row").first.wait_for()
    page.locator("#rows .row a").first.click()
    page.wait_for_timeout(500)
    marks: list[dict[str, Any]] = []
    for turn in range(opened):
        _flip(page, turn)
        if turn + 1 in (EARLY, opened):
            wire.send("HeapProfiler.collectGarbage")
            told = wire.send("Performance.getMetrics")["metrics"]
            marks.append({one["name"]: one["value"] for one in told})
    context.close()
    early, late = marks[0], marks[-1]
    print(
        f"after {EARLY} and {opened} cases: heap {early['JSHeapUsedSize'] / 2**20:.1f} and "
        f"{late['JSHeapUsedSize'] / 2**20:.1f} MB, nodes {early['Nodes']:.0f} and {late['Nodes']:.0f}, "
        f"listeners {early['JSEventListeners']:.0f} and {late['JSEventListeners']:.0f}"
    )
    return [
        Figure("memory_grows", late["JSHeapUsedSize"] / early["JSHeapUsedSize"], 1.2),
        Figure("nodes_grow", late["Nodes"] / early["Nodes"], 1.2),
    ]


def _flip(page: Page, turn: int) -> None:
    """Up and down a page of the list, so that the list itself stays as long as it is."""
    before = page.evaluate("document.getElementById('case')?.dataset.case")
    page.keyboard.press("j" if turn % 40 < 20 else "k")
    page.wait_for_function(
        "before => document.getElementById('case')?.dataset.case !== before", arg=before, timeout=5000
    )


if __name__ == "__main__":
    sys.exit(main())
