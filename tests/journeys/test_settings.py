"""A deadline, a place, a key and a web hook are changed, seen beforehand, found in the history and taken back."""

import re
import time

import httpx
from playwright.sync_api import expect


def test_a_deadline_is_changed_and_taken_back(visit) -> None:
    head = visit()
    page = head.enter_as("Руководитель")
    page.goto(head.running.url + "settings/terms")
    line = page.get_by_label("Вопрос", exact=True)
    before = line.input_value()
    after = "3" if before != "3" else "2"
    line.fill(after)
    page.get_by_role("button", name="Показать, что изменится").click()
    expect(page.get_by_role("heading", name="Что будет с открытыми обращениями")).to_be_visible()
    expect(page.locator(".set-rows")).to_contain_text(f"{after} ч в рабочее время")
    head.picture("settings-1-effect")
    page.get_by_role("button", name="Сохранить").click()
    expect(page.get_by_text("Изменено: сегодня")).to_be_visible()
    expect(line).to_have_value(after)

    page.get_by_role("button", name=re.compile("Вернуть, ")).click()  # the toast
    expect(page.get_by_text("Возвращено: всё как было.")).to_be_visible()
    expect(line).to_have_value(before)

    page.get_by_role("link", name="История").click()
    panels = page.locator(".set-panel")
    expect(panels.first).to_contain_text("действует сейчас")
    expect(panels.first).to_contain_text("Возвращена")
    head.picture("settings-2-history")
    panels.nth(1).get_by_role("link", name="Вернуть эту версию").click()
    expect(page.get_by_role("heading", name="Вернуть эту версию?")).to_be_visible()
    page.get_by_role("button", name="Вернуть").click()
    expect(line).to_have_value(after)

    phone = visit(phone=True)
    small = phone.enter_as("Руководитель")
    small.goto(phone.running.url + "settings/history/sla")
    expect(small.locator(".set-panel").first).to_contain_text("Стало")
    assert small.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small.locator(".set-panel").nth(1).get_by_role("link", name="Вернуть эту версию").click()
    small.get_by_role("button", name="Вернуть").click()  # as it was when the journey began
    expect(small.get_by_label("Вопрос", exact=True)).to_have_value(before)


def test_a_place_is_paused_knowingly_removed_and_brought_back(visit) -> None:
    head = visit()
    page = head.enter_as("Руководитель")
    page.goto(head.running.url + "places")
    place = page.locator(".place", has_text="ВКонтакте").first
    place.get_by_role("button", name="Приостановить").click()
    expect(page.get_by_role("heading", name="Сохранить изменение?")).to_be_visible()
    expect(page.locator(".set-effects")).to_contain_text(re.compile(r"На этой площадке \d+ открыт"))
    expect(page.locator(".set-rows")).to_contain_text("приостановлена")
    head.picture("settings-3-place")
    page.get_by_role("button", name="Сохранить").click()
    expect(place).to_contain_text("приостановлена")
    page.get_by_role("button", name=re.compile("Вернуть, ")).click()
    expect(page.get_by_text("Возвращено: всё как было.")).to_be_visible()
    expect(place.get_by_role("button", name="Приостановить")).to_be_visible()

    # One of our own is removed; those of the training school are declared.
    page.goto(head.running.url + "places/new/manual")
    name = f"Старый канал {int(time.time())}"
    page.get_by_label("Название площадки").fill(name)
    page.locator("[name=page_url]").fill(f"https://dzen.ru/{int(time.time())}")
    page.get_by_role("button", name="Сохранить и читать").click()
    own = page.locator(".place", has_text=name)
    own.get_by_role("link", name="Настройки").click()
    page.get_by_label("Название площадки").fill(f"{name}, другой")
    page.get_by_role("button", name="Сохранить").click()
    page.locator(".place", has_text=f"{name}, другой").get_by_role("link", name="Настройки").click()
    page.get_by_role("button", name="Убрать из списка").click()
    expect(page.get_by_text("всё пришедшее осталось")).to_be_visible()
    expect(page.locator(".place", has_text=name)).to_have_count(0)
    page.locator(".places-removed summary").click()
    row = page.locator(".places-removed form", has_text=name)
    row.get_by_role("link", name="История").click()
    panels = page.locator(".set-panel")
    expect(panels.first).to_contain_text("убрана из списка")
    head.picture("settings-4-place-history")
    panels.filter(has_text=f"{name}, другой").last.get_by_role("link", name="Вернуть эту версию").click()
    page.get_by_role("button", name="Вернуть").click()
    expect(page.locator(".place", has_text=f"{name}, другой")).to_be_visible()


def test_a_key_and_a_web_hook_say_what_comes_back(visit) -> None:
    head = visit()
    page = head.enter_as("Руководитель")
    page.goto(head.running.url + "api-keys")
    name = f"Витрина {int(time.time())}"
    page.get_by_label("Для чего он").fill(name)
    page.locator("[name=scope][value='cases:read']").check()
    page.get_by_role("button", name="Создать ключ").click()
    secret = page.locator("#made").inner_text()
    used = httpx.get(head.running.url + "api/v1/me", headers={"Authorization": f"Bearer {secret}"}, timeout=30)
    assert used.status_code == 200
    page.goto(head.running.url + "api-keys")
    mine = page.locator(".device", has_text=name)
    mine.get_by_role("link", name="Изменить").click()
    page.get_by_label("Для чего он").fill(f"{name} сайта")
    page.get_by_role("button", name="Сохранить").click()
    page.locator(".device", has_text=f"{name} сайта").get_by_role("button", name="Отозвать").click()
    expect(page.locator(".set-effects")).to_contain_text("Вернуть отозванный ключ нельзя")
    head.picture("settings-5-key")
    page.get_by_role("button", name="Сохранить").click()
    page.locator(".api-old summary").click()
    old = page.locator(".api-old .device", has_text=f"{name} сайта")
    old.get_by_role("link", name="История").click()
    expect(page.get_by_role("link", name="Вернуть эту версию")).to_have_count(0)
    page.go_back()
    page.locator(".api-old summary").click()
    old.get_by_role("link", name="Сделать такой же").click()
    expect(page.get_by_label("Для чего он")).to_have_value(f"{name} сайта")
    expect(page.locator("[name=scope][value='cases:read']")).to_be_checked()

    page.goto(head.running.url + "settings/api/hooks/new")
    hook = f"Робот {int(time.time())}"
    page.get_by_label("Как назвать").fill(hook)
    page.get_by_label("Какому адресу сообщать").fill("https://robot.example/otklik")
    page.locator("[name=event][value='case.closed']").check()
    page.get_by_role("button", name="Добавить и показать секрет").click()
    page.get_by_role("button", name="Удалить").click()
    expect(page.get_by_text("Вернуть его можно из истории")).to_be_visible()
    page.locator(".api-old summary").click()
    page.locator(".api-old .device", has_text=hook).get_by_role("link", name="История").click()
    page.locator(".set-panel").nth(1).get_by_role("link", name="Вернуть эту версию").click()
    page.get_by_role("button", name="Вернуть").click()
    page.get_by_role("link", name=hook).click()
    expect(page.get_by_text("секрета у него больше нет")).to_be_visible()
    head.picture("settings-6-hook")
