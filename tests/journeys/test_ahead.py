"""The case that comes next is there before its key is pressed, and never as it was before somebody changed it."""

import re

from playwright.sync_api import expect

from tests.journeys.test_inbox import answerable, ready


def test_the_next_case_is_there_at_once_and_is_never_an_old_one(visit) -> None:
    mine, theirs = visit(), visit()
    page = answerable(ready(mine.enter_as("SMM")))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.partition("?")[0]))
    page.locator(".row a").first.click()
    expect(page.locator("#case-title")).to_be_visible()
    rows = page.locator("#rows > .row")
    second, third, fourth = (rows.nth(at).get_attribute("data-case") for at in (1, 2, 3))
    came = "name => performance.getEntriesByType('resource').some((one) => one.name.includes(name))"
    page.wait_for_function(came, arg=f"/inbox/{third}")
    page.wait_for_timeout(500)

    # Nothing of the next one is asked for at the press: it is painted from what was read ahead.
    asked.clear()
    page.keyboard.press("j")
    expect(page.locator("#case")).to_have_attribute("data-case", str(second))
    assert not [one for one in asked if re.search(rf"/inbox/{second}$", one)]
    page.wait_for_timeout(1500)
    assert [one for one in asked if re.search(rf"/inbox/{fourth}$", one)]  # and one further is on its way

    # A colleague takes the third meanwhile: what was read ahead of it is forgotten.
    other = answerable(ready(theirs.enter_as("руководитель")))
    other.goto(re.sub(r"/inbox/\d+", f"/inbox/{third}", page.url))
    ready(other)
    other.locator("[data-key-assign]").evaluate("button => button.click()")
    expect(page.locator(f"#row-{third} .person:not(.here *)")).to_have_text("МК")
    page.keyboard.press("j")
    expect(page.locator("#case")).to_have_attribute("data-case", str(third))
    expect(page.locator("#assign-menu summary")).to_contain_text("Марина Котова", timeout=3000)
    other.keyboard.press("Escape")
    other.locator("#assign-menu [value='']").evaluate("button => button.click()")
    expect(page.locator("#assign-menu summary")).not_to_contain_text("Марина Котова")
