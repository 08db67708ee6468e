"""A place is connected by a button, and one that no program may read is kept by hand."""

import re
import time

from playwright.sync_api import expect

from tests.journeys.test_inbox import ready


def test_connect_goes_to_the_platform_and_comes_back(visit, running) -> None:
    page = visit().enter_as("руководитель")
    page.goto(f"{running.url}places/new/youtube")
    page.locator("[name=client_id]").fill("sandbox-client")
    connect = page.get_by_role("button", name="Подключить")
    page.locator("[name=client_secret]").fill("sandbox-client-secret")
    addresses = {
        "base_url": "youtube/",
        "consent_url": "youtube/consent",
        "token_url": "youtube/token",
        "site_url": "",
    }
    for name, path in addresses.items():
        page.locator(f"[name={name}]").fill(f"{running.sandbox}/{path}")
    # The same place is not added twice, and this journey may be walked again.
    page.locator("[name=daily_units]").fill(str(9_000 + int(time.time()) % 900))
    connect.click()
    expect(page).to_have_url(re.compile("/youtube/consent"))
    expect(page.locator("body")).to_contain_text("просит доступ к YouTube")
    page.locator("#allow").click()
    # Back on the desk: who the account is, what it may, when the access ends.
    expect(page).to_have_url(re.compile(r"/places/\d+\?checked=1"))
    expect(page.locator(".checked-good")).to_contain_text("Подключено: Лингва-Парк")
    expect(page.locator(".connect")).to_contain_text("Доступ кончится")
    expect(page.get_by_role("button", name="Подключить заново")).to_be_visible()
    page.goto(f"{running.url}places")
    expect(page.locator(".place", has_text="Доступ кончится").first).to_contain_text("Доступ кончится")


def test_a_pasted_message_is_answered_by_hand(visit, running) -> None:
    page = ready(visit().enter_as("SMM"))
    page.goto(f"{running.url}places/paste")
    page.locator("#p-pasted").fill(
        "olga_sever\nКогда откроется запись на летний интенсив?\nОтветить\nhttps://x.example/p/1"
    )
    page.get_by_role("button", name="Разобрать").click()
    expect(page.locator("#p-author")).to_have_value("olga_sever")
    expect(page.locator("#p-url")).to_have_value("https://x.example/p/1")
    page.get_by_role("button", name="Внести").click()
    expect(page).to_have_url(re.compile(r"/inbox/\d+"))
    expect(page.locator(".composer-where")).to_contain_text("не даёт программам отвечать законно")
    page.locator("#reply-text").fill("Запись откроется первого марта, напомним здесь же.")
    page.get_by_label("Ссылка на опубликованный ответ").fill("https://x.example/p/1/c/2")
    page.get_by_role("button", name="Опубликовано").click()
    expect(page.locator(".msg-going").last).to_contain_text("Отмечено: уже опубликовано")
