"""The inbox as a place to work: by keys alone, with drafts that survive, without jumps, readable by everybody."""

import contextlib

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

SERIOUS = {"serious", "critical"}


def ready(page):
    """Rows are there and the scripts listen."""
    expect(page.locator("#live[data-state=on]")).to_be_attached()
    expect(page.locator(".row").first).to_be_visible()
    return page


def answerable(page):
    """The list of a platform where one can reply: a call or an entry of a feed has no composer."""
    page.goto(page.url.partition("/inbox")[0] + "/inbox?platform=youtube")
    return ready(page)


def viewer_writes(running, visit, text, stranger="Гость Клавиш"):
    viewer = visit().page
    viewer.goto(f"{running.sandbox}/")
    viewer.get_by_role("link", name="YouTube", exact=True).click()
    viewer.locator("[name=stranger]").fill(stranger)
    viewer.locator("[name=text]").fill(text)
    viewer.get_by_role("button", name="Отправить").click()


def test_a_case_is_answered_by_keys_alone_and_taken_back(visit) -> None:
    page = answerable(ready(visit().enter_as("SMM")))
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#case-title")).to_be_visible()
    page.keyboard.press("r")
    expect(page.locator("#reply-text")).to_be_focused()
    page.keyboard.type("Проверим и вернёмся к вам")
    expect(page.locator(".composer-saved")).to_have_text("Черновик сохранён")

    page.reload()
    ready(page)
    expect(page.locator("#reply-text")).to_have_value("Проверим и вернёмся к вам")
    page.keyboard.press("r")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast-undo")).to_be_visible()
    expect(page.locator(".msg-going")).to_contain_text("Отправляется")
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    expect(page.locator("#reply-text")).to_have_value("Проверим и вернёмся к вам")
    expect(page.locator(".msg-going")).to_have_count(0)

    # The first Escape leaves the text, the second the case.
    page.locator("#reply-text").fill("")
    page.keyboard.press("Escape")
    expect(page.locator("#reply-text")).not_to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".row a:focus")).to_have_count(1)


def test_keys_sleep_while_one_types_and_the_sheet_names_them(visit) -> None:
    page = ready(visit().enter_as("SMM"))
    page.keyboard.press("Shift+Slash")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.locator(".row a").first.click()
    expect(page.locator("#case-title")).to_be_visible()
    page.keyboard.press("n")
    page.keyboard.type("jkdearcn")
    expect(page.locator("#note-text")).to_have_value("jkdearcn")
    page.keyboard.press("Escape")


def test_nothing_jumps_while_one_reads(visit, running) -> None:
    page = answerable(ready(visit().enter_as("SMM")))
    page.locator(".row a").nth(3).click()
    box = page.locator("#reply-text")
    box.fill("пишу")
    first = page.locator(".row").first.get_attribute("id")
    viewer_writes(running, visit, "Когда следующий разговорный клуб?")
    pill = page.locator("[data-pill]")
    expect(pill).to_be_visible()
    assert page.locator(".row").first.get_attribute("id") == first
    expect(box).to_be_focused()
    expect(box).to_have_value("пишу")
    # Somebody else's comment may have lit the pill first: whoever waits for this one presses it again.
    mine = page.locator(".row", has_text="разговорный клуб")
    for _ in range(20):
        expect(mine.or_(pill).first).to_be_visible()
        if mine.count():
            break
        with contextlib.suppress(PlaywrightError):  # the pill may be drawn anew under the mouse
            pill.click(timeout=1000)
    expect(mine.first).to_be_visible()
    expect(page.locator("#reply-text")).to_have_value("пишу")
    page.locator("#reply-text").fill("")
    page.keyboard.press("Escape")


def test_many_tabs_share_one_line_to_the_desk(visit, running) -> None:
    visitor = visit()
    ready(visitor.enter_as("SMM"))
    for _ in range(7):  # a browser opens six connections to a host: the seventh stream would hang
        tab = visitor.context.new_page()
        tab.goto(running.url + "inbox")
        ready(tab)
    assert httpx.get(running.url + "health", trust_env=False).status_code == 200


@pytest.mark.parametrize(("phone", "dark"), [(False, False), (False, True), (True, False), (True, True)])
def test_axe_finds_nothing_serious(visit, running, phone, dark) -> None:
    visitor = visit(phone=phone, dark=dark)
    page, found = visitor.page, []

    def look(place):
        for trouble in Axe().run(page).response["violations"]:
            if trouble["impact"] in SERIOUS:
                found.append((place, trouble["id"], [node["target"] for node in trouble["nodes"]]))

    page.goto(running.url + "login")
    look("login")
    ready(visitor.enter_as("SMM"))
    look("inbox")
    page.locator(".row a").first.click()
    expect(page.locator("#case-title")).to_be_visible()
    look("case")
    page.goto(running.url + "inbox")
    page.locator("[data-dialog=filters]").click()
    page.get_by_role("button", name="+ Добавить условие").click()
    look("filters")
    page.goto(running.url + "clients/deals")
    look("deals")
    page.goto(running.url + "rest")
    look("rest")
    assert not found
