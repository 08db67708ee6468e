"""A request to a department: asked from the desk, answered from a phone by the letter's link, accepted at home."""

from pathlib import Path

from playwright.sync_api import expect

from tests.journeys.conftest import Visitor
from tests.journeys.test_inbox import ready

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def test_asked_answered_from_a_phone_and_accepted(visit, tmp_path: Path) -> None:
    desk = visit()
    page = ready(desk.enter_as("SMM"))
    page.goto(desk.running.url + "inquiries")
    expect(page.get_by_role("heading", name="Запросы отделам")).to_be_visible()
    desk.picture("inquiry-1-empty")
    page.get_by_role("link", name="Запрос в отдел").first.click()
    page.locator(".unit", has_text="Кураторы").click()
    page.get_by_label("Что нужно").fill("Пришлите расписание осеннего потока, нужно для страницы курса")
    page.get_by_label("Срочно").check()
    sample = tmp_path / "образец.pdf"
    sample.write_bytes(PDF)
    page.locator("input[type=file]").set_input_files(sample)
    expect(page.locator("[data-chosen]")).to_have_text("Файлов: 1")
    desk.picture("inquiry-2-form")
    page.get_by_role("button", name="Отправить запрос").click()
    expect(page.locator(".asked-text")).to_contain_text("расписание осеннего потока")
    expect(page.locator("#inquiry")).to_contain_text("образец.pdf")
    desk.picture("inquiry-3-asked")

    link = letter_link(visit(), "расписание осеннего потока")
    curator = visit(phone=True)
    answer_from_phone(curator, link, tmp_path / "расписание.pdf")

    # It comes home by itself, rings, and is done by one press.
    expect(page.locator("#inquiry")).to_contain_text("занятия по вторникам")
    expect(page.locator("#inquiry")).to_contain_text("расписание.pdf")
    expect(page.locator("#bell .count")).to_be_visible()
    desk.picture("inquiry-7-home")
    page.get_by_role("button", name="Принять ответ").click()
    expect(page.locator("#inquiry")).to_contain_text("Ответ принят")
    page.goto(desk.running.url + "inquiries?show=done")
    expect(page.locator("a.ask", has_text="осеннего потока")).to_be_visible()
    desk.picture("inquiry-8-done")
    assert curator.troubles == []


def letter_link(head: Visitor, words: str) -> str:
    """The way in of the curator's letter that holds ``words``: the training desk lays its letters into a drawer."""
    post = ready(head.enter_as("руководитель"))
    letters = post.locator(".post-row", has_text="Олег Сомов").filter(
        has=post.get_by_role("link", name="Прочитать")
    )
    for _ in range(30):
        post.goto(head.running.url + "settings/mail")
        if letters.count():
            letters.first.get_by_role("link", name="Прочитать").click()
            if words in (post.locator(".letter").text_content() or ""):
                break
        post.wait_for_timeout(1000)
    expect(post.locator(".letter")).to_contain_text(words)
    link = post.locator(".letter a[href*='/a/']").first.get_attribute("href")
    assert link is not None
    return link


def answer_from_phone(curator: Visitor, link: str, timetable: Path) -> None:
    phone = curator.page
    phone.goto(link)
    phone.get_by_role("button", name="Открыть вопросы").click()
    phone.wait_for_url("**/questions**")
    phone.goto(curator.running.url + "questions")
    mine = phone.locator("a.ask", has_text="осеннего потока")
    expect(mine).to_contain_text("Запрос коллеги")
    curator.picture("inquiry-4-questions")
    mine.click()
    expect(phone.locator(".asked-why")).to_contain_text("публиковать его никто не будет")
    phone.locator("#answer-text").fill("Во вложении, занятия по вторникам")
    timetable.write_bytes(PDF)
    phone.locator("input[type=file][accept*=pdf]").set_input_files(timetable)
    curator.picture("inquiry-5-phone")
    phone.get_by_role("button", name="Отправить ответ").click()
    expect(phone.get_by_role("heading", name="Спасибо!")).to_be_visible()
    curator.picture("inquiry-6-thanks")
