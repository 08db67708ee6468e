"""The care around a reply, in the browser: a saved reply, the check, sending later, editing what is published."""

import re
from uuid import uuid4

from playwright.sync_api import expect

QUESTION = "Подскажите, а сколько стоит годовой курс для взрослых?"


def ask(visit, running, who: str, text: str):
    """A viewer asks on YouTube; returns the page where the thread stands."""
    page = visit().page
    page.goto(f"{running.sandbox}/")
    page.get_by_role("link", name="YouTube", exact=True).click()
    page.locator("[name=stranger]").fill(who)
    page.locator("[name=text]").fill(text)
    page.get_by_role("button", name="Отправить").click()
    expect(page.locator("#threads")).to_contain_text(text)
    return page


def test_a_saved_reply_is_checked_published_and_corrected_where_it_stands(visit, running) -> None:
    mark = uuid4().hex[:6]  # a second try must not meet what the first one left
    head = visit()
    page = head.enter_as("Руководитель")
    page.goto(f"{running.url}facts/new")
    page.locator("#title").fill("Цена годового курса")
    page.locator("#code").fill(f"price-{mark}")
    page.locator("#value").fill("48 900 ₽")
    page.get_by_role("button", name="Сохранить").click()
    page.goto(f"{running.url}saved/new")
    page.locator("#title").fill(f"Цена года {mark}")
    page.locator("#text").fill(
        f"Здравствуйте! Годовой курс стоит {{{{fact.price-{mark}}}}}, старт {{{{fact.year-start}}}}."
    )
    page.get_by_role("button", name="Сохранить").click()

    smm = visit()
    smm.enter_as("SMM")
    viewer = ask(visit, running, "Гость Цены", QUESTION)
    inbox = smm.open_case(QUESTION)
    inbox.keyboard.press("r")
    inbox.keyboard.press("/")
    search = inbox.locator("#saved-pop input")
    expect(search).to_be_focused()
    search.fill(f"цена года {mark}")
    expect(inbox.locator("[data-use]")).to_have_count(1)
    inbox.keyboard.press("Enter")
    text = inbox.locator("#reply-text")
    expect(text).to_have_value(re.compile("48 900 ₽"))

    # What nobody could fill is selected, and stops the reply until it is replaced.
    expect(inbox.locator("#composer-lint")).to_contain_text("Незаполненная подстановка")
    inbox.keyboard.press("Control+Enter")
    expect(inbox.locator(".toast-problem").first).to_be_visible()
    smm.troubles.clear()  # the browser reports the refusal, which is what was wanted
    smm.picture("replies-1-check")
    text.fill(text.input_value().replace("{{fact.year-start}}", "12 января"))
    expect(inbox.locator("#composer-lint")).to_be_empty()
    text.press("Control+Enter")
    expect(viewer.locator("#threads")).to_contain_text("48 900 ₽, старт 12 января", timeout=40_000)

    # The reply is corrected where it stands; the viewer sees the new text.
    inbox.goto(f"{running.url}inbox?stage=closed")
    inbox.locator(".row", has_text=QUESTION).first.click()
    expect(inbox.locator(".msg-ours")).to_contain_text("Видно на площадке", timeout=40_000)
    inbox.locator("[id^=own-] > summary").click()
    inbox.get_by_role("button", name="Изменить на площадке").click()
    dialog = inbox.locator("dialog[open]")
    dialog.locator("textarea").fill("Здравствуйте! Годовой курс стоит 48 900 ₽, старт 19 января.")
    smm.picture("replies-2-edit")
    dialog.get_by_role("button", name="Изменить").click()
    expect(viewer.locator("#threads")).to_contain_text("старт 19 января", timeout=40_000)
    expect(viewer.locator("#threads")).not_to_contain_text("старт 12 января")


def test_a_reply_waits_for_its_hour_and_comes_back(visit, running) -> None:
    smm = visit(phone=True, dark=True)
    smm.enter_as("SMM")
    ask(visit, running, "Гость Января", "А в январе набор ещё будет открыт?")
    inbox = smm.open_case("А в январе набор ещё будет открыт?")
    inbox.get_by_role("button", name="Ответить", exact=True).click()
    inbox.locator("#reply-text").fill("Да, набор открыт до 20 января.")
    inbox.locator("#later-menu > summary").click()
    smm.picture("replies-3-later")
    inbox.locator("#later-menu").get_by_role("button", name="завтра утром").click()
    expect(inbox.get_by_text("Уйдёт: завтра, 9:00").first).to_be_visible()
    inbox.goto(f"{running.url}outgoing")
    row = inbox.locator(".out", has_text="Да, набор открыт до 20 января.")
    expect(row).to_contain_text("до этого можно отменить")
    row.get_by_role("button", name="Отменить").click()
    expect(row).to_have_count(0)
