"""One client's whole story in the browser: a complaint, a card, a contract, another surname, a missed payment, the
money back; the first line beside the conversation tells each time how it stands."""

import random
import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_contracts import FIELDS, read_papers
from tests.journeys.test_inbox import ready, viewer_writes

DICE = random.SystemRandom()  # pytest-randomly throws the ordinary ones alike at a second try
SYLLABLES = ("ба", "ве", "до", "жи", "ку", "ла", "ми", "но", "пе", "ри", "со", "та")


@dataclass(frozen=True)
class Hero:
    """Whose story it is: another person at each try, so that a second one finds nothing of the first."""

    author: str
    name: str
    renamed: str
    phone: str

    @property
    def number(self) -> str:
        """As the card shows it."""
        return self.phone.removeprefix("8 ")


@pytest.fixture
def hero() -> Hero:
    root = "".join(DICE.sample(SYLLABLES, 3))
    phone = f"8 916 {DICE.randrange(1000):03d}-{DICE.randrange(100):02d}-{DICE.randrange(100):02d}"
    return Hero(
        f"Гость {root.title()}",
        f"{root.title()}гостев Клавдий Ильич",
        f"{root.title()}берегов Клавдий Ильич",
        phone,
    )


def press(page: Page, name: str, place: str = "body") -> None:
    """A press, and the page that comes of it."""
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.locator(place).get_by_role("button", name=name).first.click()
    page.wait_for_timeout(800)  # htmx takes the page on by itself after the answer
    page.wait_for_load_state()


def test_from_the_complaint_to_the_money_back(visit, running, hero) -> None:
    smm, head, books = visit(), visit(), visit()
    complaint = f"Звоните: {hero.phone}. Третью неделю не могу попасть на занятия!"
    viewer_writes(running, visit, complaint, hero.author)
    ready(smm.enter_as("SMM"))
    page = smm.open_case(hero.phone)
    page.locator("#beside").get_by_role("button", name="Завести карточку").click()
    expect(page.locator("#card-contact")).to_have_value(re.compile(hero.number))  # what the author wrote
    page.locator("#card-name").fill(hero.name)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#beside .beside-name")).to_have_text(re.compile(hero.name))
    case = page.url

    # Sold: from the card to a contract whose first payment is past already.
    page, money = head.enter_as("Руководитель"), books.enter_as("Бухгалтерия")
    for _ in range(60):  # the starters are made soon after the start
        page.goto(f"{running.url}contracts/templates")
        if page.get_by_text("готовится").count() == 0:
            break
        page.wait_for_timeout(1000)
    page.goto(f"{running.url}clients?q={hero.number}")
    page.get_by_role("link", name=hero.name).click()
    card = page.url
    page.locator("#contracts").get_by_role("link", name="Новый договор").click()
    page.get_by_role("button", name="Открыть черновик").click()
    for name, value in {**FIELDS, "first": "2026-11-10"}.items():
        page.locator(f"[name='{name}']").fill(value)
    press(page, "Сохранить")
    press(page, "На согласование")
    address = page.url.split("#")[0]
    money.goto(address)
    press(money, "Согласовать")
    page.goto(address)
    press(page, "Отправлено клиенту")
    page.get_by_role("button", name="Клиент подписал").click()
    press(page, "Клиент подписал", "dialog[open]")
    expect(page.locator(".page-head")).to_contain_text("Действует")

    # Beside the conversation: in force, and owing; no sum, and no number for SMM.
    smm.page.goto(case)
    smm.open_case(hero.phone)
    expect(smm.page.locator("#beside")).to_contain_text("Договор: действует, платёж просрочен")
    expect(smm.page.locator("#beside")).not_to_contain_text("₽")

    rename(page, money, address, hero.renamed)
    restructure(page, money, running, hero.name)
    viewer_writes(running, visit, "Прошу расторгнуть договор и вернуть деньги!", hero.author)
    give_back(page, money, card, address)
    smm.page.reload()
    expect(smm.page.locator("#beside")).to_contain_text("Договор: расторгнут")
    head.troubles = [one for one in head.troubles if "422" not in one]  # the end before its access was closed
    books.troubles = [one for one in books.troubles if "409" not in one]  # the refused press of a stale page


def rename(page: Page, money: Page, address: str, renamed: str) -> None:
    """Another surname: accounting's page is older than the last change, and its press is refused."""
    page.goto(address)
    page.locator(".page-head summary").click()
    press(page, "Изменить соглашением")
    for name in ("Лишний Клавдий Ильич", renamed):
        page.locator("#ground").fill("заявление о смене фамилии")
        page.locator("[name='client.full']").fill(name)
        press(page, "На согласование")
        if name != renamed:
            money.goto(address)
            page.locator("#amendments").get_by_role("link", name="Изменить").click()
    press(money, "Согласовать", "#amendments")
    expect(money.locator(".toast-problem")).to_be_visible()
    money.goto(address)
    press(money, "Согласовать", "#amendments")
    for name in ("Отправлено клиенту", "Клиент подписал"):
        page.goto(address)
        press(page, name, "#amendments")
    page.goto(address)
    expect(page.locator(".page-head")).to_contain_text("редакция 2")
    expect(page.locator(".co-facts")).to_contain_text(f"в договоре: {renamed}")


def restructure(page: Page, money: Page, running, who: str) -> None:
    """The missed payment gets another day by an amendment, whose paper shows the new schedule."""
    page.goto(f"{running.url}contracts/money")
    row = page.locator("#debts tr", has_text=who)
    row.locator("summary").click()
    press(page, "Реструктуризация", f"#debts tr:has-text('{who}')")
    lines = page.locator("#schedule").input_value().splitlines()
    assert lines[0].startswith("10.11.2026 ")
    page.locator("#schedule").fill("\n".join([*lines[1:], lines[0].replace("10.11.2026", "10.02.2027")]))
    press(page, "На согласование")
    address = page.url.split("#")[0]
    page.locator("#amendments").get_by_role("link", name="Составить документ").last.click()
    press(page, "Составить документ")
    assert "10.02.2027" in read_papers(page)
    money.goto(address)
    press(money, "Согласовать", "#amendments")
    for name in ("Отправлено клиенту", "Клиент подписал"):
        page.goto(address)
        press(page, name, "#amendments")
    page.goto(address)
    expect(page.locator("#money")).to_contain_text("10.02.2027")
    expect(page.locator("#money")).not_to_contain_text("Просрочена")


def give_back(page: Page, money: Page, card: str, address: str) -> None:
    money.goto(address)
    money.get_by_role("button", name="Провести платёж").click()
    money.locator("dialog[open] [name=amount]").fill("16 000")
    press(money, "Провести", "dialog[open]")
    # The demand came as a message: it opens the termination, filled in.
    for _ in range(60):
        page.goto(card)
        if page.locator("#timeline", has_text="Прошу расторгнуть").count():
            break
        page.wait_for_timeout(1000)
    page.locator("#timeline a", has_text="ОБ-").first.click()
    page.get_by_role("link", name="Просит расторгнуть").click()
    expect(page.locator("#facts")).to_have_value(re.compile("вернуть деньги"))
    press(page, "Зарегистрировать")
    page.goto(address)
    press(page, "Начать расчёт", "#terminations")
    money.goto(address)
    money.locator("#terminations").get_by_role("link", name="Расчёт").click()
    money.locator("#facts").fill("проведено 1 занятие из 12")
    money.locator("#delivered").fill("4 000")
    press(money, "Руководителю")
    page.goto(address)
    press(page, "Согласовать возврат", "#terminations")
    page.goto(address)
    press(page, "Отправлено клиенту", "#terminations")
    page.goto(address)
    page.locator("#terminations [name=proof]").fill("подписано")
    press(page, "Клиент подписал", "#terminations")
    money.goto(address)
    press(money, "Назначить возврат", "#terminations")
    money.goto(address)
    money.locator("#terminations [name=receipt]").fill("п/п 77")
    press(money, "Деньги возвращены", "#terminations")
    page.goto(address)
    expect(page.locator(".page-head")).to_contain_text("Расторгнут")
    expect(page.locator("#terminations")).to_contain_text("12 000,00")
    # What is left appeared by itself: the access is closed by a person, the order is a step; nothing ends before.
    access = "#terminations .task-row:has-text('Закрыть доступ')"
    expect(page.locator(access)).to_contain_text("Открыть в GetCourse")
    press(page, "Приказ издан", "#terminations")
    page.goto(address)
    press(page, "Завершить", "#terminations")
    expect(page.locator(".toast-problem")).to_contain_text("закройте доступ")
    press(page, "Готово", access)
    page.goto(address)
    press(page, "Завершить", "#terminations")
    page.goto(address)
    expect(page.locator("#terminations")).to_contain_text("Завершено")
