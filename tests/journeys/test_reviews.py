"""«Разбор ответов» by the keyboard alone, and what the writer finds in «Мои разборы»."""

import re
import time

from playwright.sync_api import expect


def test_an_answer_is_judged_by_the_keyboard_and_its_writer_reads_it(visit) -> None:
    head = visit()
    page = head.enter_as("Руководитель")
    page.goto(head.running.url + "reviews")
    until = time.monotonic() + 90
    while not page.locator("#answer").is_visible():  # the school's answers of last week are drawn by a job
        assert time.monotonic() < until
        page.wait_for_timeout(1000)
        page.reload()
    expect(page.get_by_text("5 из 5")).to_be_visible()
    page.keyboard.press("4")  # the first criterion is in hand, and the next one is after it
    page.keyboard.press("5")
    page.keyboard.press("3")
    page.keyboard.press("0")
    expect(page.locator("[name=mark-4][value='0']")).to_be_checked()
    page.keyboard.press("Enter")  # one criterion lacks: nothing is lost
    expect(page).to_have_url(re.compile("/reviews$"))
    page.keyboard.press("2")
    page.locator("[name=mark-5][value='2']").press("Tab")
    expect(page.locator("#note")).to_be_focused()
    page.keyboard.type("Скажите, 1 или 2 дня")  # digits of a note are words
    page.locator("[name=mark-1][value='4']").focus()
    head.picture("reviews")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Все ответы недели разобраны")).to_be_visible()

    writer = visit(phone=True)
    mine = writer.enter_as("SMM")
    mine.goto(writer.running.url + "reviews/mine")
    expect(mine.get_by_text("Скажите, 1 или 2 дня")).to_be_visible()
    panel = mine.locator(".rv-panel", has_text="Скажите, 1 или 2 дня")
    expect(panel.locator(".rv-marks li")).to_have_text(
        ["По делу4", "Вежливо5", "Полно3", "В срокне относится", "По правилам2"]
    )
    assert mine.evaluate("document.documentElement.scrollWidth <= innerWidth")
