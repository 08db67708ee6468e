"""The curator's day on a phone: a letter, one press, an answer with a photo, and nothing but her questions."""

import secrets
from pathlib import Path

from playwright.sync_api import expect

from tests.journeys.test_inbox import answerable, ready

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000154a24f5d"
    "0000000049454e44ae426082"
)


def test_a_letter_a_press_and_an_answer(visit, tmp_path: Path) -> None:
    desk = visit()
    page = answerable(ready(desk.enter_as("SMM")))
    page.locator(".row a").nth(4).click()
    expect(page.locator("#case-title")).to_be_visible()
    page.get_by_role("button", name="В отдел").first.click()
    dialog = page.locator("#route-dialog")
    dialog.locator(".unit", has_text="Кураторы").click()
    mark = f"для журнала {secrets.token_hex(3)}"  # others, and a try before this one, ask the curators too
    dialog.locator("#route-question").fill(f"Сколько уроков в курсе про сто слов? Спрашивают {mark}")
    dialog.get_by_label("Срочно").check()
    dialog.get_by_role("button", name="Передать", exact=True).click()
    expect(page.locator(".route").last).to_contain_text(mark)

    # The training desk lays its letters into a drawer.
    head = visit()
    post = ready(head.enter_as("руководитель"))
    letter = post.locator(".post-row", has_text="Олег Сомов").filter(has=post.get_by_role("link", name="Прочитать"))
    for _ in range(30):
        post.goto(head.running.url + "settings/mail")
        if letter.count():
            letter.first.get_by_role("link", name="Прочитать").click()
            if mark in post.locator(".letter").inner_text():
                break
        post.wait_for_timeout(1000)
    expect(post.locator(".letter")).to_contain_text(mark)
    link = post.locator(".letter a[href*='/a/']").first.get_attribute("href")
    assert link is not None

    curator = visit(phone=True)
    phone = curator.page
    phone.goto(link)
    phone.get_by_role("button", name="Открыть вопросы").click()
    phone.wait_for_url("**/questions**")
    curator.picture("curator-1-questions")
    phone.goto(curator.running.url + "questions")
    phone.locator("a.ask", has_text=mark).click()
    phone.locator("#answer-text").fill("Двенадцать, по одному в неделю")
    phone.wait_for_timeout(600)  # the draft is kept a moment after the last key
    phone.reload()
    expect(phone.locator("#answer-text")).to_have_value("Двенадцать, по одному в неделю")
    photo = tmp_path / "план.png"
    photo.write_bytes(PNG)
    phone.locator("input[type=file]").first.set_input_files(photo)
    expect(phone.locator("[data-chosen]")).to_have_text("Файлов: 1")
    curator.picture("curator-2-answer")
    phone.get_by_role("button", name="Отправить ответ").click()
    expect(phone.get_by_role("heading", name="Спасибо!")).to_be_visible()

    expect(page.locator(".route-answer").last).to_contain_text("Двенадцать, по одному в неделю")
    expect(page.locator(".route-answer").last).to_contain_text("план.png")

    # The same link opens nothing on another phone, and hers opens nothing but questions.
    other = visit(phone=True)
    other.page.goto(link)
    expect(other.page.get_by_role("button", name="Прислать новую")).to_be_visible()
    phone.goto(curator.running.url + "inbox")
    expect(phone).to_have_url(curator.running.url + "login?next=/inbox")
    assert curator.troubles == []
