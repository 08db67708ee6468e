"""Finding by keyboard alone: the palette in either layout, the search box, the case behind a hit."""

import re

from playwright.sync_api import expect

from tests.journeys.test_inbox import answerable, ready


def test_the_palette_acts_moves_and_finds(visit) -> None:
    visitor = visit()
    page = answerable(ready(visitor.enter_as("SMM")))
    page.keyboard.press("Control+k")
    line = page.locator("#palette-input")
    expect(line).to_be_focused()
    # Without an open case nothing is offered that needs one.
    page.keyboard.type("ответить")
    expect(page.locator("#palette-act-reply")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()

    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#case-title")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("jndtn")  # «ответ» with the Latin layout left on
    expect(page.locator("#palette-list [aria-selected=true]")).to_have_attribute("data-act", "reply")
    expect(line).to_have_attribute("aria-activedescendant", "palette-act-reply")
    page.keyboard.press("Enter")
    expect(page.locator("#reply-text")).to_be_focused()

    # Ctrl+K works while one writes, and the text stays.
    page.keyboard.type("Пишу")
    page.keyboard.press("Control+k")
    page.keyboard.type("жалобы")
    expect(page.locator("#palette-list [aria-selected=true]")).to_have_id("palette-view-complaint")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("label=complaint"))


def test_a_case_is_opened_by_its_number(visit) -> None:
    page = ready(visit().enter_as("SMM"))
    page.locator(".row a").first.click()
    number = page.locator(".case-who p span").first.inner_text()
    page.locator(".row a").nth(1).click()
    expect(page.locator(".case-who p span").first).not_to_have_text(number)
    page.keyboard.press("Control+k")
    page.keyboard.type(number)
    option = page.locator("#palette-list [data-case-found]").first
    expect(option).to_contain_text(number)
    expect(option).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.locator(".case-who p span").first).to_have_text(number)


def test_slash_searches_and_a_hit_opens_its_case(visit) -> None:
    visitor = visit()
    page = ready(visitor.enter_as("SMM"))
    words = (one.strip("?,.!»«") for text in page.locator(".row-text").all_inner_texts() for one in text.split())
    word = next(one for one in words if len(one) > 5 and one.isalpha())
    page.keyboard.press("Slash")
    expect(page.locator("#search-box")).to_be_focused()
    page.keyboard.type(word)
    page.keyboard.press("Enter")
    expect(page.locator(".hit mark").first).to_be_visible()
    page.locator("a.hit-head").first.click()
    expect(page.locator("#case-title")).to_be_visible()


def test_search_on_a_phone_and_axe_finds_nothing_serious(visit) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = ready(visit(phone=True).enter_as("SMM"))
    page.get_by_role("link", name="Поиск").click()
    page.locator("#search-words").fill("урок")
    page.keyboard.press("Enter")
    expect(page.locator(".hit").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = [v for v in Axe().run(page).response["violations"] if v["impact"] in {"serious", "critical"}]
    assert found == []
    page.keyboard.press("Control+k")
    expect(page.locator("#palette-input")).to_be_focused()
    found = [v for v in Axe().run(page).response["violations"] if v["impact"] in {"serious", "critical"}]
    assert found == []


def test_a_case_is_put_off_by_keys_and_brought_back(visit) -> None:
    page = ready(visit().enter_as("SMM"))
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#case-title")).to_be_visible()
    page.keyboard.press("h")
    expect(page.locator("#snooze-menu button[name=until]").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".toast-undo")).to_contain_text("Отложено до")
    expect(page.locator("a.view-later b")).to_have_text("1")
    page.keyboard.press("u")
    expect(page.locator("a.view-later b")).to_have_text("0")
