"""The work desk on PostgreSQL, web and scheduler apart: from the first person to the first reply."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from models.database import Database
from sandbox import keys
from tests.conftest import _postgres
from tests.journeys.conftest import Running, Visitor, start_desk
from tests.sandbox.running import Running as Platforms

PASSWORD = "длинный пароль работы"


@pytest.fixture
def platforms(tmp_path) -> Iterator[Platforms]:
    running = Platforms(tmp_path / "platforms", "--no-trickle")
    yield running
    running.close()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    yield from _postgres(request, template="template0")


@pytest.fixture
def desk(tmp_path, database, platforms, trained) -> Iterator[Running]:
    """Two doors over one empty PostgreSQL database."""
    variables = {
        "DATABASE_URL": database.engine.url.render_as_string(hide_password=False),
        "OTKLIK_NETWORK__ALLOW_PRIVATE": f'["{platforms.url.removeprefix("http://")}"]',
        "OTKLIK_DESK__UNDO_SECONDS": "1",
    }
    web = start_desk(tmp_path, "web", trained=trained, **variables)
    clock = start_desk(tmp_path, "scheduler", **variables)
    yield web
    assert clock.stop() == 0
    assert web.stop() == 0


def test_from_the_first_person_to_the_first_reply(chromium, desk, platforms) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="ru-RU")
    context.set_default_timeout(15_000)
    visitor = Visitor(context, desk)
    page = visitor.page
    page.goto(desk.url)
    expect(page.get_by_role("heading", name="Первый человек")).to_be_visible()
    page.locator("#name").fill("Марина Котова")
    page.locator("#email").fill("kotova@school.example")
    page.locator("#password").fill(PASSWORD)
    page.locator("#again").fill(PASSWORD)
    page.get_by_role("button", name="Начать").click()
    expect(page.get_by_role("heading", name="Пять вопросов")).to_be_visible()

    # The first place: checked, then watched.
    page.goto(desk.url + "places/new/wordpress")
    page.locator("#f-title").fill("Блог школы")
    page.locator("#f-base_url").fill(f"{platforms.url}/blog/wp-json/")
    page.locator("#f-username").fill(keys.BLOG_USER)
    page.locator("#f-password").fill("не тот пароль")
    page.get_by_role("button", name="Проверить").click()
    expect(page.locator("#check-result")).to_contain_text("не принимает ключ")
    page.locator("#f-password").fill(keys.BLOG_PASSWORD)
    page.get_by_role("button", name="Проверить").click()
    expect(page.locator("#check-result")).to_contain_text("Подключено: Школа")
    page.locator("#place-form").get_by_role("button", name=re.compile("Следить|Добавить|Сохранить")).click()
    expect(page.get_by_text("Блог школы").first).to_be_visible()

    # Another process collects; this page learns of it by itself.
    page.goto(desk.url + "inbox")
    expect(page.locator(".row").first).to_be_visible(timeout=40_000)
    platforms.says("wordpress", platforms.truth("wordpress")[0]["publication"], "Где найти расписание группы?")
    row = page.locator(".row", has_text="Где найти расписание группы?")
    expect(row).to_be_visible(timeout=100_000)
    row.click()
    page.locator("#reply-text").fill("Расписание в кабинете, раздел «Группа».")
    page.locator("#reply-text").press("Control+Enter")
    expect(page.get_by_text("Отменить отправку").first).to_be_visible()
    page.goto(desk.url + "inbox?stage=closed")
    page.locator(".row", has_text="Где найти расписание группы?").click()
    expect(page.locator("#case")).to_contain_text(re.compile("Принято площадкой|Видно на площадке"), timeout=40_000)
    [stands] = [item for item in platforms.truth("wordpress") if item["text"].startswith("Расписание в кабинете")]
    assert stands["direction"] == "out"
    context.close()
    assert not visitor.troubles
