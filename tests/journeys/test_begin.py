"""From the training banner to a work desk that is ready, as the head of a school walks it."""

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Visitor, start_desk

PASSWORD = "длинный пароль работы"


@pytest.fixture
def training(tmp_path, trained):
    desk = start_desk(tmp_path, trained=trained)
    yield desk
    assert desk.stop() == 0


def test_from_the_training_banner_to_the_first_place(chromium, training) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="ru-RU")
    context.set_default_timeout(30_000)
    visitor = Visitor(context, training)
    page = visitor.enter_as("Руководитель")
    page.get_by_role("link", name="Начать работу").click()
    page.get_by_role("button", name="Открыть рабочий стол").click()
    with context.expect_page() as opened:
        page.get_by_role("link", name="К рабочему столу").click()
    work = opened.value
    work.locator("#name").fill("Ольга Иванова")
    work.locator("#email").fill("head@iva.example")
    for field in ("#password", "#again"):
        work.locator(field).fill(PASSWORD)
    work.get_by_role("button", name="Начать").click()
    expect(work.get_by_role("heading", name="Пять вопросов")).to_be_visible()
    work.locator("#school").fill("Школа «Ива»")
    work.locator("[name=name_0]").fill("Инна Рощина")
    work.locator("[name=email_0]").fill("inna@iva.example")
    work.locator("[name=unit_name_technical]").fill("Павел Ким")
    work.locator("[name=unit_email_technical]").fill("kim@iva.example")
    work.locator("[name=platform][value=wordpress]").check()
    work.get_by_role("button", name="Начать работу").click()
    expect(work.locator(".begin-people li")).to_have_count(2)
    work.get_by_role("link", name="Чего ещё не хватает").click()
    missing = work.locator(".begin-list")
    expect(missing).to_contain_text("Есть площадка, за которой следим")
    missing.get_by_role("button", name="Копия сделана").click()
    expect(work.locator(".begin-list li.is-done", has_text="Копия ключа")).to_be_visible()
    # The training school is as it was.
    page.goto(training.url + "inbox")
    expect(page.locator(".training")).to_be_visible()
    assert not visitor.troubles
    context.close()
