"""The main job: a viewer writes, staff label, ask a department and answer, the viewer reads the reply."""

import re

from playwright.sync_api import expect

QUESTION = "Подскажите, пожалуйста, домашку к третьему уроку проверяют в выходные?"
ANSWER = "Проверяем и в субботу до 18:00, в воскресенье кураторы отдыхают."


def test_from_the_viewers_comment_to_the_reply_under_it(visit, running) -> None:
    smm = visit()
    inbox = smm.enter_as("SMM")
    expect(inbox.locator(".row").first).to_be_visible()
    viewer = visit()
    the_viewer_asks(viewer, running)
    address = viewer.page.url

    # It appears in the open inbox without a reload; behind a pill where somebody reads further down.
    smm.open_case(QUESTION)
    case = inbox.locator("#case")
    expect(case.locator("#thread")).to_contain_text(QUESTION)
    smm.picture("journey-2-arrived")

    the_label_is_corrected_and_corrected_back(smm)
    the_curators_are_asked(smm)
    the_curator_answers_on_her_phone(visit(phone=True))
    the_answer_is_edited_and_published(smm)

    viewer.page.goto(address)
    reply = viewer.page.locator("#threads")
    expect(reply).to_contain_text("Здравствуйте! " + ANSWER, timeout=40_000)
    viewer.page.get_by_text("Здравствуйте! " + ANSWER).scroll_into_view_if_needed()
    viewer.picture("journey-7-published")
    inbox.goto(running.url + "inbox?stage=closed")
    inbox.locator(".row", has_text=QUESTION).first.click()  # the newest, where this is a second try
    expect(inbox.locator("#thread")).to_contain_text("Видно на площадке", timeout=40_000)
    smm.picture("journey-8-proof")


def the_viewer_asks(viewer, running) -> None:
    page = viewer.page
    page.goto(f"{running.sandbox}/")
    page.get_by_role("link", name="YouTube", exact=True).click()
    page.locator("[name=stranger]").fill("Гость Журнала")
    page.locator("[name=text]").fill(QUESTION)
    page.get_by_role("button", name="Отправить").click()
    expect(page.locator("#threads")).to_contain_text(QUESTION)
    viewer.picture("journey-1-viewer")


def the_label_is_corrected_and_corrected_back(smm) -> None:
    case = smm.page.locator("#case")
    for wanted in ("Жалоба", "Вопрос"):
        case.get_by_text("Исправить").first.click()
        case.locator(".menu-pop:visible").get_by_role("button", name=re.compile(wanted)).click()
        expect(smm.page.locator(".row[data-case]", has_text=QUESTION).first).to_contain_text(wanted)
    smm.picture("journey-3-corrected")


def the_curators_are_asked(smm) -> None:
    case, dialog = smm.page.locator("#case"), smm.page.locator("#route-dialog")
    case.get_by_role("button", name="В отдел").first.click()
    expect(dialog.locator("textarea")).to_have_value(QUESTION)
    dialog.get_by_text("Кураторы").click()
    dialog.locator("textarea").fill("Проверяете ли домашки в выходные? " + QUESTION)
    smm.picture("journey-4-question")
    dialog.get_by_role("button", name="Передать").click()
    expect(case.locator(".route")).to_contain_text("Кураторы")


def the_curator_answers_on_her_phone(curator) -> None:
    mine = curator.enter_as("Куратор")
    mine.locator(".ask", has_text="Проверяете ли домашки").click()
    expect(mine.locator(".lines")).to_contain_text(QUESTION)
    mine.locator("#answer-text").fill(ANSWER)
    curator.picture("journey-5-curator")
    mine.get_by_role("button", name="Отправить ответ").click()
    expect(mine.get_by_text("Спасибо").first).to_be_visible()


def the_answer_is_edited_and_published(smm) -> None:
    """The answer comes home by itself; the SMM greets the author and publishes it."""
    insert = smm.page.locator("#case").get_by_role("button", name="Вставить в ответ")
    expect(insert).to_be_visible()
    insert.click()
    box = smm.page.locator("#reply-text")
    expect(box).to_have_value(re.compile(re.escape(ANSWER)))
    box.fill("Здравствуйте! " + ANSWER)
    smm.picture("journey-6-answer")
    box.press("Control+Enter")
    expect(smm.page.get_by_text("Отменить отправку").first).to_be_visible()
