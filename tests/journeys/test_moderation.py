"""A comment goes to the spam of the site, comes back, and many go at once."""

import time
from uuid import uuid4

import httpx
from playwright.sync_api import expect

from tests.journeys.test_inbox import ready


def states(running, mark: str) -> list[str]:
    told = httpx.get(f"{running.sandbox}/_sandbox/truth?platform=wordpress", trust_env=False).json()
    return sorted(one["state"] for one in told if mark in one["text"])


def until(running, mark: str, *wanted: str) -> None:
    end = time.monotonic() + 40
    while states(running, mark) != sorted(wanted):
        assert time.monotonic() < end, states(running, mark)
        time.sleep(0.2)


def test_a_comment_goes_to_spam_and_back(visit, running) -> None:
    mark = uuid4().hex[:6]
    told = httpx.get(f"{running.sandbox}/_sandbox/truth?platform=wordpress", trust_env=False).json()
    for number, author in enumerate(("vika", "boris"), 1):
        text = f"Вопрос {number} {mark}: сколько стоит реклама у вас?"
        entry = {"platform": "wordpress", "publication": told[0]["publication"], "author": author, "text": text}
        httpx.post(f"{running.sandbox}/_sandbox/comment", json=entry, trust_env=False).raise_for_status()

    smm = visit()
    smm.enter_as("SMM")
    page = smm.open_case(f"Вопрос 1 {mark}", seconds=120)  # a blog is read once a minute
    page.locator("[id^=more-] > summary").first.click()
    smm.picture("moderation-1-menu")
    page.locator("[id^=more-]").get_by_role("button", name="В спам").click()
    expect(page.locator(".toast-undo")).to_contain_text("В спам: отправляем")
    until(running, mark, "published", "spam")
    expect(page.locator(".msg-act")).to_contain_text("В спам")
    smm.picture("moderation-2-done")
    page.keyboard.press("u")
    until(running, mark, "published", "published")

    page.goto(f"{running.url}inbox?platform=wordpress&q={mark}")
    ready(page)
    page.keyboard.press("Shift+A")
    page.locator("#bulk-moderate > summary").click()
    smm.picture("moderation-3-many")
    page.locator("#bulk-moderate").get_by_role("button", name="В спам").click()
    until(running, mark, "spam", "spam")
    page.locator("#bulk-state").get_by_role("button", name="Отменить").click()
    until(running, mark, "published", "published")
