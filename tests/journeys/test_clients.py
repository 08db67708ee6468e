"""A card beside a conversation, found again by a phone in another spelling, joined with its double and parted."""

import re

from playwright.sync_api import expect

from tests.journeys.test_inbox import answerable, ready


def test_a_card_from_a_comment_to_the_line_of_time(visit) -> None:
    page = answerable(ready(visit().enter_as("SMM")))
    make = page.locator("#beside").get_by_role("button", name="Завести карточку")
    for row in page.locator(".row a").all():  # another journey may have made a card for the first
        row.click()
        case_id = (row.get_attribute("href") or "").partition("?")[0].rpartition("/")[2]
        expect(page.locator(f"#case[data-case='{case_id}'] #beside")).to_be_visible()
        if make.is_visible():
            break
    author = page.locator("#case-title").inner_text()
    make.click()
    expect(page.locator("#card-name")).to_have_value(author)
    page.locator("#card-name").fill("Рябчикова Зоя")
    page.locator("#card-contact").fill("8 (916) 777-00-77")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#beside .beside-name")).to_have_text(re.compile("Рябчикова Зоя"))

    # The reply promises; one tap follows it.
    page.locator("#reply-text").fill("Вернём деньги завтра.")
    page.get_by_role("button", name="Следить?").click()
    expect(page.locator("#beside")).to_contain_text("обещано")

    page.goto(f"{page.url.split('/inbox')[0]}/clients")
    page.locator("#client-q").fill("916 777 00 77")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Рябчикова Зоя").click()
    expect(page.locator("h1")).to_have_text("Рябчикова Зоя")
    expect(page.locator("#timeline")).to_contain_text("Обещание")
    expect(page.locator(".card-side")).to_contain_text("со слов самого автора")


def test_two_cards_become_one_and_two_again(visit) -> None:
    page = visit().enter_as("руководитель")
    base = "/".join(page.url.split("/")[:3])
    for name, contact in (("Филинова Ада", "+7 916 777-00-01"), ("Филин Ада", "filin@school.example")):
        page.goto(f"{base}/clients/new")
        page.locator("#name").fill(name)
        page.locator("#contact").fill(contact)
        page.get_by_role("button", name="Завести карточку").click()
        expect(page.locator("h1")).to_have_text(name)
    gone = page.url.rpartition("/")[2]
    page.goto(f"{base}/clients?q=филинова")
    page.get_by_role("link", name="Филинова Ада").click()
    page.locator("summary[aria-label='Ещё']").last.click()
    page.locator("[data-dialog='merge-dialog']").click()
    page.locator("#other_id").fill(gone)
    page.get_by_role("button", name="Объединить", exact=True).click()
    expect(page.locator(".card-side")).to_contain_text("filin@school.example")
    page.get_by_role("button", name="Разъединить").press("Enter")  # a toast may lie over it for a while
    expect(page.locator(".card-side")).not_to_contain_text("filin@school.example")
    page.goto(f"{base}/clients/{gone}")
    expect(page.locator("h1")).to_have_text("Филин Ада")
