"""The curator's messenger: tied by one press, a question comes there, the reply is the answer in the case."""

from playwright.sync_api import Page, expect

from tests.journeys.test_inbox import answerable, ready

QUESTION, ANSWER = "Сколько уроков в курсе про падежи? Спрашивают для буклета", "Девять, по одному в неделю"


def test_a_press_a_question_a_reply_and_the_answer(visit) -> None:
    desk = visit()
    inbox = answerable(ready(desk.enter_as("SMM")))
    curator = visit(phone=True)
    page = curator.enter_as("куратор")
    page.goto(curator.running.url + "notices/mine")
    page.get_by_role("button", name="Привязать Telegram").click()
    expect(page.get_by_text("Ссылка действует один раз и 15 минут")).to_be_visible()
    curator.picture("messenger-1-link")
    link = page.get_by_role("link", name="Открыть Telegram").get_attribute("href")
    assert link is not None
    chat = visit(phone=True).page
    chat.goto(link)
    chat.get_by_role("button", name="Старт").click()
    expect(chat.locator("#threads")).to_contain_text("Олег, готово", timeout=60_000)
    page.goto(curator.running.url + "notices/mine")
    expect(page.locator(".messengers")).to_contain_text("привязан")
    expect(page.locator("[name=question-telegram]")).to_be_checked()
    curator.picture("messenger-2-tied")

    case = ask(inbox, QUESTION)
    told = chat.locator(".comment", has_text=QUESTION).last
    expect(told).to_be_visible(timeout=60_000)
    told.get_by_role("link", name="Ответить").click()
    chat.locator("#write textarea").fill(ANSWER)
    chat.get_by_role("button", name="Отправить").click()
    expect(chat.locator("#threads")).to_contain_text("Ответ принят", timeout=60_000)
    expect(case.locator(".route-answer").last).to_contain_text(ANSWER, timeout=60_000)

    # The link of the message opens the questions, and nothing of the dialogue stands in the inbox.
    address = chat.locator(".comment a[href*='/a/']").last.get_attribute("href")
    assert address is not None
    phone = visit(phone=True)
    phone.page.goto(address)
    expect(phone.page.get_by_role("button", name="Открыть вопросы")).to_be_visible()
    case.goto(desk.running.url + "inbox?q=" + "буклета")
    expect(case.locator(".row", has_text="Олег Сомов")).to_have_count(0)

    page.goto(curator.running.url + "notices/mine")
    page.get_by_role("button", name="Отвязать").first.click()
    expect(page.get_by_role("button", name="Привязать Telegram")).to_be_visible()
    assert curator.troubles == []
    assert desk.troubles == []


def ask(page: Page, question: str) -> Page:
    """The specialist asks the curators of some case, in a hurry."""
    page.locator(".row a").nth(5).click()
    expect(page.locator("#case-title")).to_be_visible()
    page.get_by_role("button", name="В отдел").first.click()
    dialog = page.locator("#route-dialog")
    dialog.locator(".unit", has_text="Кураторы").click()
    dialog.locator("#route-question").fill(question)
    dialog.get_by_label("Срочно").check()
    dialog.get_by_role("button", name="Передать", exact=True).click()
    expect(page.locator(".route").last).to_contain_text(question)
    return page
