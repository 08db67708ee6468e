"""A contract in the browser: draft, approval by accounting, signature, another address, the end with money back;
every document opened."""

import io
import re
import zipfile

from playwright.sync_api import Page, expect

FIELDS = {
    "price": "48000", "parts": "3", "first": "2026-12-01", "program.name": "Немецкий для поездок",
    "program.kind": "дополнительная общеобразовательная", "program.level": "дополнительное образование",
    "program.direction": "социально-гуманитарная", "program.hours": "36", "program.form": "заочная",
    "program.term": "3 месяца", "program.start": "2026-12-01", "program.end": "2027-02-28",
    "program.doc_kind": "сертификат", "client.address": "Казань, ул. Речная, 3", "client.birth_date": "1988-03-09",
    "client.email": "chaika@mail.example", "client.id_type": "паспорт РФ", "client.id_series": "9200",
    "client.id_no": "000111", "client.id_issued_by": "МВД (вымышленное)", "contract.pay_order": "по графику",
}  # fmt: skip
NAME = "Чайкина Нина Павловна"


def opened(page: Page, link, kind: str) -> bytes:
    """The bytes behind a link of a document, as the browser would open it."""
    answer = page.request.get(page.url.split("/contracts")[0] + link.get_attribute("href"))
    assert answer.ok
    assert kind in answer.headers["content-type"]
    return answer.body()


def read_papers(page: Page) -> str:
    """Opens every document on the page of the contract; the words of all .docx."""
    words = ""
    for link in page.locator("#papers .co-links a").all():
        if link.inner_text() == "PDF":
            assert opened(page, link, "application/pdf").startswith(b"%PDF")
        else:
            with zipfile.ZipFile(io.BytesIO(opened(page, link, "wordprocessingml"))) as package:
                words += re.sub(r"<[^>]+>", "", package.read("word/document.xml").decode())
    return words


def test_from_the_draft_to_the_money_back(visit, running) -> None:
    head, books = visit(), visit()
    page, money = head.enter_as("Руководитель"), books.page
    # The starters and the invented contracts are made soon after the start.
    for _ in range(60):
        page.goto(f"{running.url}contracts/templates")
        if page.get_by_text("готовится").count() == 0:
            break
        page.wait_for_timeout(1000)
    expect(page.get_by_text("готовится")).to_have_count(0)

    from_card(page, running)
    for name, value in FIELDS.items():
        page.locator(f"[name='{name}']").fill(value)
    page.get_by_role("button", name="Сохранить").click()
    expect(page.locator("h1")).to_contain_text("черновик")
    expect(page.locator("#missing")).to_have_count(0)
    page.get_by_role("button", name="На согласование").click()
    expect(page.locator("h1")).to_contain_text("2026-")
    head.picture("contracts-1-approval")
    address = page.url.split("#")[0]

    # Accounting approves; its author could not have.
    expect(page.get_by_role("button", name="Согласовать")).to_have_count(0)
    books.enter_as("Бухгалтерия")
    money.goto(address)
    money.get_by_role("button", name="Согласовать").click()
    expect(money.locator(".page-head")).to_contain_text("Согласован")

    page.goto(address)
    page.locator("#papers .co-lacks a", has_text="Договор").click()
    page.get_by_role("button", name="Составить документ").click()
    expect(page.locator("#papers table")).to_contain_text("Договор с физлицом")
    text = read_papers(page)
    assert NAME in text
    assert "Сорок восемь тысяч рублей 00 копеек" in text
    assert "{{" not in text
    page.get_by_role("button", name="Отправлено клиенту").click()
    page.get_by_role("button", name="Клиент подписал").click()
    page.locator("dialog[open]").get_by_role("button", name="Клиент подписал").click()
    expect(page.locator(".page-head")).to_contain_text("Действует")
    expect(page.locator(".co-hash")).to_contain_text("SHA-256")
    head.picture("contracts-2-force")

    money.goto(address)
    money.get_by_role("button", name="Провести платёж").click()
    money.locator("dialog[open] [name=amount]").fill("48 000")
    money.locator("dialog[open]").get_by_role("button", name="Провести").click()
    expect(money.locator("#money")).to_contain_text("Погашена")

    amend(page, money, running, address)
    end(page, money, address)
    expect(page.locator(".page-head")).to_contain_text("Расторгнут")
    head.picture("contracts-3-ended")
    page.goto(f"{running.url}contracts/decisions")
    expect(page.locator("table")).to_contain_text("возврат 31")
    head.picture("contracts-4-decisions")


def from_card(page: Page, running) -> None:
    """A card by hand where there is a screen for it, else through the search of the form."""
    for _ in range(60):  # the cards are made soon after the start, too
        page.goto(f"{running.url}contracts/new?q=Соколова")
        if page.locator(".co-plain a").count():
            break
        page.wait_for_timeout(1000)
    page.locator(".co-plain a").first.click()
    page.get_by_role("button", name="Открыть черновик").click()
    page.locator("[name='client.full']").fill(NAME)


def amend(page: Page, money: Page, running, address: str) -> None:
    page.goto(address)
    page.locator(".page-head summary").click()
    page.get_by_role("button", name="Изменить соглашением").click()
    page.locator("#ground").fill("заявление о переезде")
    page.locator("[name='client.address']").fill("Пермь, ул. Лесная, 8")
    page.get_by_role("button", name="На согласование").click()
    expect(page.locator("#amendments")).to_contain_text("Пермь")
    money.goto(address)
    money.locator("#amendments").get_by_role("button", name="Согласовать").click()
    expect(money.locator("#amendments")).to_contain_text("Согласован")
    page.goto(address)
    page.locator("#amendments").get_by_role("button", name="Отправлено клиенту").click()
    page.locator("#amendments").get_by_role("button", name="Клиент подписал").click()
    expect(page.locator(".page-head")).to_contain_text("редакция 2")
    page.locator("#amendments").get_by_role("link", name="Составить документ").click()
    page.get_by_role("button", name="Составить документ").click()
    expect(page.locator("#papers table")).to_contain_text("Дополнительное соглашение")
    assert "Пермь, ул. Лесная, 8" in read_papers(page)


def end(page: Page, money: Page, address: str) -> None:
    page.locator(".page-head summary").click()
    page.get_by_role("link", name="Расторгнуть").click()
    page.locator("#facts").fill("Прошу расторгнуть договор и вернуть деньги")
    page.get_by_role("button", name="Зарегистрировать").click()
    page.locator("#terminations").get_by_role("button", name="Начать расчёт").click()
    expect(page.locator("#terminations")).to_contain_text("Расчёт")
    money.goto(address)
    money.locator("#terminations").get_by_role("link", name="Расчёт").click()
    money.locator("#facts").fill("проведено 4 занятия из 12")
    money.locator("#delivered").fill("16 000")
    money.locator("#expenses").fill("Учебные пособия; 1000; накладная 4")
    money.get_by_role("button", name="Руководителю").click()
    expect(money.locator("#terminations")).to_contain_text("31 000,00")
    page.goto(address)
    page.locator("#terminations").get_by_role("button", name="Согласовать возврат").click()
    expect(page.locator("#terminations")).to_contain_text("Согласовано руководителем")
    page.locator("#terminations").get_by_role("link", name="Составить документ").click()
    page.get_by_role("button", name="Составить документ").click()
    assert "Тридцать одна тысяча рублей" in read_papers(page)
    page.locator("#terminations").get_by_role("button", name="Отправлено клиенту").click()
    page.locator("#terminations [name=proof]").fill("подписано 26.11")
    page.locator("#terminations").get_by_role("button", name="Клиент подписал").click()
    money.goto(address)
    money.locator("#terminations").get_by_role("button", name="Назначить возврат").click()
    money.locator("#terminations [name=receipt]").fill("п/п 77")
    money.locator("#terminations").get_by_role("button", name="Деньги возвращены").click()
    expect(money.locator("#terminations")).to_contain_text("Возврат выполнен")
    page.goto(address)
    page.locator("#terminations").get_by_role("button", name="Приказ издан").click()
    expect(page.locator("#terminations")).to_contain_text("Открыть в GetCourse")
    page.locator("#terminations .task-row").get_by_role("button", name="Готово").click()
    expect(page.locator("#terminations .task-row").get_by_role("button", name="Готово")).to_have_count(0)
    page.locator("#terminations").get_by_role("button", name="Завершить").click()
    expect(page.locator("#terminations")).to_contain_text("Завершено")
