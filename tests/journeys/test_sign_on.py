"""Logging in by the school's provider: refused while nobody is linked, linked, and used instead of the password."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Running, Visitor, start_desk
from tests.sign_on import open_provider

BUTTON = "Войти через «Школа ID»"
PASSWORD = "длинный пароль работы"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, trained) -> Iterator[Running]:
    with open_provider() as address:
        running = start_desk(
            tmp_path_factory.mktemp("sign_on"), "work", trained=trained,
            OTKLIK_NETWORK__ALLOW_PRIVATE=f'["{address.removeprefix("http://")}"]', OTKLIK_OIDC__ISSUER=address,
            OTKLIK_OIDC__CLIENT_ID="desk", OTKLIK_OIDC__CLIENT_SECRET="s", OTKLIK_OIDC__TITLE="Школа ID",
        )  # fmt: skip
        yield running
        assert running.stop() == 0


def approve(visitor: Visitor, name: str) -> None:
    """The provider's own page, in the same window; what that page asks of others is not the desk's doing."""
    page = visitor.page
    page.locator("input[name=sub]").fill(name)
    page.locator("form:has(input[name=sub]) button[type=submit]").first.click()
    page.wait_for_url(f"{visitor.running.url}**")
    visitor.troubles.clear()


def begin(page: Page, url: str) -> None:
    page.goto(url)
    page.locator("#name").fill("Марина Котова")
    page.locator("#email").fill("kotova@school.example")
    page.locator("#password").fill(PASSWORD)
    page.locator("#again").fill(PASSWORD)
    page.get_by_role("button", name="Начать").click()
    expect(page.get_by_role("heading", name="Пять вопросов")).to_be_visible()


def test_an_account_opens_nothing_until_its_person_links_it(chromium, desk) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="ru-RU")
    context.set_default_timeout(15_000)
    context.route("https://**", lambda route: route.abort())
    visitor = Visitor(context, desk)
    page = visitor.page
    begin(page, desk.url)
    context.clear_cookies()
    page.goto(desk.url + "login")
    page.get_by_role("link", name=BUTTON).click()
    approve(visitor, "kotova@school.example")
    expect(page.get_by_role("alert")).to_contain_text("ни к кому не привязана")  # by an equal address alone
    visitor.picture("sign-on-nobody")

    page.locator("#email").fill("kotova@school.example")
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button", name="Войти", exact=True).click()
    page.wait_for_url(lambda address: "/login" not in address)
    page.goto(desk.url + "sign-on")
    expect(page.get_by_text("Учётная запись пока не привязана")).to_be_visible()
    page.get_by_role("button", name="Привязать мою учётную запись").click()
    approve(visitor, "kotova@school.example")
    expect(page.locator(".device")).to_contain_text("kotova@school.example")
    visitor.picture("sign-on-linked")

    context.clear_cookies()
    page.goto(desk.url + "login")
    page.get_by_role("link", name=BUTTON).click()
    approve(visitor, "kotova@school.example")
    page.wait_for_url(lambda address: "/login" not in address)

    page.goto(desk.url + "sign-on")
    page.get_by_role("button", name="Отвязать").click()
    expect(page.get_by_text("Учётная запись пока не привязана")).to_be_visible()
    assert not visitor.troubles
    context.close()
